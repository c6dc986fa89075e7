"""The intensity that the incidents were drawn from: what tests hold forecasts against.

Belongs here: expected incidents per cell and day, given everything before that day. Not here: drawing.
"""

from __future__ import annotations

from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import polars_h3 as plh3

from hotspot_assets.hexgrid.cells import centres
from hotspot_assets.hexgrid.study_areas import StudyArea
from hotspot_assets.simulation.city import FloatArray, to_metres
from hotspot_assets.simulation.process import City, day_factor, days_since_1970, hour_density

if TYPE_CHECKING:
    from scipy.spatial import cKDTree

_FINER = 2
"""Densities are averaged over the 49 cells this many resolutions finer."""

_OLDEST_MEAN_LIVES = 10.0
"""Parents older than so many mean times to an offspring no longer count (e^-10 of their offspring)."""

_REACH_SIGMAS = 5.0
_EVENTS_AT_ONCE = 500
_CELLS_AT_ONCE = 1_000


class Truth:
    """The true intensity of a city on a study area; make it once for many days."""

    def __init__(self, city: City, area: StudyArea) -> None:
        self.city, self.area = city, area

    def intensity(self, day: date, group: str) -> FloatArray:
        """Expected incidents per cell on a local day, given everything before it: float64[n].

        What incidents of that very day set off on the same day is counted where they lie themselves: one per
        cent of the whole, displaced by sigma.
        """
        return self.background(day, group) + self.excited(day, group)

    def background(self, day: date, group: str) -> FloatArray:
        """The part that nothing before that day has set off: float64[n]."""
        spec, number = self.city.spec.groups[group], self.city.ground.names.index(group)
        days = np.array([days_since_1970(day)])
        weights = self.city.ground.weights_on(number, days.astype(np.float64))[0]
        hours = np.arange(0.05, 24, 0.1)
        left = 1 - hours / 24
        slowed = spec.omega_per_day * (1 - spec.theta)
        offspring = spec.theta / (1 - spec.theta) * (1 - np.exp(-slowed * left))
        same_day = 1 + float((hour_density(spec, hours) * offspring).sum() * 0.1)
        rate = spec.per_day * (1 - spec.theta) * float(day_factor(spec, days)[0]) * same_day
        expected: FloatArray = rate * (self._shares @ weights)
        return expected

    def excited(self, day: date, group: str) -> FloatArray:
        """The part that incidents before that day set off: float64[n]."""
        spec, start = self.city.spec.groups[group], (day - self.city.start).days
        past = self.city.events.filter(
            pl.col("group") == group,
            pl.col("day") < start,
            pl.col("day") > start - _OLDEST_MEAN_LIVES / spec.omega_per_day,
        )
        slowed = spec.omega_per_day * (1 - spec.theta)
        age = start - past["day"].to_numpy()
        rate = spec.theta * spec.omega_per_day * np.exp(-spec.omega_per_day * age)
        mass = rate * (1 - np.exp(-slowed)) / slowed
        place = past.select("x_m", "y_m").to_numpy()
        expected = np.zeros(self.area.n)
        for first in range(0, len(place), _EVENTS_AT_ONCE):
            chunk = slice(first, first + _EVENTS_AT_ONCE)
            expected += self._spread(place[chunk], mass[chunk], spec.sigma_m)
        return expected

    def _spread(self, place: FloatArray, mass: FloatArray, sigma_m: float) -> FloatArray:
        """Masses spread normally about places, added up by cell."""
        from scipy.spatial import cKDTree

        at, size = self._points
        near = cKDTree(place).sparse_distance_matrix(
            self._tree, _REACH_SIGMAS * sigma_m + self._cell_m, output_type="ndarray"
        )
        event, cell = near["i"], near["j"]
        square = ((at[cell] - place[event, None, :]) ** 2).sum(axis=2)
        density = np.exp(-square / (2 * sigma_m**2)) / (2 * np.pi * sigma_m**2)
        value = mass[event] * (density * size[cell]).sum(axis=1)
        expected: FloatArray = np.bincount(cell, weights=value, minlength=self.area.n).astype(np.float64)
        return expected

    @cached_property
    def _tree(self) -> cKDTree:
        from scipy.spatial import cKDTree

        return cKDTree(self._points[0].mean(axis=1))

    @property
    def _cell_m(self) -> float:
        """More than the distance from a cell's middle to its corners."""
        return 1000 * float(np.sqrt(self.area.area_km2.max() / 2))

    @cached_property
    def _points(self) -> tuple[FloatArray, FloatArray]:
        """Places that stand for the cells: metres [n, 49, 2]; square metres, 0 out of town [n, 49]."""
        finer = plh3.cell_to_children("cell", self.area.resolution + _FINER)
        children = pl.DataFrame({"cell": self.area.cells}).select(finer.explode()).to_series().to_numpy()
        at = to_metres(*centres(children), self.city.spec)
        inside = self.city.ground.inside(at).reshape(self.area.n, -1)
        size = inside * (self.area.area_km2 * 1e6 / inside.shape[1])[:, None]
        return at.reshape(self.area.n, -1, 2), size

    @cached_property
    def _shares(self) -> FloatArray:
        """Share of each background component that lies in each cell: float64[n, components]."""
        at, size = self._points
        shares = np.empty((self.area.n, self.city.ground.weights.shape[1]))
        for first in range(0, self.area.n, _CELLS_AT_ONCE):
            chunk = slice(first, first + _CELLS_AT_ONCE)
            density = self.city.ground.component_density(at[chunk].reshape(-1, 2))
            shares[chunk] = (density.reshape(*size[chunk].shape, -1) * size[chunk][:, :, None]).sum(axis=1)
        return shares


def true_intensity(city: City, area: StudyArea, day: date, group: str) -> FloatArray:
    """Expected incidents per cell on one local day, given everything before it; see `Truth` for many days."""
    return Truth(city, area).intensity(day, group)

"""Where crime gathers in the fictional city, and how that drifts.

Belongs here: the background as a mixture of hot spots and wards, by offence group and day; drawing places
from it and its exact density. Not here: when incidents happen and what they set off (`process`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from hotspot_assets.simulation.city import CitySpec, FloatArray, ward_outlines_m

if TYPE_CHECKING:
    from shapely import Polygon

IntArray = npt.NDArray[np.int64]

_WARD_SHARE = 0.30
"""Share of the background that is spread evenly within wards; the rest gathers in hot spots."""

_DRIFT = 0.5
_GRID_M = 40.0


@dataclass(frozen=True, eq=False)
class Ground:
    """The background as a mixture: normal hot spots cut off at the city's outline, and even wards.

    Attributes
    ----------
    names
        Offence groups, in the order of `weights`.
    centres_m, spread_m
        Hot spots: float64[h, 2], float64[h].
    weights
        float64[groups, h + 24]: mean shares of hot spots, then wards; each row sums to 1.
    period_days, phase
        float64[h]: a hot spot's weight swings slowly about its mean.
    wards_m
        float64[24, 8, 2]: outlines.
    """

    names: tuple[str, ...]
    centres_m: FloatArray
    spread_m: FloatArray
    weights: FloatArray
    period_days: FloatArray
    phase: FloatArray
    wards_m: FloatArray

    @cached_property
    def outline(self) -> Polygon:
        """The city, prepared for many questions."""
        import shapely

        city = shapely.union_all(shapely.polygons(self.wards_m))
        shapely.prepare(city)
        return city

    def inside(self, at: FloatArray) -> npt.NDArray[np.bool_]:
        """Whether places in metres (n, 2) lie in the city."""
        import shapely

        within: npt.NDArray[np.bool_] = shapely.contains_xy(self.outline, at)
        return within

    def weights_on(self, group: int, days: FloatArray) -> FloatArray:
        """Shares of the components on each day (days since 1970): float64[days, h + 24], rows sum to 1."""
        swing = 1 + _DRIFT * np.sin(2 * np.pi * days[:, None] / self.period_days + self.phase)
        hot = len(self.centres_m)
        weights = np.repeat(self.weights[group][None, :], len(days), axis=0)
        weights[:, :hot] *= swing
        shares: FloatArray = weights / weights.sum(axis=1, keepdims=True)
        return shares

    @cached_property
    def spot_mass(self) -> FloatArray:
        """Share of each hot spot's normal distribution that lies in the city: float64[h]."""
        low, high = self.wards_m.min(axis=(0, 1)), self.wards_m.max(axis=(0, 1))
        x, y = (np.arange(a + _GRID_M / 2, b, _GRID_M) for a, b in zip(low, high, strict=True))
        grid = np.column_stack([axis.ravel() for axis in np.meshgrid(x, y)])
        density = normal_density(grid[self.inside(grid)], self.centres_m, self.spread_m)
        mass: FloatArray = density.sum(axis=0) * _GRID_M**2
        return mass

    def component_density(self, at: FloatArray) -> FloatArray:
        """Density of each component at places in metres, per square metre: float64[n, h + 24]."""
        import shapely

        density = np.zeros((len(at), self.weights.shape[1]))
        inside = self.inside(at)
        hot = len(self.centres_m)
        density[inside, :hot] = normal_density(at[inside], self.centres_m, self.spread_m) / self.spot_mass
        for number, ward in enumerate(shapely.polygons(self.wards_m)):
            density[_within(ward, at), hot + number] = 1 / ward.area
        return density

    def draw(self, component: IntArray, rng: np.random.Generator) -> FloatArray:
        """One place in metres for each given component: float64[n, 2], all in the city."""
        hot = len(self.centres_m)
        place = np.empty((len(component), 2))
        in_ward = component >= hot
        place[in_ward] = self._draw_in_wards(component[in_ward] - hot, rng)
        missing = np.flatnonzero(~in_ward)
        while len(missing):
            spot = component[missing]
            place[missing] = (
                self.centres_m[spot] + rng.normal(size=(len(spot), 2)) * self.spread_m[spot, None]
            )
            missing = missing[~self.inside(place[missing])]
        return place

    def _draw_in_wards(self, ward: IntArray, rng: np.random.Generator) -> FloatArray:
        """Even over each ward: a triangle of its fan by size, then a place in the triangle."""
        middle, first, second = self._fan
        size = _cross(first - middle, second - middle)
        reach = np.cumsum(size, axis=1) / size.sum(axis=1, keepdims=True)
        triangle = (rng.uniform(size=len(ward))[:, None] > reach[ward]).sum(axis=1)
        a, b = rng.uniform(size=(2, len(ward), 1))
        over = a + b > 1
        a, b = np.where(over, 1 - a, a), np.where(over, 1 - b, b)
        start = middle[ward, 0]
        place: FloatArray = start + a * (first[ward, triangle] - start) + b * (second[ward, triangle] - start)
        return place

    @property
    def _fan(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Triangles of the wards: middle [24, 1, 2], and the two ends of each side [24, 8, 2]."""
        return self.wards_m.mean(axis=1, keepdims=True), self.wards_m, np.roll(self.wards_m, -1, axis=1)


def ground_of(spec: CitySpec) -> Ground:
    """Draw the hot spots of a city: some weight common to all offence groups, some of one alone."""
    rng = np.random.Generator(np.random.PCG64([spec.seed, 1]))
    n = spec.hot_spots
    outlines = ward_outlines_m(spec)
    # Hot spots lie about the middles of wards drawn at random, so that all of them lie in the city.
    centres = outlines.mean(axis=1)[rng.integers(len(outlines), size=n)]
    centres = centres + rng.uniform(-0.05, 0.05, size=(n, 2)) * (spec.width_m, spec.height_m)
    common, common_ward = _hot_weights(rng, n), _ward_weights(rng, outlines)
    weights = []
    for group in spec.groups.values():
        hot = group.shared * common + (1 - group.shared) * _hot_weights(rng, n)
        ward = group.shared * common_ward + (1 - group.shared) * _ward_weights(rng, outlines)
        weights.append(np.concatenate([(1 - _WARD_SHARE) * hot, _WARD_SHARE * ward]))
    return Ground(
        tuple(spec.groups),
        centres,
        rng.uniform(80.0, 350.0, size=n),
        np.array(weights),
        rng.uniform(600.0, 1_800.0, size=n),
        rng.uniform(0.0, 2 * np.pi, size=n),
        outlines,
    )


def _hot_weights(rng: np.random.Generator, n: int) -> FloatArray:
    drawn = rng.lognormal(0.0, 0.9, size=n)
    weights: FloatArray = drawn / drawn.sum()
    return weights


def _ward_weights(rng: np.random.Generator, outlines: FloatArray) -> FloatArray:
    x, y = outlines[:, :, 0], outlines[:, :, 1]
    size = np.abs((x * np.roll(y, -1, axis=1) - y * np.roll(x, -1, axis=1)).sum(axis=1))
    drawn = size * rng.lognormal(0.0, 0.6, size=len(outlines))
    weights: FloatArray = drawn / drawn.sum()
    return weights


def normal_density(at: FloatArray, centres: FloatArray, sigma: FloatArray) -> FloatArray:
    """Densities of round normal distributions at places: float64[places, centres], per square metre."""
    density = np.empty((len(at), len(centres)))
    for number, (centre, spread) in enumerate(zip(centres, sigma, strict=True)):
        square = ((at - centre) ** 2).sum(axis=1)
        density[:, number] = np.exp(-square / (2 * spread**2)) / (2 * np.pi * spread**2)
    return density


def _within(ward: Polygon, at: FloatArray) -> npt.NDArray[np.bool_]:
    import shapely

    west, south, east, north = ward.bounds
    within: npt.NDArray[np.bool_] = (
        (at[:, 0] >= west) & (at[:, 0] <= east) & (at[:, 1] >= south) & (at[:, 1] <= north)
    )
    within[within] = shapely.contains_xy(ward, at[within])
    return within


def _cross(a: FloatArray, b: FloatArray) -> FloatArray:
    product: FloatArray = a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
    return product

"""The process that makes incidents: an inhomogeneous background and self-excitation, drawn by generations.

Belongs here: drawing events, and the intensity they were drawn from, which is the truth that tests hold
forecasts against. Not here: what a records system makes of the events (`records`).

Each incident has a Poisson(theta) number of offspring, after exponential times with rate omega and at normal
distances with standard deviation sigma (the branching form of a self-exciting point process, Mohler et al.
2011). Offspring outside the city or after the end are not part of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from hotspot_assets.hexgrid.cells import centres
from hotspot_assets.hexgrid.study_areas import StudyArea
from hotspot_assets.simulation.city import CitySpec, FloatArray, Ground, GroupSpec, ground_of, to_degrees, to_metres

_SEASON = 0.15
_OLDEST_MEAN_LIVES = 8.0
"""Parents older than so many mean times to an offspring no longer count in the truth (e^-8 of their offspring)."""


@dataclass(frozen=True, eq=False)
class City:
    """A simulated city: `events` with group, day (float, days from `start`), x_m, y_m, parent (row, -1: background)."""

    spec: CitySpec
    start: date
    days: int
    ground: Ground
    events: pl.DataFrame

    def places(self) -> tuple[FloatArray, FloatArray]:
        """Latitude and longitude of the events."""
        return to_degrees(self.events.select("x_m", "y_m").to_numpy(), self.spec)


def day_factor(group: GroupSpec, day: FloatArray, start: date) -> FloatArray:
    """Background rate of whole days relative to the mean: weekend and a slow yearly wave."""
    weekday = (np.floor(day).astype(np.int64) + start.weekday()) % 7
    mean = (5 + 2 * group.weekend) / 7
    weekly = np.where(weekday >= 5, group.weekend, 1.0) / mean
    wave: FloatArray = weekly * (1.0 + _SEASON * np.sin(2 * np.pi * np.floor(day) / 365.25))
    return wave


def simulate(spec: CitySpec, start: date, days: int) -> City:
    """Draw a city's incidents for `days` days from `start`; equal arguments give equal incidents."""
    ground = ground_of(spec)
    drawn = [_draw_group(spec, ground, number, start, days) for number in range(len(spec.groups))]
    offset, frames = 0, []
    for frame in drawn:
        shifted = pl.when(pl.col("parent") >= 0).then(pl.col("parent") + offset).otherwise(-1)
        frames.append(frame.with_columns(parent=shifted.cast(pl.Int64)))
        offset += frame.height
    return City(spec, start, days, ground, pl.concat(frames))


def _draw_group(spec: CitySpec, ground: Ground, number: int, start: date, days: int) -> pl.DataFrame:
    name = ground.names[number]
    group = spec.groups[name]
    rng = np.random.Generator(np.random.PCG64([spec.seed, 3, number]))
    time, place = _background(spec, ground, number, group, start, days, rng)
    times, places, parents = [time], [place], [np.full(len(time), -1)]
    first = 0
    while len(times[-1]):
        rows = np.arange(first, first + len(times[-1]))
        first += len(rows)
        children = rng.poisson(group.theta, size=len(rows))
        parent = np.repeat(np.arange(len(rows)), children)
        time = times[-1][parent] + rng.exponential(1 / group.omega_per_day, size=len(parent))
        place = places[-1][parent] + rng.normal(0.0, group.sigma_m, size=(len(parent), 2))
        inside = (time < days) & (place >= 0).all(axis=1) & (place < (spec.width_m, spec.height_m)).all(axis=1)
        times.append(time[inside])
        places.append(place[inside])
        parents.append(rows[parent[inside]])
    place = np.concatenate(places)
    return pl.DataFrame(
        {
            "group": [name] * len(place),
            "day": np.concatenate(times),
            "x_m": place[:, 0],
            "y_m": place[:, 1],
            "parent": np.concatenate(parents).astype(np.int64),
        },
        schema={"group": pl.String, "day": pl.Float64, "x_m": pl.Float64, "y_m": pl.Float64, "parent": pl.Int64},
    )


def _background(
    spec: CitySpec, ground: Ground, number: int, group: GroupSpec, start: date, days: int, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    rate = group.per_day * (1 - group.theta) * day_factor(group, np.arange(days, dtype=np.float64), start)
    counts = rng.poisson(rate)
    day = np.repeat(np.arange(days), counts)
    time = day + _hours(group, len(day), rng) / 24.0
    spot = rng.choice(len(ground.weights[number]), size=len(day), p=ground.weights[number])
    size = np.array([spec.width_m, spec.height_m])
    place = rng.uniform(0.0, 1.0, size=(len(day), 2)) * size
    near = spot < len(ground.centres_m)
    place[near] = ground.centres_m[spot[near]] + rng.normal(size=(int(near.sum()), 2)) * ground.spread_m[spot[near], None]
    # What falls off the edge of the city is folded back, as a town's streets fold back from the shore.
    place = np.abs(place)
    place = np.where(place >= size, 2 * size - place - 1e-6, place)
    return time, place


def _hours(group: GroupSpec, n: int, rng: np.random.Generator) -> FloatArray:
    """Hours of the day, gathered about the group's peak (von Mises) with the strength `night`."""
    gathered = rng.vonmises(0.0, 2.0, size=n) * 12 / np.pi + group.peak_hour
    even = rng.uniform(0.0, 24.0, size=n)
    hours: FloatArray = np.where(rng.uniform(size=n) < group.night, gathered, even) % 24.0
    return hours


def true_intensity(city: City, area: StudyArea, day: int, group: str) -> FloatArray:
    """Expected incidents per cell (float64[n]) on day number `day`, given everything before it.

    Densities are taken at cell centres. Offspring of incidents of the same day are not in it: a few per cent
    of the mass, spread like the rest.
    """
    spec, number = city.spec.groups[group], city.ground.names.index(group)
    latitude, longitude = centres(area.cells)
    at = to_metres(latitude, longitude, city.spec)
    cell_m2 = area.area_km2 * 1e6
    factor = day_factor(spec, np.array([float(day)]), city.start)[0]
    density = _background_density(city, number, at)
    expected = spec.per_day * (1 - spec.theta) * factor * density * cell_m2
    past = city.events.filter(
        pl.col("group") == group, pl.col("day") < day, pl.col("day") > day - _OLDEST_MEAN_LIVES / spec.omega_per_day
    )
    age = day - past["day"].to_numpy()
    offspring = spec.theta * (np.exp(-spec.omega_per_day * age) - np.exp(-spec.omega_per_day * (age + 1)))
    for x, y, mass in zip(past["x_m"], past["y_m"], offspring, strict=True):
        expected += mass * _normal(at, np.array([x, y]), spec.sigma_m) * cell_m2
    return expected


def _background_density(city: City, number: int, at: FloatArray) -> FloatArray:
    weights, ground = city.ground.weights[number], city.ground
    inside = ((at >= 0) & (at < (city.spec.width_m, city.spec.height_m))).all(axis=1)
    density = inside * weights[-1] / (city.spec.width_m * city.spec.height_m)
    for centre, spread, weight in zip(ground.centres_m, ground.spread_m, weights[:-1], strict=True):
        density = density + weight * _normal(at, centre, spread)
    return density


def _normal(at: FloatArray, centre: FloatArray, sigma: float) -> FloatArray:
    square = ((at - centre) ** 2).sum(axis=1)
    value: FloatArray = np.exp(-square / (2 * sigma**2)) / (2 * np.pi * sigma**2)
    return value

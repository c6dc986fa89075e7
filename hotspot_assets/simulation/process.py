"""The process that makes incidents: an inhomogeneous background and self-excitation, drawn by generations.

Belongs here: drawing incidents. Not here: the intensity they come from (`truth`), what a records system makes
of them (`reporting`, `records`).

Each incident has a Poisson(theta) number of offspring, after exponential times with rate omega and at normal
distances with standard deviation sigma (the branching form of a self-exciting point process, Mohler et al.
2011). Offspring outside the city or after the end are not part of it.

Background incidents are drawn month by month, each month with the whole of what it sets off and a seed of its
own. So a city simulated for longer has the same past.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time

import numpy as np
import polars as pl

from hotspot_assets.intake.calendar import local_to_utc
from hotspot_assets.simulation.city import ZONE, CitySpec, FloatArray, GroupSpec, to_degrees
from hotspot_assets.simulation.ground import Ground, IntArray, ground_of
from hotspot_assets.simulation.reporting import draw_reporting

_SEASON, _TREND, _TREND_DAYS = 0.15, 0.10, 1_461.0
_CONCENTRATION = 2.0
_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, eq=False)
class City:
    """A simulated city, the whole truth.

    `events` has one row per incident: `reference`, `group`, `day` (Float64: local days since `start`),
    `occurred_at` (UTC), `x_m`, `y_m`, `latitude`, `longitude`, `parent` (row number of the incident that set
    it off; -1: background) and the columns of `reporting.draw_reporting`.
    """

    spec: CitySpec
    start: date
    days: int
    ground: Ground
    events: pl.DataFrame


def days_since_1970(day: date) -> int:
    """Number of a date on the clock on which seasons and drift run."""
    return (day - _EPOCH).days


def day_factor(group: GroupSpec, days: IntArray) -> FloatArray:
    """Background rate of days (since 1970) relative to the mean: weekends, a yearly and a slower wave."""
    weekday = (days + _EPOCH.weekday()) % 7
    weekly = np.where(weekday >= 5, group.weekend, 1.0) * 7 / (5 + 2 * group.weekend)
    yearly = 1 + _SEASON * np.sin(2 * np.pi * days / 365.25)
    factor: FloatArray = weekly * yearly * (1 + _TREND * np.sin(2 * np.pi * days / _TREND_DAYS))
    return factor


def hour_density(group: GroupSpec, hours: FloatArray) -> FloatArray:
    """Density of background incidents over the hours of the day, per hour."""
    angle = (hours - group.peak_hour) * np.pi / 12
    peak = np.exp(_CONCENTRATION * np.cos(angle)) / (24 * np.i0(_CONCENTRATION))
    density: FloatArray = group.night * peak + (1 - group.night) / 24
    return density


def simulate(spec: CitySpec, start: date, days: int) -> City:
    """Draw a city's incidents for `days` local days from `start`; equal arguments give equal incidents."""
    ground = ground_of(spec)
    first = days_since_1970(start)
    offset, frames = 0, []
    for number in range(len(spec.groups)):
        for month in _months(first, first + days):
            frame = _draw_month(spec, ground, number, month)
            kept = frame.filter(pl.col("day") < first + days)
            # What was dropped is later than its parents, so no kept row has lost its parent, only its number.
            position = (frame["day"] < first + days).cum_sum().cast(pl.Int64).to_numpy() - 1 + offset
            parent = kept["parent"].to_numpy()
            frames.append(kept.with_columns(parent=np.where(parent >= 0, position[parent], -1)))
            offset += kept.height
    events = pl.concat(frames).with_columns(day=pl.col("day") - first)
    return City(spec, start, days, ground, _placed(_timed(events, start), spec))


def _months(first: int, end: int) -> Iterator[IntArray]:
    """The days from `first` to before `end`, by calendar month; the last month whole."""
    day = np.arange(first, end + 31)
    month = day.astype("datetime64[D]").astype("datetime64[M]")
    for each in np.unique(month[day < end]):
        yield day[month == each]


def _draw_month(spec: CitySpec, ground: Ground, number: int, days: IntArray) -> pl.DataFrame:
    name = ground.names[number]
    group = spec.groups[name]
    label = str(days[-1].astype("datetime64[D]").astype("datetime64[M]")).replace("-", "")
    seed = [spec.seed, 3, number, int(label)]
    rng = np.random.Generator(np.random.PCG64(seed))
    day, place, parent = _cascades(group, ground, *_background(ground, number, group, days, rng), rng)
    return pl.DataFrame(
        {
            "reference": _references(label, number, len(day)),
            "group": pl.repeat(name, len(day), dtype=pl.String, eager=True),
            "day": day,
            "x_m": place[:, 0],
            "y_m": place[:, 1],
            "parent": parent,
            **draw_reporting(group, len(day), np.random.Generator(np.random.PCG64([*seed, 1]))),
        }
    )


def _background(
    ground: Ground, number: int, group: GroupSpec, days: IntArray, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    counts = rng.poisson(group.per_day * (1 - group.theta) * day_factor(group, days))
    row = np.repeat(np.arange(len(days)), counts)
    weights = ground.weights_on(number, days.astype(np.float64))
    components = weights.shape[1]
    # All days' shares, one after the other on one line, so that one search serves all incidents.
    line = (np.cumsum(weights, axis=1) + np.arange(len(days))[:, None]).ravel()
    component = np.searchsorted(line, row + rng.uniform(size=len(row)), side="right") - row * components
    place = ground.draw(np.clip(component, 0, components - 1), rng)
    return days[row] + _hours(group, len(row), rng) / 24.0, place


def _hours(group: GroupSpec, n: int, rng: np.random.Generator) -> FloatArray:
    """Hours of the day as `hour_density` has them."""
    gathered = rng.vonmises(0.0, _CONCENTRATION, size=n) * 12 / np.pi + group.peak_hour
    even = rng.uniform(0.0, 24.0, size=n)
    hours: FloatArray = np.where(rng.uniform(size=n) < group.night, gathered, even) % 24.0
    return hours


def _cascades(
    group: GroupSpec, ground: Ground, day: FloatArray, place: FloatArray, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray, IntArray]:
    """Background incidents and all they set off: days, places and parents (positions, -1 for background)."""
    days, places, parents = [day], [place], [np.full(len(day), -1, dtype=np.int64)]
    first = 0
    while len(days[-1]):
        parent = np.repeat(np.arange(len(days[-1])), rng.poisson(group.theta, size=len(days[-1])))
        day = days[-1][parent] + rng.exponential(1 / group.omega_per_day, size=len(parent))
        place = places[-1][parent] + rng.normal(0.0, group.sigma_m, size=(len(parent), 2))
        inside = ground.inside(place)
        parents.append(first + parent[inside])
        first += len(days[-1])
        days.append(day[inside])
        places.append(place[inside])
    return np.concatenate(days), np.concatenate(places), np.concatenate(parents)


def _references(label: str, group: int, n: int) -> pl.Series:
    """Crime references, unique in the city and the same however long it is simulated."""
    number = pl.int_range(n, eager=True).cast(pl.String).str.zfill(6)
    return pl.Series([f"PM{label}-{group}"], dtype=pl.String) + number


def _timed(events: pl.DataFrame, start: date) -> pl.DataFrame:
    midnight = pl.lit(datetime.combine(start, time(0)))
    wall = midnight + pl.duration(minutes=(pl.col("day") * 1440).floor().cast(pl.Int64))
    return events.with_columns(occurred_at=local_to_utc(wall, ZONE))


def _placed(events: pl.DataFrame, spec: CitySpec) -> pl.DataFrame:
    latitude, longitude = to_degrees(events.select("x_m", "y_m").to_numpy(), spec)
    return events.with_columns(latitude=latitude, longitude=longitude)

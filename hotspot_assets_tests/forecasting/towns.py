"""A small town for the tests of this room, and the naive loop every kernel is held against."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import h3
import numpy as np
import polars as pl

from hotspot_assets.forecasting.events import ONE_INCIDENT, Events, build_events, month_start
from hotspot_assets.forecasting.kernel import DecayKernel
from hotspot_assets.forecasting.profiles import Dasymetric
from hotspot_assets.hexgrid.neighbours import Neighbours, neighbours
from hotspot_assets.hexgrid.study_areas import StudyArea, from_cells
from hotspot_assets.intake.offences import SETTINGS

MIDDLE = (51.5, -0.1)
GROUPS = ("burglary", "robbery", "theft")


@dataclass(frozen=True)
class Town:
    area: StudyArea
    near: Neighbours
    hexes: tuple[str, ...]


def town(rings: int = 6, max_ring: int = 6, resolution: int = 10) -> Town:
    hexes = h3.grid_disk(h3.latlng_to_cell(*MIDDLE, resolution), rings)
    area = from_cells(
        np.array([h3.str_to_int(cell) for cell in hexes], dtype=np.uint64), resolution, "test", None
    )
    return Town(area, neighbours(area, max_ring), tuple(h3.int_to_str(int(cell)) for cell in area.cells))


def ledger(rows: list[tuple[date, int, str, datetime, int]], settings: Sequence[str] = ()) -> pl.DataFrame:
    """Rows of (day, cell, group, known_from, weight) as hexagon_incidents has them; no setting is known, or each is."""
    frame = pl.DataFrame(
        rows,
        schema={
            "day": pl.Date,
            "cell": pl.UInt64,
            "offence_group": pl.String,
            "known_from": pl.Datetime("us", "UTC"),
            "weight": pl.Int32,
        },
        orient="row",
    )
    return frame.with_columns(setting=pl.Series(settings or ["unknown"] * len(rows), dtype=pl.String))


def at(day: date, hour: int = 0) -> datetime:
    return datetime.combine(day, time(hour), UTC)


def cut_offs(first: date, last: date) -> pl.Series:
    """05:00 UTC on each day."""
    days = (last - first).days + 1
    moments = [at(first + timedelta(days=n), 5) for n in range(days)]
    return pl.Series("cut_off", moments, dtype=pl.Datetime("us", "UTC"))


def events_of(
    frame: pl.DataFrame, place: Town, first: date, last: date, groups: tuple[str, ...] = GROUPS
) -> Events:
    return build_events([frame], place.area, groups, month_start(first), cut_offs(month_start(first), last))


def random_ledger(place: Town, first: date, days: int, per_day: float, seed: int) -> pl.DataFrame:
    """Clustered incidents with reporting lags, shares of a day, and a tenth taken back later."""
    rng = np.random.default_rng(seed)
    rows: list[tuple[date, int, str, datetime, int]] = []
    settings: list[str] = []
    weights = rng.dirichlet(np.full(place.area.n, 0.3))
    for _ in range(rng.poisson(days * per_day)):
        day = first + timedelta(days=int(rng.integers(days)))
        cell = int(place.area.cells[rng.choice(place.area.n, p=weights)])
        group = GROUPS[int(rng.integers(len(GROUPS)))]
        known = at(day, 6) + timedelta(days=float(rng.exponential(3.0)))
        weight = int(rng.choice([ONE_INCIDENT, 333_333, 500_000]))
        setting = SETTINGS[int(rng.integers(len(SETTINGS)))]
        rows.append((day, cell, group, known, weight))
        settings.append(setting)
        if rng.random() < 0.1:
            rows.append((day, cell, group, known + timedelta(days=float(rng.exponential(20.0))), -weight))
            settings.append(setting)
    return ledger(rows, settings)


def naive_activity(frame: pl.DataFrame, place: Town, groups: Sequence[str], day: date) -> np.ndarray:
    """The root of one more than the incidents in each cell, as known at 05:00 on the first of the month."""
    anchor = month_start(day)
    counts = np.zeros(place.area.n)
    for occurred, cell, group, known_from, weight, _ in frame.iter_rows():
        known = occurred < anchor and known_from <= at(anchor, 5)
        if group in groups and known and h3.int_to_str(cell) in place.hexes:
            counts[place.hexes.index(h3.int_to_str(cell))] += weight / ONE_INCIDENT
    return np.sqrt(1 + counts)


def naive_surface(
    frame: pl.DataFrame, place: Town, kernel: DecayKernel, target: str, day: date, cut_off: datetime
) -> np.ndarray:
    """The definition of METHODS.md, one incident and one cell at a time, not yet divided by its sum."""
    scores = np.zeros(place.area.n)
    scores += kernel.uniform / place.area.n
    if kernel.cells is not None:
        for cell, rate in zip(kernel.cells.cells, kernel.cells.rates, strict=True):
            scores[place.hexes.index(h3.int_to_str(cell))] += rate
    activity = naive_activity(frame, place, kernel.activity, day)
    net: dict[tuple[str, str, str, date], int] = defaultdict(int)
    for occurred, cell, group, known_from, weight, setting in frame.iter_rows():
        if occurred < day and known_from <= cut_off and h3.int_to_str(cell) in place.hexes:
            net[(group, setting, h3.int_to_str(cell), occurred)] += weight
    for component in kernel.components:
        layer = np.zeros(place.area.n)
        for (group, setting, cell, occurred), weight in net.items():
            if component.source_setting not in {None, setting}:
                continue
            if group == (component.source_group or target) and weight:
                age = np.array([(day - occurred).days])
                decay = float(component.temporal.at(age)[0])
                layer += (
                    weight / ONE_INCIDENT * decay * naive_spread(place, component.spatial, cell, activity)
                )
        total = layer.sum()
        if kernel.mixture:
            layer = layer / total if total > 0 else layer
        scores += component.weight * layer
    return scores


_bells: dict[tuple[str, object, str], np.ndarray] = {}


def naive_spread(place: Town, spatial: object, cell: str, activity: np.ndarray) -> np.ndarray:
    key = (place.area.study_area_id, spatial, cell)
    if key not in _bells:
        rings = np.array([h3.grid_distance(cell, other) for other in place.hexes])
        centre = h3.cell_to_latlng(cell)
        metres = np.array(
            [h3.great_circle_distance(centre, h3.cell_to_latlng(o), unit="m") for o in place.hexes]
        )
        _bells[key] = spatial.at(rings, metres)  # type: ignore[attr-defined]
    weights = _bells[key] * activity if isinstance(spatial, Dasymetric) else _bells[key]
    return weights / weights.sum() if spatial.unit_mass else weights  # type: ignore[attr-defined]

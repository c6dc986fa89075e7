"""Areas: from a surface of scores to ranked patrol areas.

Belongs here: one problem per unit, and its solution as a frame that people can read. Not here: how the cells
are found (`search`), what limits them (`budgets`, `ground`), how things are said (`wording`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import polars as pl

from hotspot_assets.patrol.ground import Ground
from hotspot_assets.patrol.outlines import outline_wkt
from hotspot_assets.patrol.plans import Task
from hotspot_assets.patrol.search import best_areas
from hotspot_assets.patrol.wording import compass_part, numbered, why

ALL_DAY = "day"
"""Name of the only shift where shifts are off."""

SCHEMA: dict[str, pl.DataType] = {
    "forecast_date": pl.Date(),
    "shift": pl.String(),
    "unit": pl.String(),
    "offence_group": pl.String(),
    "rank": pl.Int32(),
    "area_id": pl.String(),
    "name": pl.String(),
    "cells": pl.List(pl.UInt64),
    "geometry": pl.String(),
    "area_km2": pl.Float64(),
    "share": pl.Float64(),
    "shift_share": pl.Float64(),
    "minutes": pl.Int32(),
    "tied": pl.Int32(),
    "why": pl.String(),
}
"""Columns of patrol areas before a forecast id is given to them."""


@dataclass(frozen=True)
class Evidence:
    """What is known besides the scores, to name areas and to give reasons.

    Attributes
    ----------
    counts
        Columns cell (UInt64), days (Int32), incidents (Float64): recorded within so many days of the cut-off.
    expected_total
        Expected incidents of the day in the study area.
    shift_share
        The shift's part of them.
    features
        Columns name (String), latitude, longitude (Float64): names to call areas by instead of compass parts.
    """

    counts: pl.DataFrame | None = None
    expected_total: float | None = None
    shift_share: float = 1.0
    features: pl.DataFrame | None = None


@dataclass(frozen=True, eq=False)
class _Surface:
    """One offence group's scores, aligned with the study area."""

    score: npt.NDArray[np.float64]
    rank: npt.NDArray[np.int64]


Solver = Callable[[Task], list[list[int]]]
Cells = list[npt.NDArray[np.int64]]
"""The cells of each area, as positions in the study area."""


def chosen_cells(surface: pl.DataFrame, ground: Ground, solver: Solver = best_areas) -> Cells:
    """The cells of each area in every unit: the costly part, alike for shifts with equal budgets.

    Parameters
    ----------
    surface
        Columns cell (UInt64), score (Float64, sums to 1), rank (integer, unique, 1 = highest).
    solver
        Another way to choose the cells, to compare with.

    Raises
    ------
    ValueError
        When the surface does not cover exactly the study area.
    """
    return [np.array(cells, dtype=np.int64) for cells in _chosen(_aligned(surface, ground), ground, solver)]


def patrol_areas(
    surface: pl.DataFrame,
    ground: Ground,
    forecast_date: date,
    offence_group: str,
    shift: str = ALL_DAY,
    evidence: Evidence | None = None,
    chosen: Cells | None = None,
) -> pl.DataFrame:
    """Ranked patrol areas of one offence group and shift, in every unit.

    `surface` is as in `chosen_cells`, whose result may be given as `chosen`.

    Returns
    -------
    Columns of `SCHEMA`: areas are connected, lie in one unit, do not overlap, and stay within the budget.
    Units in which nothing is expected have none.
    """
    known = evidence or Evidence()
    found = chosen_cells(surface, ground) if chosen is None else chosen
    if not found:
        return pl.DataFrame(schema=SCHEMA)
    frame = _measured(found, _aligned(surface, ground), ground)
    named = _named(frame, ground, known.features)
    told = _told(named, ground, offence_group, shift, known)
    return with_ids(
        told.with_columns(
            forecast_date=pl.lit(forecast_date),
            shift=pl.lit(shift),
            offence_group=pl.lit(offence_group),
            shift_share=pl.lit(known.shift_share),
            geometry=pl.Series([outline_wkt(cells.to_list()) for cells in told["cells"]], dtype=pl.String),
        )
    ).select(pl.col(name).cast(dtype) for name, dtype in SCHEMA.items())


def with_ids(areas: pl.DataFrame) -> pl.DataFrame:
    """The areas with an `area_id` each, unique within the day: unit, offence group, rank, and the shift if any."""
    day = pl.format("{}-{}-{}", "unit", "offence_group", "rank")
    of_shift = pl.when(pl.col("shift") == ALL_DAY).then(day).otherwise(pl.format("{}-{}", day, "shift"))
    return areas.with_columns(area_id=of_shift)


def _aligned(surface: pl.DataFrame, ground: Ground) -> _Surface:
    position = ground.area.index_of(surface["cell"].to_numpy())
    n = ground.area.n
    if len(position) != n or (position < 0).any() or np.bincount(position).max() > 1:
        raise ValueError("the surface must hold each cell of the study area once")
    score, rank = np.empty(n), np.empty(n, dtype=np.int64)
    score[position] = surface["score"].to_numpy()
    rank[position] = surface["rank"].to_numpy()
    return _Surface(score, rank)


def _chosen(scores: _Surface, ground: Ground, solver: Solver) -> Iterator[list[int]]:
    """The cells of each area, unit by unit."""
    eligible = np.flatnonzero(ground.open & (scores.score > 0))
    owner = np.zeros(ground.area.n, dtype=np.int64) if ground.budget.pooled else ground.unit_of
    ordered = eligible[np.lexsort((scores.rank[eligible], owner[eligible]))]
    starts = np.searchsorted(owner[ordered], np.arange(owner.max(initial=0) + 2))
    rank, prize, cost = scores.rank.tolist(), scores.score.tolist(), ground.area.area_km2.tolist()
    for code in range(len(starts) - 1):
        order = ordered[starts[code] : starts[code + 1]].tolist()
        limit_km2 = ground.pooled_km2 if ground.budget.pooled else ground.limit_km2(code)
        most = (ground.budget if ground.budget.pooled else ground.budgets[code]).most_areas
        if order:
            yield from solver(Task(order, rank, prize, cost, limit_km2, most, ground.terrain))


def _measured(found: list[npt.NDArray[np.int64]], scores: _Surface, ground: Ground) -> pl.DataFrame:
    """Areas with their sums, ranked within their unit."""
    chosen = np.zeros(ground.area.n, dtype=bool)
    chosen[np.concatenate(found)] = True
    unit_codes = [int(ground.unit_of[cells[0]]) for cells in found]
    ids = [ground.area.cells[cells] for cells in found]
    return (
        pl.DataFrame(
            {
                "unit": [ground.units[code] for code in unit_codes],
                "unit_code": unit_codes,
                "positions": [cells.tolist() for cells in found],
                "cells": pl.Series(ids, dtype=pl.List(pl.UInt64)),
                "area_km2": [float(ground.area.area_km2[cells].sum()) for cells in found],
                "share": [float(scores.score[cells].sum()) for cells in found],
                "best": [int(scores.rank[cells].min()) for cells in found],
                "tied": [_tied(cells, scores, ground, chosen) for cells in found],
                "minutes": [ground.budgets[code].minutes_per_area for code in unit_codes],
            }
        )
        .sort("unit", pl.col("share") * -1, "best")
        .with_columns(rank=pl.int_range(1, pl.len() + 1, dtype=pl.Int32).over("unit"))
    )


def _tied(
    cells: npt.NDArray[np.int64], scores: _Surface, ground: Ground, chosen: npt.NDArray[np.bool_]
) -> int:
    """Cells of the unit that share the area's least score, if chance decided among them; else 0."""
    values = scores.score[cells]
    least = values[values > 0].min(initial=np.inf)
    unit = ground.unit_of[cells[0]]
    band = (scores.score == least) & (ground.unit_of == unit) & ground.open
    return int(band.sum()) if (band & ~chosen).any() else 0


def _named(frame: pl.DataFrame, ground: Ground, features: pl.DataFrame | None) -> pl.DataFrame:
    """With a name, unique within the unit."""
    lat, lng = ground.area.centres
    names: list[str] = []
    for unit, rows in frame.group_by("unit_code", maintain_order=True):
        in_unit = ground.unit_of == unit[0]
        labels = []
        for positions in rows["positions"]:
            here = float(lat[positions].mean()), float(lng[positions].mean())
            place = _nearest(features, *here) or compass_part(*here, lat[in_unit], lng[in_unit])
            labels.append(f"{ground.units[unit[0]]}, {place}")
        names.extend(numbered(labels))
    return frame.with_columns(name=pl.Series(names, dtype=pl.String))


def _nearest(features: pl.DataFrame | None, lat: float, lng: float) -> str | None:
    if features is None or features.is_empty():
        return None
    shrink = np.cos(np.radians(lat))
    away = (features["latitude"] - lat) ** 2 + ((features["longitude"] - lng) * shrink) ** 2
    return f"near {features['name'][int(away.arg_min() or 0)]}"


def _told(
    frame: pl.DataFrame, ground: Ground, offence_group: str, shift: str, known: Evidence
) -> pl.DataFrame:
    """With the sentence of reasons."""
    recorded = _recorded(frame, known.counts)
    total = ground.area.total_area_km2
    expected = None if known.expected_total is None else known.expected_total * known.shift_share
    counted = "incidents" if shift == ALL_DAY else "in this shift"
    sentences = [
        why(offence_group, share, km2, km2 / total, recorded[row], expected, counted)
        for row, (share, km2) in enumerate(frame.select("share", "area_km2").iter_rows())
    ]
    return frame.with_columns(why=pl.Series(sentences, dtype=pl.String))


def _recorded(frame: pl.DataFrame, counts: pl.DataFrame | None) -> list[list[tuple[int, float]]]:
    """Per area: pairs of days and incidents, for every window in `counts`."""
    if counts is None or counts.is_empty():
        return [[] for _ in range(frame.height)]
    windows = counts["days"].unique().sort().to_list()
    wide = (
        frame.select("cells")
        .with_row_index("row")
        .explode("cells")
        .join(counts, left_on="cells", right_on="cell")
        .group_by("row", "days")
        .agg(pl.col("incidents").sort().sum())
    )
    sums = {(row, days): incidents for row, days, incidents in wide.iter_rows()}
    return [[(days, sums.get((row, days), 0.0)) for days in windows] for row in range(frame.height)]

"""Ground: what stays the same from day to day, laid out once for the search.

Belongs here: which cells may be patrolled, in which unit they lie, and which lie beside, around and too near
to which. Not here: scores and the choice among cells (`areas`, `search`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from math import ceil, sqrt

import numpy as np
import numpy.typing as npt
import polars as pl

from hotspot_assets.hexgrid.neighbours import Neighbours
from hotspot_assets.hexgrid.study_areas import StudyArea
from hotspot_assets.patrol.budgets import Budget, BudgetError
from hotspot_assets.patrol.plans import Terrain

NO_UNIT = -1
WHOLE_AREA = "whole area"
"""Name of the only unit where no units are given."""

NO_EXCLUSIONS = pl.DataFrame(schema={"cell": pl.UInt64, "reason": pl.String})


@dataclass(frozen=True, eq=False)
class Ground:
    """Cells, units and nearness under one budget; made by `lay_ground`.

    Attributes
    ----------
    units
        Names, ascending; `unit_of` (int64[n]) indexes them, `NO_UNIT` where a cell lies in none.
    unit_km2
        float64 per unit, excluded cells included: what a budget's share is a share of.
    open
        bool[n]: in a unit and not excluded.
    terrain
        Nearness among open cells, for the search.
    """

    area: StudyArea
    budget: Budget
    units: tuple[str, ...]
    unit_of: npt.NDArray[np.int64]
    unit_km2: npt.NDArray[np.float64]
    open: npt.NDArray[np.bool_]
    terrain: Terrain


def rings_needed(area: StudyArea, budget: Budget) -> int:
    """Rings that the neighbours must reach for this budget's radius and separation.

    Rings of a hexagonal grid are never closer than 0.866 of the spacing each, and the spacing follows from
    the area of the smallest cell; a tenth is added for the distortion of the grid.
    """
    spacing_m = 1000.0 * sqrt(float(area.area_km2.min()) * 2 / sqrt(3))
    farthest_m = max(budget.max_radius_m, budget.min_separation_m)
    return max(1, ceil(1.1 * farthest_m / (spacing_m * sqrt(3) / 2)))


def lay_ground(
    area: StudyArea,
    near: Neighbours,
    budget: Budget,
    units: pl.DataFrame | None = None,
    exclusions: pl.DataFrame = NO_EXCLUSIONS,
) -> Ground:
    """Lay out the ground for one budget.

    Parameters
    ----------
    units
        Columns cell (UInt64), unit (String); cells that are absent are not patrolled. None: the whole study
        area is one unit.
    exclusions
        Columns cell (UInt64), reason (String): cells that are not patrolled.

    Raises
    ------
    BudgetError
        When the neighbours do not reach as far as the radius or the separation.
    """
    if near.study_area_id != area.study_area_id:
        raise ValueError("the neighbours were made for another study area")
    needed = rings_needed(area, budget)
    if near.max_ring < needed:
        raise BudgetError(
            f"A radius of {budget.max_radius_m:g} m and a separation of {budget.min_separation_m:g} m need"
            f" {needed} rings of neighbours; these have {near.max_ring}. Lower them, or build more rings."
        )
    names, unit_of = _units(area, units)
    is_open = unit_of != NO_UNIT
    shut = area.index_of(exclusions["cell"].to_numpy())
    is_open[shut[shut >= 0]] = False
    unit_km2 = np.array([area.area_km2[unit_of == code].sum() for code in range(len(names))])
    return Ground(area, budget, names, unit_of, unit_km2, is_open, _terrain(near, budget, unit_of, is_open))


def _units(area: StudyArea, units: pl.DataFrame | None) -> tuple[tuple[str, ...], npt.NDArray[np.int64]]:
    if units is None:
        return (WHOLE_AREA,), np.zeros(area.n, dtype=np.int64)
    known = units.drop_nulls("unit").select("cell", "unit")
    names = known["unit"].unique().sort()
    unit_of = np.full(area.n, NO_UNIT, dtype=np.int64)
    position = area.index_of(known["cell"].to_numpy())
    code = names.search_sorted(known["unit"]).to_numpy().astype(np.int64)
    unit_of[position[position >= 0]] = code[position >= 0]
    return tuple(names), unit_of


def _terrain(
    near: Neighbours, budget: Budget, unit_of: npt.NDArray[np.int64], is_open: npt.NDArray[np.bool_]
) -> Terrain:
    columns, ends = near.ring.indices, near.ring.indptr
    rows = np.repeat(np.arange(len(unit_of)), np.diff(ends))
    both_open = is_open[rows] & is_open[columns]
    same_unit = both_open & (unit_of[rows] == unit_of[columns])
    metres = near.distance_m.data
    rivals = both_open if budget.pooled else same_unit
    too_near = rivals & (metres < budget.min_separation_m) & (rows != columns)
    return Terrain(
        adjacent=cache(_lister(rows, columns, same_unit & (near.ring.data == 2))),
        ball=cache(_setter(_lister(rows, columns, same_unit & (metres <= budget.max_radius_m)))),
        crowd=cache(_lister(rows, columns, too_near)),
    )


def _lister(
    rows: npt.NDArray[np.int64], columns: npt.NDArray[np.int32], kept: npt.NDArray[np.bool_]
) -> Callable[[int], list[int]]:
    """Function from a row to the list of its kept columns."""
    found = columns[kept]
    ends = np.searchsorted(rows[kept], np.arange(rows[-1] + 2))
    return lambda row: found[ends[row] : ends[row + 1]].tolist()


def _setter(lister: Callable[[int], list[int]]) -> Callable[[int], frozenset[int]]:
    return lambda row: frozenset(lister(row))


def exclusion_effect(surface: pl.DataFrame, area: StudyArea, exclusions: pl.DataFrame) -> pl.DataFrame:
    """What exclusions cost: reason, cells (Int64), area_km2, share of the offence group's expected incidents.

    A cell with two reasons counts under each.
    """
    sizes = pl.DataFrame({"cell": area.cells, "area_km2": area.area_km2})
    return (
        exclusions.unique(["cell", "reason"])
        .join(sizes, on="cell")
        .join(surface.select("cell", "score"), on="cell", how="left")
        .group_by("reason")
        .agg(
            cells=pl.len().cast(pl.Int64),
            area_km2=pl.col("area_km2").sort().sum(),
            share=pl.col("score").fill_null(0.0).sort().sum(),
        )
        .sort("reason")
    )

"""Ground: what stays the same from day to day, laid out once for the search.

Belongs here: which cells may be patrolled, in which unit they lie, and which lie beside, around and too near
to which. Not here: scores and the choice among cells (`areas`, `search`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
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
    """Cells, units and nearness under the budgets of one shift; made by `lay_ground`.

    Attributes
    ----------
    budget
        The common budget; `budgets` has that of each unit, which is mostly the same.
    units
        Names, ascending; `unit_of` (int64[n]) indexes them, `NO_UNIT` where a cell lies in none.
    unit_km2
        float64 per unit, excluded cells included: what a budget's share is a share of.
    open
        bool[n]: in a unit and not excluded.
    near
        Neighbours as far as any budget asks.
    """

    area: StudyArea
    budget: Budget
    budgets: tuple[Budget, ...]
    units: tuple[str, ...]
    unit_of: npt.NDArray[np.int64]
    unit_km2: npt.NDArray[np.float64]
    open: npt.NDArray[np.bool_]
    near: Neighbours

    @cached_property
    def terrain(self) -> Terrain:
        """Nearness among open cells: for the search, which not all who need the ground go on to."""
        return _terrain(self)

    def budget_of(self, unit: str) -> Budget:
        """The budget of a unit by its name."""
        return self.budgets[self.units.index(unit)]

    def limit_km2(self, code: int) -> float:
        """Most km2 that the areas of a unit (its index) may cover: a share of a small unit buys one cell."""
        return max(self.budgets[code].limit_km2(float(self.unit_km2[code])), self.one_cell_km2)

    @property
    def pooled_km2(self) -> float:
        """Most km2 that all areas together may cover where the budget is pooled."""
        return max(self.budget.limit_km2(float(self.unit_km2.sum())), self.one_cell_km2)

    @property
    def one_cell_km2(self) -> float:
        """What any one cell needs: a hair more than the largest, as sums must not fail by rounding."""
        return float(self.area.area_km2.max()) * (1 + 1e-9)


def rings_needed(area: StudyArea, budget: Budget) -> int:
    """Rings that the neighbours must reach for this budget's radius and separation.

    Rings of a hexagonal grid are never closer than 0.866 of the spacing each.
    """
    farthest_m = max(budget.max_radius_m, budget.min_separation_m)
    return max(1, ceil(farthest_m / (area.least_spacing_m * sqrt(3) / 2)))


def lay_ground(
    area: StudyArea,
    near: Neighbours,
    budget: Budget,
    units: pl.DataFrame | None = None,
    exclusions: pl.DataFrame = NO_EXCLUSIONS,
    own: Mapping[str, Budget] | None = None,
) -> Ground:
    """Lay out the ground for the budgets of one shift.

    Parameters
    ----------
    units
        Columns cell (UInt64), unit (String); cells that are absent are not patrolled. None: the whole study
        area is one unit.
    exclusions
        Columns cell (UInt64), reason (String): cells that are not patrolled.
    own
        Budgets of the units that have one of their own.

    Raises
    ------
    BudgetError
        When the neighbours do not reach as far as a radius or a separation, when a budget in km2 buys no cell,
        when a budget is for a unit that does not exist, or when no cell lies in a unit.
    """
    if near.study_area_id != area.study_area_id:
        raise ValueError("the neighbours were made for another study area")
    names, unit_of = _units(area, units)
    budgets = _budgets(names, budget, own or {})
    for name, each in {"any unit": budget, **dict(zip(names, budgets, strict=True))}.items():
        _check(name, each, area, near)
    is_open = unit_of != NO_UNIT
    shut = area.index_of(exclusions["cell"].to_numpy())
    is_open[shut[shut >= 0]] = False
    unit_km2 = np.array([area.area_km2[unit_of == code].sum() for code in range(len(names))])
    return Ground(area, budget, budgets, names, unit_of, unit_km2, is_open, near)


def _budgets(names: tuple[str, ...], budget: Budget, own: Mapping[str, Budget]) -> tuple[Budget, ...]:
    unknown = sorted(set(own) - set(names))
    if unknown:
        raise BudgetError(
            f"There is no unit {', '.join(unknown)} to have a budget of its own; units are called as in the"
            f" boundary file: {', '.join(names[:5])}{', ...' if len(names) > 5 else ''}."
        )
    return tuple(own.get(name, budget) for name in names)


def _check(unit: str, budget: Budget, area: StudyArea, near: Neighbours) -> None:
    """Raise BudgetError where no area could keep to the budget."""
    needed = rings_needed(area, budget)
    if near.max_ring < needed:
        raise BudgetError(
            f"A radius of {budget.max_radius_m:g} m and a separation of {budget.min_separation_m:g} m need"
            f" {needed} rings of neighbours; these have {near.max_ring}. Lower them, or build more rings."
        )
    cell_km2 = float(area.area_km2.max())
    if budget.km2 is not None and budget.km2 < cell_km2:
        raise BudgetError(
            f"A budget of {budget.km2:g} km2 for {unit} buys no cell, as one has up to {cell_km2:.4f} km2;"
            " raise it, or choose smaller cells (grid.resolution)."
        )


def _units(area: StudyArea, units: pl.DataFrame | None) -> tuple[tuple[str, ...], npt.NDArray[np.int64]]:
    if units is None:
        return (WHOLE_AREA,), np.zeros(area.n, dtype=np.int64)
    known = units.drop_nulls("unit").select("cell", "unit")
    names = known["unit"].unique().sort()
    if names.is_empty():
        raise BudgetError(
            "No cell lies in any unit: do the units file and the incidents belong to the same place?"
        )
    unit_of = np.full(area.n, NO_UNIT, dtype=np.int64)
    position = area.index_of(known["cell"].to_numpy())
    code = names.search_sorted(known["unit"]).to_numpy().astype(np.int64)
    unit_of[position[position >= 0]] = code[position >= 0]
    return tuple(names), unit_of


def _terrain(ground: Ground) -> Terrain:
    near, unit_of, is_open, budgets = ground.near, ground.unit_of, ground.open, ground.budgets
    reach = max(rings_needed(ground.area, each) for each in {ground.budget, *budgets})
    in_reach = near.ring.data <= reach + 1
    rows = np.repeat(np.arange(len(unit_of)), np.diff(near.ring.indptr))[in_reach]
    columns, rings = near.ring.indices[in_reach], near.ring.data[in_reach]
    metres = near.metres(rows, columns)
    both_open = is_open[rows] & is_open[columns]
    same_unit = both_open & (unit_of[rows] == unit_of[columns])
    radius = np.array([each.max_radius_m for each in budgets])[unit_of[rows]]
    separation = np.array([each.min_separation_m for each in budgets])[unit_of[rows]]
    rivals = both_open if ground.budget.pooled else same_unit
    too_near = rivals & (metres < separation) & (rows != columns)
    return Terrain(
        adjacent=cache(_lister(rows, columns, same_unit & (rings == 2))),
        ball=cache(_setter(_lister(rows, columns, same_unit & (metres <= radius)))),
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
    sizes = pl.LazyFrame({"cell": area.cells, "area_km2": area.area_km2})
    return (
        exclusions.lazy()
        .unique(["cell", "reason"])
        .join(sizes, on="cell")
        .join(surface.lazy().select("cell", "score"), on="cell", how="left")
        .group_by("reason")
        .agg(
            cells=pl.len().cast(pl.Int64),
            area_km2=pl.col("area_km2").sort().sum(),
            share=pl.col("score").fill_null(0.0).sort().sum(),
        )
        .sort("reason")
        .collect()
    )

"""Small grounds and surfaces to test on, and an exact solver that knows nothing of the heuristic."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import h3
import numpy as np
import polars as pl
import shapely

from hotspot_assets.hexgrid.neighbours import neighbours
from hotspot_assets.hexgrid.study_areas import StudyArea, from_cells
from hotspot_assets.patrol.budgets import Budget
from hotspot_assets.patrol.ground import Ground, lay_ground, rings_needed

DAY = date(2014, 6, 2)
SPACING_M = 131.0
"""Distance between neighbouring centres at resolution 10 in Chicago, about."""


def town(rings: int = 3, lat: float = 41.85, lng: float = -87.65) -> StudyArea:
    disk = h3.grid_disk(h3.latlng_to_cell(lat, lng, 10), rings)
    return from_cells(np.array([int(cell, 16) for cell in disk], dtype=np.uint64), 10, "test")


def ground_of(
    area: StudyArea, budget: Budget, units: pl.DataFrame | None = None, exclusions: pl.DataFrame | None = None
) -> Ground:
    near = neighbours(area, rings_needed(area, budget))
    return lay_ground(area, near, budget, units, *([exclusions] if exclusions is not None else []))


def surface_of(area: StudyArea, prizes: np.ndarray, seed: int = 1) -> pl.DataFrame:
    """A surface that sums to 1, ranked with seeded ties."""
    score = prizes / prizes.sum()
    order = np.lexsort((np.random.default_rng(seed).permutation(area.n), -score))
    rank = np.empty(area.n, dtype=np.int32)
    rank[order] = np.arange(1, area.n + 1)
    return pl.DataFrame({"cell": area.cells, "score": score, "rank": rank})


def halves(area: StudyArea) -> pl.DataFrame:
    """Two units: west and east of the middle."""
    lng = np.array([h3.cell_to_latlng(f"{cell:x}")[1] for cell in area.cells])
    west = lng < np.median(lng)
    return pl.DataFrame({"cell": area.cells, "unit": np.where(west, "Westgate", "Eastgate")})


def metres(a: int, b: int) -> float:
    return h3.great_circle_distance(h3.cell_to_latlng(f"{a:x}"), h3.cell_to_latlng(f"{b:x}"), unit="m")


def connected(cells: list[int]) -> bool:
    left = {f"{cell:x}" for cell in cells}
    ends = [left.pop()]
    while ends:
        near = set(h3.grid_ring(ends.pop(), 1)) & left
        left -= near
        ends.extend(near)
    return not left


def faults(areas: pl.DataFrame, ground: Ground) -> list[str]:
    """Every promise that the areas break; computed from the cells alone."""
    found = []
    budget, area = ground.budget, ground.area
    unit_of = {int(cell): code for cell, code in zip(area.cells, ground.unit_of, strict=True)}
    size = {int(cell): float(km2) for cell, km2 in zip(area.cells, area.area_km2, strict=True)}
    taken: set[int] = set()
    for row in areas.iter_rows(named=True):
        cells = row["cells"]
        if not connected(cells):
            found.append(f"{row['area_id']} is in pieces")
        if taken & set(cells):
            found.append(f"{row['area_id']} overlaps")
        taken |= set(cells)
        if {ground.units[unit_of[cell]] for cell in cells} != {row["unit"]}:
            found.append(f"{row['area_id']} leaves its unit")
        radius = min(max(metres(anchor, cell) for cell in cells) for anchor in cells)
        if radius > budget.max_radius_m + 1e-6:
            found.append(f"{row['area_id']} is {radius:.0f} m wide")
        if abs(sum(size[cell] for cell in cells) - row["area_km2"]) > 1e-12:
            found.append(f"{row['area_id']} mistakes its area")
        if not shapely.from_wkt(row["geometry"]).is_valid:
            found.append(f"{row['area_id']} has no valid outline")
    for (unit,), rows in areas.group_by("unit"):
        limit = budget.limit_km2(ground.unit_km2[ground.units.index(str(unit))])
        one_cell = rows.height == 1 and len(rows["cells"][0]) == 1  # what a unit may have, however small
        if not one_cell and sum(size[cell] for cells in rows["cells"] for cell in cells) > limit:
            found.append(f"{unit} is over its budget")
        if rows.height > budget.most_areas:
            found.append(f"{unit} has too many areas")
        if rows["rank"].sort().to_list() != list(range(1, rows.height + 1)):
            found.append(f"{unit} is not ranked")
        by_rank = rows.sort("rank")["share"].to_list()
        if any(later > earlier + 1e-12 for earlier, later in pairwise(by_rank)):
            found.append(f"{unit} is ranked wrongly")
        sets = rows["cells"].to_list()
        for here, one in enumerate(sets):
            for other in sets[here + 1 :]:
                if min(metres(a, b) for a in one for b in other) < budget.min_separation_m - 1e-6:
                    found.append(f"{unit} has areas too near each other")
    return found


class Exact:
    """The optimum of a small town, by enumerating every connected set of cells and every choice of them."""

    def __init__(self, ground: Ground, score: np.ndarray) -> None:
        self.prize, self.size = score, ground.area.area_km2
        self.limit = ground.budget.limit_km2(float(ground.unit_km2[0]))
        self.areas = ground.budget.most_areas
        cells = [int(cell) for cell in ground.area.cells]
        n = len(cells)
        away = np.array([[metres(a, b) for b in cells] for a in cells])
        index = {f"{cell:x}": i for i, cell in enumerate(cells)}
        beside = [[index[near] for near in h3.grid_ring(text, 1) if near in index] for text in index]
        in_reach = [set(np.flatnonzero(away[i] <= ground.budget.max_radius_m)) for i in range(n)]
        too_near = [{i} | set(np.flatnonzero(away[i] < ground.budget.min_separation_m)) for i in range(n)]
        sets = [
            cells
            for cells in self._connected(n, beside)
            if any(cells <= in_reach[anchor] for anchor in cells)
        ]
        self.worth = np.array([sum(self.prize[list(cells)]) for cells in sets])
        order = np.argsort(-self.worth)
        self.worth = self.worth[order]
        self.km2 = np.array([sum(self.size[list(cells)]) for cells in sets])[order]
        self.mask = np.array([sum(1 << i for i in cells) for cells in sets], dtype=np.uint64)[order]
        blocked = [sum(1 << i for i in set().union(*(too_near[i] for i in cells))) for cells in sets]
        self.blocked = np.array(blocked, dtype=np.uint64)[order]

    def _connected(self, n: int, beside: list[list[int]]) -> set[frozenset[int]]:
        most = int(self.limit / self.size.min())
        layer = {frozenset([i]) for i in range(n)}
        found = set(layer)
        for _ in range(most - 1):
            layer = {cells | {j} for cells in layer for i in cells for j in beside[i] if j not in cells}
            found |= layer
        return found

    def value(self) -> float:
        self.best = 0.0
        self._choose(0, np.uint64(0), 0.0, 0.0, self.areas)
        return self.best

    def _choose(self, start: int, blocked: np.uint64, worth: float, km2: float, left: int) -> None:
        self.best = max(self.best, worth)
        if left == 0:
            return
        fits = ((self.mask[start:] & blocked) == 0) & (self.km2[start:] + km2 <= self.limit)
        for at in np.flatnonzero(fits) + start:
            if worth + left * self.worth[at] <= self.best:
                break
            self._choose(
                at + 1, blocked | self.blocked[at], worth + self.worth[at], km2 + self.km2[at], left - 1
            )

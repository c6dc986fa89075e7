"""Plans: areas under construction, and the steps that keep them within all limits.

Belongs here: what a problem is, and adding or giving up one cell. Not here: which cell to add (`search`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import inf


@dataclass(frozen=True)
class Terrain:
    """Where areas may lie; everything is by cell index, and only allowed cells of the same unit occur.

    `adjacent(i)` are the cells that share an edge with i; `ball(i)` those within the radius of i, itself
    included; `crowd(i)` those nearer to i than the separation, itself left out.
    """

    adjacent: Callable[[int], Sequence[int]]
    ball: Callable[[int], frozenset[int]]
    crowd: Callable[[int], Sequence[int]]


@dataclass(frozen=True)
class Task:
    """One unit's problem: its cells with a score above zero in order of rank, values per cell, and limits.

    `prize`, `cost_km2` and `rank` are indexed by cell; `rank` is unique and 1 has the highest prize.
    """

    order: Sequence[int]
    rank: Sequence[int]
    prize: Sequence[float]
    cost_km2: Sequence[float]
    budget_km2: float
    areas: int
    terrain: Terrain


Joined = tuple[set[int], set[int]]  # areas that a cell joins, and the possible anchors then


@dataclass
class Plan:
    """A set of areas being built: cells and possible anchors of each, and who owns a cell."""

    cells: dict[int, set[int]] = field(default_factory=dict)
    anchors: dict[int, set[int]] = field(default_factory=dict)
    owner: dict[int, int] = field(default_factory=dict)
    spent: float = 0.0
    value: float = 0.0
    next_id: int = 0

    def copy(self) -> Plan:
        """A plan of its own; the sets of cells are shared, as no step changes one in place."""
        return Plan(
            dict(self.cells), dict(self.anchors), dict(self.owner), self.spent, self.value, self.next_id
        )


class Steps:
    """Steps on the plans of one task: each keeps to all limits, or changes nothing."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.least_km2 = min((task.cost_km2[cell] for cell in task.order), default=inf)
        self.limit_km2 = task.budget_km2 - 1e-12  # sums in another order must not exceed the budget

    def joined(self, plan: Plan, cell: int, areas: int, limit_km2: float) -> Joined | None:
        """Areas that the cell would join, and the possible anchors then; None where it fits nowhere."""
        task, owner = self.task, plan.owner
        if cell in owner or plan.spent + task.cost_km2[cell] > limit_km2:
            return None
        touching = {owner[near] for near in task.terrain.adjacent(cell) if near in owner}
        crowding = {owner[near] for near in task.terrain.crowd(cell) if near in owner}
        if crowding - touching:
            return None
        if len(touching) > 1:
            anchors = self.anchors({cell}.union(*(plan.cells[area] for area in touching)))
            if anchors:
                return touching, anchors
        for area in sorted(touching):
            if crowding - {area}:
                continue
            anchors = {anchor for anchor in plan.anchors[area] if cell in task.terrain.ball(anchor)}
            if plan.cells[area] <= task.terrain.ball(cell):
                anchors.add(cell)
            if anchors:
                return {area}, anchors
        return (set(), {cell}) if len(plan.cells) < areas and not crowding else None

    def anchors(self, cells: set[int]) -> set[int]:
        """Cells from which all the others lie within the radius."""
        return {cell for cell in cells if cells <= self.task.terrain.ball(cell)}

    def put(self, plan: Plan, cell: int, joined: Joined) -> None:
        """Add a cell where `joined` found room for it."""
        touching, anchors = joined
        merged = {cell}.union(*(plan.cells.pop(area) for area in touching))
        for area in touching:
            del plan.anchors[area]
        self._own(plan, merged, anchors)
        plan.spent += self.task.cost_km2[cell]
        plan.value += self.task.prize[cell]

    def take_away(self, plan: Plan, cell: int) -> bool:
        """Give up a cell; False, and no change, where what remains would break a limit."""
        area = plan.owner[cell]
        parts = self.parts(plan.cells[area] - {cell})
        if len(plan.cells) - 1 + len(parts) > self.task.areas or self._crowded(parts):
            return False
        anchors = [self.anchors(part) for part in parts]
        if not all(anchors):
            return False
        del plan.cells[area], plan.anchors[area], plan.owner[cell]
        for part, of_part in zip(parts, anchors, strict=True):
            self._own(plan, part, of_part)
        plan.spent -= self.task.cost_km2[cell]
        plan.value -= self.task.prize[cell]
        return True

    def _own(self, plan: Plan, cells: set[int], anchors: set[int]) -> None:
        plan.cells[plan.next_id], plan.anchors[plan.next_id] = cells, anchors
        plan.owner.update(dict.fromkeys(cells, plan.next_id))
        plan.next_id += 1

    def merge_touching(self, plan: Plan) -> None:
        """Make areas that touch one, where the radius allows."""
        for cell in sorted(plan.owner):
            for near in self.task.terrain.adjacent(cell):
                here, there = plan.owner[cell], plan.owner.get(near, plan.owner[cell])
                if here != there:
                    merged = plan.cells[here] | plan.cells[there]
                    anchors = self.anchors(merged)
                    if anchors:
                        for area in (here, there):
                            del plan.cells[area], plan.anchors[area]
                        self._own(plan, merged, anchors)

    def parts(self, cells: set[int]) -> list[set[int]]:
        """Connected parts of a set of cells."""
        left, found = set(cells), []
        while left:
            start = min(left)
            left.discard(start)
            part, ends = {start}, [start]
            while ends:
                for near in self.task.terrain.adjacent(ends.pop()):
                    if near in left:
                        left.discard(near)
                        part.add(near)
                        ends.append(near)
            found.append(part)
        return found

    def _crowded(self, parts: list[set[int]]) -> bool:
        crowd = self.task.terrain.crowd
        whole = set().union(*parts)
        return any(near in whole - part for part in parts for cell in part for near in crowd(cell))

    def put_path(self, plan: Plan, path: Sequence[int], limit_km2: float) -> bool:
        """Add the cells of a path in turn; False, and a plan to throw away, where one fits nowhere."""
        for cell in path:
            joined = self.joined(plan, cell, self.task.areas, limit_km2)
            if joined is None:
                return False
            self.put(plan, cell, joined)
        return True

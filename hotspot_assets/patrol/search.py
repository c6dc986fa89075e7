"""Search: connected sets of cells that hold as much expected crime as a budget can buy.

Belongs here: the optimisation, on cell indices. Not here: frames, names, units (`areas`).

The problem: choose at most k disjoint connected sets of cells, each within a radius of one of its own cells,
apart from each other, with a total area within the budget, so that the sum of their scores is largest. With
k = 1 it is a budgeted maximum-weight connected subgraph, which is NP-hard, so the method is a heuristic whose
distance from the optimum is measured in the tests:

1. **Starts.** Plain greedy (cells by rank, taken where they fit); areas grown within the discs that expect
   most; and the best of greedy with fewer areas and of growth from other first cells. Growth adds the short
   path with the most expected per cell among those that fit when it comes to them, so it crosses an empty cell to
   reach a full one.
2. **Local search** on each start, first improvement: *swap* a cell for what fits best without it; *reach* for
   a high cell outside by the best short path, then give up the least cells until the budget holds; *move* an
   area: drop it, or join two by a cell between them, and begin one elsewhere. It ends when nothing improves,
   after a fixed amount of work, or when the bound is met: no choice beats the best cells that the budget buys
   with no regard to connection.

Every step is in one fixed order (rank breaks ties), so equal input gives equal areas. The result is never
worse than plain greedy, which is one of the starts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from heapq import heapify, heappop, heappush
from itertools import chain, filterfalse
from math import inf

from hotspot_assets.patrol.plans import Plan, Steps, Task

_GAIN = 1e-12  # a smaller gain is rounding
_REACH_STEPS = 3  # cells on the longest path to a high cell outside, that cell included
_SEEDS = 8  # first cells tried, twice over
_STARTS = 3  # plans improved, plain greedy among them
_DISC_SEEDS = 40  # cells whose discs are compared, per area
_TARGETS = 16  # high cells outside that are tried in each round
_MOVE_TARGETS = 6  # and with an area given up for them
_WORK = 4_000  # cells in all plans tried from one start, at most
_GROWTH = 600_000  # first cells tried, times the square of how many cells the budget buys, at most


_Way = tuple[float, int, tuple[int, ...]]  # a path: less its prizes per cell, rank of its end, its cells
_Layer = dict[int, tuple[float, tuple[int, ...]]]  # cells one step further out: prizes on the path, its cells


def best_areas(task: Task) -> list[list[int]]:
    """Cells of each area, ascending; the areas in no particular order. None, if nothing fits."""
    search = Search(task)
    bound = search.bound()
    best = Plan()
    for start in search.starts():
        if best.value >= bound - _GAIN:
            break
        best = max(best, search.improve(start, bound), key=lambda plan: plan.value)
    search.merge_touching(best)
    return [sorted(cells) for cells in search.fill(best, task.areas).cells.values()]


def greedy_areas(task: Task) -> list[list[int]]:
    """Plain greedy, to be compared with: cells by rank, each taken where it fits."""
    return [sorted(cells) for cells in Search(task).fill(Plan(), task.areas).cells.values()]


class Search(Steps):
    """The steps and moves on the plans of one task."""

    def bound(self) -> float:
        """No plan is worth more: the best cells, as many as could be bought if all were the smallest."""
        return sum(self.task.prize[cell] for cell in self.task.order[: self.affordable])

    @property
    def affordable(self) -> int:
        """How many cells could be bought if all were the smallest."""
        return self._room(self.limit_km2)

    def _room(self, km2: float) -> int:
        """How many cells could be bought for so much, if all were the smallest."""
        return int(km2 / self.least_km2 + 1e-9)

    def starts(self) -> Iterator[Plan]:
        """Plans to improve: plain greedy, discs, then the best with fewer areas or another first cell."""
        most = self.task.areas
        seen: set[frozenset[int]] = set()
        for first in (self.fill(Plan(), most), self.discs()):
            if frozenset(first.owner) not in seen:
                seen.add(frozenset(first.owner))
                yield first
        others = [self.fill(Plan(), areas) for areas in {(most + 1) // 2, 1} - {most}]
        for cell in self._seeds()[: _GROWTH // max(1, self.affordable) ** 2]:
            seeded = Plan()
            if self.put_path(seeded, [cell], self.limit_km2):
                others.append(self.fill(self.grow(seeded, self.limit_km2), most))
        for plan in sorted(others, key=lambda each: -each.value):
            cells = frozenset(plan.owner)
            if len(seen) < _STARTS and cells not in seen:
                seen.add(cells)
                yield plan

    def discs(self) -> Plan:
        """Areas around the cells whose discs expect most, each with its part of the budget."""
        prize, ball, areas = self.task.prize, self.task.terrain.ball, self.task.areas
        candidates = self.task.order[: _DISC_SEEDS * areas]
        plan, claimed = Plan(), set[int]()
        worth = {cell: sum(map(prize.__getitem__, ball(cell))) for cell in candidates}
        for number in range(1, areas + 1):
            anchor = max(worth, key=worth.__getitem__)
            if not self.put_path(plan, [anchor], self.limit_km2):
                break
            self.grow(plan, self.limit_km2 * number / areas, ball(anchor) - claimed)
            taken = ball(anchor) - claimed
            claimed |= taken
            for cell in worth:
                if not taken.isdisjoint(ball(cell)):
                    worth[cell] = sum(map(prize.__getitem__, filterfalse(claimed.__contains__, ball(cell))))
        return self.fill(plan, areas)

    def _seeds(self) -> list[int]:
        """First cells to try: those that expect most, alone or with the cells around them."""
        prize, adjacent = self.task.prize, self.task.terrain.adjacent
        high = list(self.task.order[:_SEEDS])
        around = sorted({near for cell in high for near in adjacent(cell)}.union(high))
        worth = {cell: prize[cell] + sum(prize[near] for near in adjacent(cell)) for cell in around}
        return list(dict.fromkeys(high + sorted(around, key=lambda cell: -worth[cell])[:_SEEDS]))

    # Moves: each returns a plan within all limits.

    def fill(self, plan: Plan, areas: int, barred: Collection[int] = ()) -> Plan:
        """Add cells to the plan, by rank, while any fits; fresh areas up to `areas`. Changes the plan."""
        task = self.task
        if plan.spent + self.least_km2 > self.limit_km2:
            return plan
        waiting = self._beside(plan)
        edge = [(task.rank[cell], cell) for cell in waiting]
        heapify(edge)
        fresh = iter(task.order)
        ahead = next(fresh, None)
        while plan.spent + self.least_km2 <= self.limit_km2:
            if len(plan.cells) >= areas:
                ahead = None
            if edge and (ahead is None or edge[0][0] <= task.rank[ahead]):
                cell = heappop(edge)[1]
                waiting.discard(cell)
            elif ahead is not None:
                cell, ahead = ahead, next(fresh, None)
            else:
                break
            if cell in plan.owner or cell in barred:
                continue
            joined = self.joined(plan, cell, areas, self.limit_km2)
            if joined is not None:
                self.put(plan, cell, joined)
                self._push(edge, waiting, plan, cell)
        return plan

    def grow(self, plan: Plan, limit_km2: float, within: AbstractSet[int] | None = None) -> Plan:
        """Add to the areas the short path with the most per cell, while any fits. Changes the plan.

        Where a path was added, only the ways out of its cells are looked at anew; all of them once none is left.
        """
        ways, added = self.ways_out(plan, plan.owner, limit_km2, within), False
        while (ways or added) and plan.spent + self.least_km2 <= limit_km2:
            if not ways:
                ways, added = self.ways_out(plan, plan.owner, limit_km2, within), False
            elif self._take_path(plan, path := heappop(ways)[-1], limit_km2):
                added = True
                for way in self.ways_out(plan, path, limit_km2, within):
                    heappush(ways, way)
        return plan

    def ways_out(
        self, plan: Plan, inside: Iterable[int], limit_km2: float, within: AbstractSet[int] | None = None
    ) -> list[_Way]:
        """Short paths out of some cells of the plan to a cell with a score, as a heap: most expected per cell first.

        To each cell the path with the best sum among the shortest; all of it lies outside the plan (and in `within`).
        Longer paths than the budget buys are not looked for.
        """
        prize, rank, adjacent, owner = self.task.prize, self.task.rank, self.task.terrain.adjacent, plan.owner
        layer: _Layer = {cell: (0.0, ()) for cell in inside if within is None or cell in within}
        ways: list[_Way] = []
        seen: set[int] = set()
        for steps in range(1, min(_REACH_STEPS, self._room(limit_km2 - plan.spent)) + 1):
            further: _Layer = {}
            for cell, (worth, path) in layer.items():
                for near in adjacent(cell):
                    if near in owner or near in seen or (within is not None and near not in within):
                        continue
                    gained = worth + prize[near]
                    if near not in further or gained > further[near][0]:
                        further[near] = (gained, (*path, near))
            seen.update(further)
            ways += [
                (-worth / steps, rank[cell], path)
                for cell, (worth, path) in further.items()
                if prize[cell] > 0
            ]
            layer = further
        heapify(ways)
        return ways

    def _take_path(self, plan: Plan, path: Sequence[int], limit_km2: float) -> bool:
        """Add a path that leads out of the plan; False, and no change, where it does not fit."""
        if plan.spent + len(path) * self.least_km2 > limit_km2:
            return False
        first = self.joined(plan, path[0], self.task.areas, limit_km2)
        if first is None:
            return False
        trial = plan.copy()
        self.put(trial, path[0], first)
        if not self.put_path(trial, path[1:], limit_km2):
            return False
        plan.__dict__.update(trial.__dict__)
        return True

    def _beside(self, plan: Plan) -> set[int]:
        """The cells with a score beside the plan."""
        prize = self.task.prize
        near = set(chain.from_iterable(map(self.task.terrain.adjacent, plan.owner)))
        return {cell for cell in near - plan.owner.keys() if prize[cell] > 0}

    def _push(self, edge: list[tuple[int, int]], waiting: set[int], plan: Plan, cell: int) -> None:
        """Add the cells beside one to those that wait, by rank; one that waits already would only be tried twice."""
        prize, rank, owner = self.task.prize, self.task.rank, plan.owner
        for near in self.task.terrain.adjacent(cell):
            if prize[near] > 0 and near not in waiting and near not in owner:
                waiting.add(near)
                heappush(edge, (rank[near], near))

    def improve(self, plan: Plan, bound: float) -> Plan:
        """The plan after moves, each of which gained; a local optimum, or the best after `_WORK`."""
        left = _WORK
        gained = True
        while gained and left > 0 and plan.value < bound - _GAIN:
            gained = False
            for move in (self._swaps, self._paths_in, self._moves):
                for trial in move(plan):
                    left -= len(trial.owner)
                    if trial.value > plan.value + _GAIN:
                        plan, gained = trial, True
                        break
                    if left <= 0:
                        break
                if gained:
                    break
        return plan

    def _swaps(self, plan: Plan) -> Iterator[Plan]:
        """Plans that give up one cell for what fits best instead."""
        for cell in self._by_worth(plan):
            trial = plan.copy()
            if self.take_away(trial, cell):
                yield self.fill(trial, self.task.areas, {cell})

    def _paths_in(self, plan: Plan) -> Iterator[Plan]:
        """Plans that reach for a high cell outside, and give up the least cells for it."""
        prize, cost = self.task.prize, self.task.cost_km2
        least = [(prize[cell], cost[cell]) for cell in self._by_worth(plan)]
        for target in self._targets(plan, _TARGETS):
            for path in self._paths(plan, target):
                gain = sum(prize[cell] for cell in path)
                over = plan.spent + sum(cost[cell] for cell in path) - self.limit_km2
                for lost, freed in least:
                    if over <= 0 or gain <= 0:
                        break
                    gain, over = gain - lost, over - freed
                if gain > _GAIN:
                    yield from self._reaching(plan.copy(), path)

    def _moves(self, plan: Plan) -> Iterator[Plan]:
        """Plans that give up an area, or join two, and begin one elsewhere."""
        for area in plan.cells:
            yield self.fill(self._without(plan, area), self.task.areas, plan.cells[area])
        if len(plan.cells) < self.task.areas:
            return
        bases = [*self._bridged(plan), *(self._without(plan, area) for area in plan.cells)]
        for target in self._targets(plan, _MOVE_TARGETS):
            for base in bases:
                yield from self._reaching(base.copy(), [target])

    def _by_worth(self, plan: Plan) -> list[int]:
        """The plan's cells, the least first."""
        return sorted(plan.owner, key=lambda cell: -self.task.rank[cell])

    def _targets(self, plan: Plan, most: int) -> list[int]:
        """The highest cells outside."""
        found = []
        for cell in self.task.order:
            if cell not in plan.owner:
                found.append(cell)
                if len(found) == most:
                    break
        return found

    def _without(self, plan: Plan, area: int) -> Plan:
        trial = plan.copy()
        for cell in trial.cells.pop(area):
            del trial.owner[cell]
            trial.spent -= self.task.cost_km2[cell]
            trial.value -= self.task.prize[cell]
        del trial.anchors[area]
        return trial

    def _paths(self, plan: Plan, target: int) -> list[list[int]]:
        """Best short paths from an area to the target, one for each number of steps, and the target alone."""
        found = [[target]]
        reached = {target: (self.task.prize[target], [target])}
        for _ in range(_REACH_STEPS - 1):
            further: dict[int, tuple[float, list[int]]] = {}
            for cell, (worth, path) in reached.items():
                for near in self.task.terrain.adjacent(cell):
                    if near in plan.owner or near in path:
                        continue
                    gained = worth + self.task.prize[near]
                    if near not in further or gained > further[near][0]:
                        further[near] = (gained, [near, *path])
            reached = further
            touching = [
                entry
                for cell, entry in reached.items()
                if any(near in plan.owner for near in self.task.terrain.adjacent(cell))
            ]
            if touching:
                found.append(max(touching, key=lambda entry: entry[0])[1])
        return found

    def _reaching(self, plan: Plan, path: list[int]) -> Iterator[Plan]:
        """The plan with the path in it, filled and grown. Changes the plan."""
        if self.put_path(plan, path, inf) and self._trim(plan, path):
            yield self.fill(plan.copy(), self.task.areas)
            if plan.spent + 2 * self.least_km2 <= self.limit_km2:
                yield self.fill(self.grow(plan, self.limit_km2), self.task.areas)

    def _bridged(self, plan: Plan) -> Iterator[Plan]:
        """Plans in which one more cell joins areas into one; they may be over budget."""
        owner = plan.owner
        beside = {near for cell in owner for near in self.task.terrain.adjacent(cell) if near not in owner}
        for cell in sorted(beside, key=self.task.rank.__getitem__):
            joined = self.joined(plan, cell, self.task.areas, inf)
            if joined is not None and len(joined[0]) > 1:
                trial = plan.copy()
                self.put(trial, cell, joined)
                yield trial

    def _trim(self, plan: Plan, kept: list[int]) -> bool:
        """Give up the least cells until the budget holds; False where that cannot be done."""
        while plan.spent > self.limit_km2:
            if not any(cell not in kept and self.take_away(plan, cell) for cell in self._by_worth(plan)):
                return False
        return True

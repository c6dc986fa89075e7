"""The scoring engine: kernels in, one surface per day and offence group out.

Belongs here: the day's sum, in one order of operations, for one day or for years of them. Not here: ranking
(`ranking`), models (`catalogue`), writing (the warehouse).

The weights are applied before the spreading: for each spatial profile and target group, the decayed counts
of all source groups are first added up (weight x decay x count), and the sum is spread once. So a day costs
one pass over the state and one sparse product per spatial profile, with the target groups of several days as
columns. Days stream: memory does not grow with the length of the range.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby, pairwise

import numpy as np
import numpy.typing as npt

from hotspot_assets.forecasting.activity import Activity, activity_of_month
from hotspot_assets.forecasting.events import Events, month_start, require_covered
from hotspot_assets.forecasting.kernel import DecayKernel
from hotspot_assets.forecasting.profiles import FloatArray, SpatialProfile
from hotspot_assets.forecasting.profiles import to_json as profile_json
from hotspot_assets.forecasting.spatial import Spread
from hotspot_assets.forecasting.state import DecayedCounts, Row, sorted_rows
from hotspot_assets.hexgrid.neighbours import Neighbours
from hotspot_assets.hexgrid.study_areas import StudyArea
from hotspot_assets.intake.ahead import ahead

BLOCK_DAYS = 8
"""Days spread, and so made, together: enough to read the matrix once for many columns, and still small."""


@dataclass(frozen=True, eq=False)
class DaySurface:
    """Surfaces of one forecast date: `shares` (groups, cells) aligned with the study area, each summing to 1.

    `totals` is the sum of each surface before it was divided: incidents expected where the kernel was fitted
    to counts, otherwise a number without a unit. A group with nothing known has total 0 and shares of 0.
    """

    date: date
    groups: tuple[str, ...]
    shares: FloatArray
    totals: FloatArray

    def of(self, group: str) -> FloatArray:
        """The surface of one offence group, aligned with the study area's cells."""
        share: FloatArray = self.shares[self.groups.index(group)]
        return share


def score_days(
    events: Events,
    area: StudyArea,
    neighbours: Neighbours,
    kernels: Mapping[str, DecayKernel],
    first: date,
    last: date,
) -> Iterator[DaySurface]:
    """Surfaces of each forecast date first..last, in order; `kernels` by target offence group.

    Raises ValueError if events, area and neighbours do not belong together, or if the
    events do not cover the days from the anchor (first day of the month) of `first` up to `last`.
    """
    if not area.study_area_id == events.study_area_id == neighbours.study_area_id:
        raise ValueError("events and neighbours were made for another study area")
    if first > last:
        return
    require_covered(events, first, last)
    plan = Plan(kernels, area, neighbours)
    del neighbours  # large, and not needed while the days are scored
    for begin, end in _months(first, last):
        state = DecayedCounts(events, plan.rows, area.n, begin)
        activity = plan.activity(events, begin)
        days = [begin + timedelta(days=offset) for offset in range((end - begin).days + 1)]
        blocks = [days[start : start + BLOCK_DAYS] for start in range(0, len(days), BLOCK_DAYS)]
        # The next days are added up while these are spread.
        for block, sums in zip(blocks, ahead(plan.added_up(state, block) for block in blocks), strict=True):
            yield from plan.surfaces(activity, block, sums)


def _months(first: date, last: date) -> Iterator[tuple[date, date]]:
    begin = first
    while begin <= last:
        following = month_start(month_start(begin) + timedelta(days=31))
        yield begin, min(last, following - timedelta(days=1))
        begin = following


@dataclass(frozen=True)
class _Term:
    """One row of the state in one target's surface; `component` numbers the components of all targets."""

    target: int
    row: int
    coefficient: float
    component: int


class Layer:
    """All terms that share one spatial profile: rows of the state and weights, target by target."""

    def __init__(self, spatial: SpatialProfile, terms: list[_Term], neighbours: Neighbours) -> None:
        self.spread = Spread(spatial, neighbours)
        terms = sorted(terms, key=lambda term: (term.target, term.row, term.component))
        self.targets = np.array(sorted({term.target for term in terms}), dtype=np.int64)
        self.rows = np.array([term.row for term in terms], dtype=np.int32)
        self.coefficients = np.array([term.coefficient for term in terms])
        self.component = np.array([term.component for term in terms], dtype=np.int64)
        counts = np.bincount(np.searchsorted(self.targets, [term.target for term in terms]))
        self._ends = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)

    def row_masses(self, state: FloatArray, plain: FloatArray) -> FloatArray:
        """What each row of the state adds up to once spread; `plain` are the sums of the rows as they are."""
        masses = self.spread.masses
        return plain if masses is None else np.asarray((state * masses).sum(axis=1))

    def combine(self, weights: FloatArray, state: FloatArray) -> FloatArray:
        """Weighted sums of rows, one per target of this layer: shape (targets, cells)."""
        from scipy.sparse import csr_array

        matrix = csr_array((weights, self.rows, self._ends), shape=(len(self.targets), state.shape[0]))
        return np.asarray(matrix @ state)


class Plan:
    """Kernels laid out as rows of a state and layers of spatial profiles."""

    def __init__(self, kernels: Mapping[str, DecayKernel], area: StudyArea, neighbours: Neighbours) -> None:
        self.groups = tuple(sorted(kernels))
        self._active = _one_activity(kernels)
        self._cells = area.n
        self.backgrounds = [_background(kernels[group], area) for group in self.groups]
        parts = _parts(kernels, self.groups)
        self.rows = sorted_rows([part.row for part in parts])
        numbers = {row: number for number, row in enumerate(self.rows)}
        keys = {spatial: _spatial_key(spatial) for spatial in {part.spatial for part in parts}}
        by_spatial = sorted(parts, key=lambda part: keys[part.spatial])
        self.layers = [
            Layer(
                same[0].spatial,
                [_Term(part.target, numbers[part.row], part.coefficient, part.component) for part in same],
                neighbours,
            )
            for same in (
                list(grouped) for _, grouped in groupby(by_spatial, key=lambda part: keys[part.spatial])
            )
        ]
        weights = {part.component: part.weight for part in parts}
        mixtures = {part.component: part.mixture for part in parts}
        self._weights = np.array([weights[number] for number in sorted(weights)])
        self._mixture = np.array([mixtures[number] for number in sorted(mixtures)], dtype=np.bool_)

    def activity(self, events: Events, day: date) -> Activity:
        """What dasymetric components spread over on the days of a month."""
        return activity_of_month(events, self._active, day, self._cells)

    def added_up(self, state: DecayedCounts, days: list[date]) -> FloatArray:
        """Weighted sums of the state on consecutive days: a row for each layer, day and target of it, by cell.

        The state is stepped to the last of the days.
        """
        sums = np.empty((len(days) * sum(len(layer.targets) for layer in self.layers), self._cells))
        blocks = self._by_layer(sums, len(days))
        for number, day in enumerate(days):
            state.advance_to(day)
            for layer, weights, block in zip(self.layers, self.day_weights(state), blocks, strict=True):
                block[number] = layer.combine(weights, state.values)
        return sums

    def surfaces(self, activity: Activity, days: list[date], sums: FloatArray) -> Iterator[DaySurface]:
        """Surfaces of the days of which `added_up` gave the sums, which are spread where they stand."""
        blocks = self._by_layer(sums, len(days))
        for layer, block in zip(self.layers, blocks, strict=True):
            rows = block.reshape(-1, self._cells)
            rows[:] = layer.spread.over_all(activity, rows)
        for number, day in enumerate(days):
            yield self._surface(day, [block[number] for block in blocks])

    def _by_layer(self, sums: FloatArray, days: int) -> list[FloatArray]:
        """The sums of each layer: shape (days, targets, cells)."""
        ends = np.cumsum([0, *(days * len(layer.targets) for layer in self.layers)])
        return [sums[start:end].reshape(days, -1, self._cells) for start, end in pairwise(ends)]

    def day_weights(self, state: DecayedCounts) -> list[FloatArray]:
        """Weight of each term today, layer by layer; in a mixture divided by its component's sum."""
        scale = state.scale()
        terms = [layer.coefficients * scale[layer.rows] for layer in self.layers]
        if not self._mixture.any():
            return [
                term * self._weights[layer.component] for layer, term in zip(self.layers, terms, strict=True)
            ]
        plain = state.values.sum(axis=1)
        sums = np.zeros(len(self._weights))
        for layer, term in zip(self.layers, terms, strict=True):
            sums += np.bincount(
                layer.component,
                weights=term * layer.row_masses(state.values, plain)[layer.rows],
                minlength=len(sums),
            )
        divisors = np.where(self._mixture, sums, 1.0)
        shares = np.divide(self._weights, divisors, out=np.zeros_like(divisors), where=divisors > 0)
        return [term * shares[layer.component] for layer, term in zip(self.layers, terms, strict=True)]

    def _surface(self, day: date, spread: list[FloatArray]) -> DaySurface:
        shares = np.stack(self.backgrounds)
        for layer, block in zip(self.layers, spread, strict=True):
            for target, received in zip(layer.targets, block, strict=True):
                shares[target] += received  # where it stands: all targets at once would be copied twice
        totals = shares.sum(axis=1)
        np.divide(shares, totals[:, None], out=shares, where=totals[:, None] > 0)
        return DaySurface(day, self.groups, shares, totals)


@dataclass(frozen=True)
class _Part:
    """A component of one target, as far as one row of the state goes."""

    target: int
    component: int
    spatial: SpatialProfile
    row: Row
    coefficient: float
    weight: float
    mixture: bool


def _parts(kernels: Mapping[str, DecayKernel], groups: tuple[str, ...]) -> list[_Part]:
    numbered = [
        (target, component, kernels[group].mixture, component.source_group or group)
        for target, group in enumerate(groups)
        for component in kernels[group].components
        if component.weight > 0
    ]
    return [
        _Part(
            target,
            number,
            component.spatial,
            Row(source, memory, component.source_setting),
            coefficient,
            component.weight,
            mixture,
        )
        for number, (target, component, mixture, source) in enumerate(numbered)
        for coefficient, memory in component.temporal.memories()
    ]


def _one_activity(kernels: Mapping[str, DecayKernel]) -> tuple[str, ...]:
    found = {kernel.activity for kernel in kernels.values() if kernel.activity}
    if len(found) > 1:
        raise ValueError(
            "kernels scored together must be spread over the activity of the same offence groups"
        )
    return found.pop() if found else ()


def _spatial_key(spatial: SpatialProfile) -> tuple[str, ...]:
    return tuple(str(value) for value in profile_json(spatial).values())


def _background(kernel: DecayKernel, area: StudyArea) -> npt.NDArray[np.float64]:
    rates = np.full(area.n, kernel.uniform / area.n)
    if kernel.cells is not None:
        positions = area.index_of(np.array(kernel.cells.cells, dtype=np.uint64))
        inside = positions >= 0
        rates[positions[inside]] += np.array(kernel.cells.rates)[inside]
    return rates

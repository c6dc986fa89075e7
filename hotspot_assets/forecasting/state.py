"""Decayed counts: what is remembered of each offence group in each cell, carried from day to day.

Belongs here: the direct sum at an anchor, and the steps from one day to the next. Not here: spreading over
space (`spatial`) and weighting (`engine`).

One row per (offence group, memory), one column per cell, all float64. Rows of running counts hold integers
(millionths of an incident), which float64 adds and subtracts exactly: an incident that left leaves nothing.
Rows of decaying sums are held **as of the anchor**, that is, divided by exp(-(day - anchor) / tau), so that a
day's step touches only the cells where something arrived; `scale` brings them to a day. A cell whose
incidents lost weight (retracted, moved, amended) is summed anew, so nothing is left of them either.

Decaying sums start from the anchor, the first day of the month, whichever day is wanted, and take the same
steps in the same order; running counts are exact in any order, so they are counted on the first day wanted.
Either way a range equals its days one by one, bit for bit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from itertools import groupby, pairwise

import numpy as np
import numpy.typing as npt

from hotspot_assets.forecasting.events import (
    ONE_INCIDENT,
    Events,
    epoch_day,
    month_start,
    require_covered,
    stretch,
)
from hotspot_assets.forecasting.profiles import Count, Decay, FloatArray, Memory, decayed
from hotspot_assets.intake.ahead import in_threads
from hotspot_assets.intake.offences import SETTINGS

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Row:
    """One row of the state: an offence group, in one setting or (none) in all, and how it is remembered."""

    group: str
    memory: Memory
    setting: str | None = None

    @property
    def source(self) -> tuple[str, str]:
        """Offence group and setting, as something that can be sorted."""
        return self.group, self.setting or ""


def sorted_rows(rows: Sequence[Row]) -> tuple[Row, ...]:
    """Each row once, in one order whatever order they came in."""
    return tuple(sorted(set(rows), key=_order))


def _order(row: Row) -> tuple[str, str, int, float]:
    if isinstance(row.memory, Decay):
        return *row.source, 0, row.memory.tau_days
    return *row.source, 1, np.inf if row.memory.last_age is None else float(row.memory.last_age)


@dataclass(frozen=True, eq=False)
class _Entries:
    """Ledger entries of one source, sorted by cell and day: cell, day, known, weight aligned."""

    cell: npt.NDArray[np.int32]
    day: npt.NDArray[np.int32]
    known: npt.NDArray[np.int32]
    weight: IntArray

    def take(self, where: npt.NDArray[np.bool_] | IntArray | slice) -> _Entries:
        if not isinstance(where, slice) and where.dtype == np.bool_:
            where = np.flatnonzero(where)  # searched for once, not once per array
        return _Entries(self.cell[where], self.day[where], self.known[where], self.weight[where])


class DecayedCounts:
    """The state of all rows on one day, beginning on `first`.

    `values` has shape (rows, cells). Raises ValueError if the events do not cover the anchor.
    """

    def __init__(self, events: Events, rows: Sequence[Row], cells: int, first: date) -> None:
        require_covered(events, first, first)
        self.rows = sorted_rows(rows)
        self.month = month_start(first)
        self.anchor, self.today = epoch_day(self.month), epoch_day(first)
        self.values: FloatArray = np.empty((len(self.rows), cells))  # each source writes its rows whole
        memories = [row.memory for row in self.rows]
        self._taus = np.array([each.tau_days if isinstance(each, Decay) else np.inf for each in memories])
        by_source = [list(rows) for _, rows in groupby(enumerate(self.rows), lambda each: each[1].source)]
        self._sources = in_threads(lambda rows: _SourceState(events, rows, self), by_source)

    def advance_to(self, day: date) -> None:
        """Step to `day`, which lies in the anchor's month and not before today."""
        target = epoch_day(day)
        if target < self.today or month_start(day) != self.month:
            raise ValueError(f"{day} is not ahead in the month that begins on {self.month}")
        while self.today < target:
            self.today += 1
            for source in self._sources:
                source.step(self.today)

    def scale(self) -> FloatArray:
        """Factor per row that turns `values` into incidents as of today."""
        return np.exp((self.anchor - self.today) / self._taus) / ONE_INCIDENT


def daily_states(
    events: Events, rows: Sequence[Row], cells: int, first: date, last: date
) -> Iterator[tuple[date, DecayedCounts]]:
    """Each day first..last with the state a forecast for it has; the state is stepped, not copied."""
    state, day = None, first
    while day <= last:
        if state is None or month_start(day) != state.month:
            state = DecayedCounts(events, rows, cells, day)
        state.advance_to(day)
        yield day, state
        day += timedelta(days=1)


_LAST_DAY_OF_MONTH = 30
"""Days from the anchor to the last day of the longest month."""


class _SourceState:
    """Rows of one source, with their numbers, and the entries that will move them within the anchor's month."""

    def __init__(self, events: Events, rows: Sequence[tuple[int, Row]], state: DecayedCounts) -> None:
        self._all = _entries_of(events, rows[0][1])
        self._values = state.values
        self._anchor = anchor = state.anchor
        decays = {number: row.memory for number, row in rows if isinstance(row.memory, Decay)}
        counts = {number: row.memory for number, row in rows if isinstance(row.memory, Count)}
        self._decays, self._counts = list(decays), list(counts)
        self._last_ages = [memory.last_age for memory in counts.values()]
        if self._decays:
            self._tables = _DecayTables(
                [memory.tau_days for memory in decays.values()], self._all.day, anchor
            )
            self._sum_decays()
            self._catch_up(state.today)
        if self._counts:
            self._count_windows(state.today)

    @cached_property
    def _arrivals(self) -> _Entries:
        """Entries that become known during the month, by the day they do."""
        known = self._all.known
        arrivals = self._all.take((known > self._anchor) & (known <= self._anchor + _LAST_DAY_OF_MONTH))
        return arrivals.take(np.argsort(arrivals.known, kind="stable"))

    @cached_property
    def _counted(self) -> _Entries:
        """Entries that a running count holds or loses within the month, by day; a day alone needs none."""
        return _oldest_first(self._all, self._anchor, self._last_ages)

    def _sum_decays(self) -> None:
        known = _netted(self._all, self._anchor)
        # Cast once, not once per row.
        cell, weight = known.cell.astype(np.intp), known.weight.astype(np.float64)
        for number, decay in zip(self._decays, self._tables.of(known.day), strict=True):
            self._values[number] = np.bincount(cell, weight * decay, minlength=self._values.shape[1])

    def _catch_up(self, today: int) -> None:
        """Add all that arrived since the anchor at once; day by day only if some took away, as `step` does."""
        arrived = self._arrivals.take(stretch(self._arrivals.known, self._anchor + 1, today))
        if (arrived.weight > 0).all():
            self._step_decays(arrived, today)
        else:
            for day in range(self._anchor + 1, today + 1):
                self._step_decays(self._arrived(day), day)

    def _count_windows(self, today: int) -> None:
        """Windows come from short to long: each holds what the last does, and what is older than that."""
        longest = self._last_ages[-1]
        known = self._all.known <= today
        if longest is not None:
            known &= self._all.day >= today - longest
        where = np.flatnonzero(known)
        where, ends = _by_window(where, today - self._all.day[where], self._last_ages)
        cell, weight = self._all.cell[where].astype(np.intp), self._all.weight[where].astype(np.float64)
        counts = np.zeros(self._values.shape[1])
        for number, (start, end) in zip(self._counts, pairwise([0, *ends]), strict=True):
            np.add.at(counts, cell[start:end], weight[start:end])
            self._values[number] = counts

    def step(self, today: int) -> None:
        arrived = self._arrived(today)
        for number, last_age in zip(self._counts, self._last_ages, strict=True):
            self._move_count(number, last_age, arrived, today)
        self._step_decays(arrived, today)

    def _arrived(self, today: int) -> _Entries:
        return self._arrivals.take(stretch(self._arrivals.known, today, today))

    def _step_decays(self, arrived: _Entries, today: int) -> None:
        if self._decays and len(arrived.cell):
            for number, decay in zip(self._decays, self._tables.of(arrived.day), strict=True):
                np.add.at(self._values[number], arrived.cell, arrived.weight * decay)
            lost = np.unique(arrived.cell[arrived.weight < 0])
            if len(lost):
                self._sum_anew(lost, today)

    def _move_count(self, number: int, last_age: int | None, arrived: _Entries, today: int) -> None:
        young = slice(None) if last_age is None else today - arrived.day <= last_age
        np.add.at(self._values[number], arrived.cell[young], arrived.weight[young].astype(np.float64))
        if last_age is not None:
            left = today - last_age - 1
            gone = self._counted.take(stretch(self._counted.day, left, left))
            gone = gone.take(gone.known < today)  # what is known only now was never counted
            np.subtract.at(self._values[number], gone.cell, gone.weight.astype(np.float64))

    def _sum_anew(self, cells: npt.NDArray[np.int32], today: int) -> None:
        """Direct sum, over all that is known today, of these cells' decaying rows; `cells` ascend."""
        starts = np.searchsorted(self._all.cell, cells)
        lengths = np.searchsorted(self._all.cell, cells, side="right") - starts
        offsets = np.repeat(np.cumsum(lengths) - lengths, lengths)
        theirs = np.arange(lengths.sum()) - offsets + np.repeat(starts, lengths)
        entries = _netted(self._all.take(theirs), today)
        position = np.searchsorted(cells, entries.cell)
        for number, decay in zip(self._decays, self._tables.of(entries.day), strict=True):
            sums = np.bincount(position, weights=entries.weight * decay, minlength=len(cells))
            self._values[number, cells] = sums


def _entries_of(events: Events, row: Row) -> _Entries:
    where = events.slice_of(row.group)
    entries = _Entries(events.cell[where], events.day[where], events.known[where], events.weight[where])
    if row.setting is None:
        return entries
    return entries.take(events.setting[where] == SETTINGS.index(row.setting))


class _DecayTables:
    """exp((day - anchor) / tau) by day, so that equal ages have equal weights to the last bit."""

    def __init__(self, taus: Sequence[float], days: npt.NDArray[np.int32], anchor: int) -> None:
        self._first = int(days.min()) if len(days) else anchor
        last = int(days.max()) if len(days) else anchor
        offsets = np.arange(self._first, last + 1, dtype=np.int64) - anchor
        self._tables = [decayed(np.minimum(offsets, _LAST_DAY_OF_MONTH), tau) for tau in taus]

    def of(self, days: npt.NDArray[np.int32]) -> list[FloatArray]:
        positions = (days - self._first).astype(np.intp)
        return [table[positions] for table in self._tables]


def _by_window(
    where: npt.NDArray[np.intp], age: npt.NDArray[np.int32], last_ages: Sequence[int | None]
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """What has these ages, by the shortest window that holds it, and where each window's part ends."""
    if len(last_ages) == 1:
        return where, np.array([len(where)])
    bounds = [last_age for last_age in last_ages if last_age is not None]
    # Sixteen bits are sorted digit by digit.
    window = np.searchsorted(bounds, np.arange(age.max(initial=0) + 1)).astype(np.uint16)[age]
    ends = np.cumsum(np.bincount(window, minlength=len(last_ages)))
    return where[np.argsort(window, kind="stable")], ends


def _oldest_first(entries: _Entries, anchor: int, last_ages: Sequence[int | None]) -> _Entries:
    """Entries that a running count holds or loses within the month, by day."""
    ages = [anchor - int(entries.day.min(initial=anchor)) if age is None else age for age in last_ages]
    recent = np.flatnonzero(entries.day >= anchor - max(ages))
    offsets = entries.day[recent] - entries.day[recent].min(initial=anchor)
    if len(offsets) and offsets.max() <= np.iinfo(np.uint16).max:
        offsets = offsets.astype(np.uint16)  # sixteen bits are sorted digit by digit, several times as fast
    return entries.take(recent[np.argsort(offsets, kind="stable")])


def _netted(entries: _Entries, today: int) -> _Entries:
    """One entry per (cell, day) with the weight known today; what cancels is gone."""
    if len(entries.cell) == 0:
        return entries
    new = np.empty(len(entries.cell), dtype=np.bool_)
    new[0] = True
    np.not_equal(entries.cell[1:], entries.cell[:-1], out=new[1:])
    new[1:] |= entries.day[1:] != entries.day[:-1]
    starts = np.flatnonzero(new)
    net = np.add.reduceat(np.where(entries.known <= today, entries.weight, 0), starts)
    kept = net != 0
    starts = starts[kept]
    return _Entries(entries.cell[starts], entries.day[starts], entries.known[starts], net[kept])

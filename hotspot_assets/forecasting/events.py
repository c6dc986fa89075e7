"""Events: the ledger of hexagon incidents as arrays, dated by the first forecast that may know them.

Belongs here: turning rows of `hexagon_incidents` into what the engine sums, in one order whatever the order
of the rows. Not here: reading them from the lake, and time zones: cut-offs come in as moments.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from hotspot_assets.hexgrid.study_areas import StudyArea
from hotspot_assets.intake.ahead import in_threads
from hotspot_assets.intake.offences import SETTINGS

EPOCH = date(1970, 1, 1)
ONE_INCIDENT = 1_000_000
"""Weight of one whole incident: weights are integers, so that sums are exact and order does not matter."""


@dataclass(frozen=True, eq=False)
class Events:
    """Signed weights by offence group, cell, day, first forecast day that may know them, and setting.

    Arrays are aligned and sorted by (group, cell, day, known, setting); equal quintuples are one entry, none is 0.
    `cell`, `group` and `setting` are indices into the study area's cells, into `groups` and into `SETTINGS`; `day`
    and `known` are days since 1970-01-01. `known` is exact for the days first..last; what was known before `first`
    carries `first`, what is known only after `last` is absent.
    """

    groups: tuple[str, ...]
    first: date
    last: date
    study_area_id: str
    cell: npt.NDArray[np.int32]
    group: npt.NDArray[np.int16]
    day: npt.NDArray[np.int32]
    known: npt.NDArray[np.int32]
    setting: npt.NDArray[np.int8]
    weight: npt.NDArray[np.int64]

    def slice_of(self, group: str) -> slice:
        """Where the entries of an offence group lie; empty if it has none."""
        if group not in self.groups:
            return slice(0, 0)
        number = self.groups.index(group)
        return stretch(self.group, number, number)

    def known_at(self, day: date) -> Events:
        """Only what a forecast for `day` may know. Raises ValueError outside first..last."""
        require_covered(self, day, day)
        kept = self.known <= epoch_day(day)
        return Events(
            self.groups,
            self.first,
            day,
            self.study_area_id,
            self.cell[kept],
            self.group[kept],
            self.day[kept],
            self.known[kept],
            self.setting[kept],
            self.weight[kept],
        )

    def known_by_cell(self, groups: Sequence[str], day: date, cells: int) -> npt.NDArray[np.float64]:
        """Incidents of these groups together that a forecast for `day` knows of, in each cell: shape (cells,)."""
        require_covered(self, day, day)
        incidents = np.zeros(cells)
        for group in set(groups):
            own = self.slice_of(group)
            known = self.known[own] <= epoch_day(day)
            incidents += np.bincount(self.cell[own], self.weight[own] * known, minlength=cells)
        return incidents / ONE_INCIDENT


def stretch(ascending: npt.NDArray[np.signedinteger], first: int, last: int) -> slice:
    """Where the numbers first..last lie in an ascending array."""
    # Bounds of another type would have numpy copy the whole array to compare.
    bounds = np.searchsorted(ascending, np.array([first, last + 1], ascending.dtype))
    return slice(int(bounds[0]), int(bounds[1]))


def epoch_day(day: date) -> int:
    """Days since 1970-01-01."""
    return (day - EPOCH).days


def month_start(day: date) -> date:
    """First day of its month: the anchor every day is computed from."""
    return day.replace(day=1)


def build_events(
    ledger: Iterable[pl.DataFrame], area: StudyArea, groups: Sequence[str], first: date, cut_offs: pl.Series
) -> Events:
    """Events for the forecast dates first, first + 1, ... with one cut-off each.

    `ledger` comes in parts with the columns day, cell, offence_group, setting, known_from, weight (more are
    ignored), in any order of rows; `cut_offs` is a Series of ascending Datetime("us", "UTC"), one per forecast
    date. An entry is known to the first forecast date whose cut-off is not before its `known_from` and which lies
    after its day. Cells outside the area and groups not named are left out. Raises ValueError if the cut-offs do
    not ascend.
    """
    moments = cut_offs.cast(pl.Datetime("us", "UTC")).to_physical().to_numpy()
    if len(moments) == 0 or not bool(np.all(moments[1:] >= moments[:-1])):
        raise ValueError("cut-offs must be given, and must ascend")
    names = tuple(sorted(set(groups)))
    last = first + timedelta(days=len(moments) - 1)
    keys = _Keys(area, names, moments, epoch_day(first))
    parts = [keys.of(part) for part in ledger]

    def of_group(number: int) -> tuple[npt.NDArray[Any], ...]:
        start, end = keys.of_group(number)
        return keys.taken_apart(*_summed([_between(part, start, end) for part in parts]))

    arrays = zip(*in_threads(of_group, range(len(names) or 1)), strict=True)
    return Events(names, first, last, area.study_area_id, *map(np.concatenate, arrays))


_Keyed = tuple[npt.NDArray[np.int64], npt.NDArray[np.signedinteger]]
"""Keys and weights, aligned; weights are as narrow as the ledger has them, as there are many."""

_DAYS, _DAY_0 = 1 << 17, 1 << 16
"""Days a key can tell apart, and the place of 1970-01-01 among them."""


class _Keys:
    """Group, cell, day, known and setting of an entry as one number, whose order is theirs: quick to sort."""

    def __init__(
        self, area: StudyArea, names: tuple[str, ...], moments: npt.NDArray[np.int64], first: int
    ) -> None:
        self._area, self._moments, self._first = area, moments, first
        self._groups, self._settings = pl.Enum(names), pl.Enum(SETTINGS)
        self._widths = tuple((each - 1).bit_length() for each in (area.n, _DAYS, len(moments), len(SETTINGS)))
        if (len(names) << sum(self._widths)) > 1 << 63:
            raise ValueError(
                f"too many cells, groups and days to tell apart: {len(names)}, {self._widths} bits"
            )

    def of(self, part: pl.DataFrame) -> _Keyed:
        """Keys and weights of a part of the ledger, without what the events leave out."""
        group = part["offence_group"].cast(self._groups, strict=False).to_physical()
        part = part.filter(group.is_not_null())
        day = part["day"].cast(pl.Int32).to_numpy().astype(np.int64)
        if len(day) and not -_DAY_0 <= day.min() <= day.max() < _DAYS - _DAY_0:
            raise ValueError(f"incidents are dated {day.min()} to {day.max()} days from 1970-01-01")
        cell = self._area.index_of(part["cell"].to_numpy())
        moment = part["known_from"].cast(pl.Datetime("us", "UTC")).to_physical().to_numpy()
        by_cut_off = self._first + np.searchsorted(self._moments, moment, side="left")
        known = np.maximum(by_cut_off, day + 1) - self._first
        inside = np.flatnonzero((cell >= 0) & (known < len(self._moments)))
        key = group.drop_nulls().to_numpy().astype(np.int64)
        setting = part["setting"].cast(self._settings).to_physical().to_numpy()
        for digit, width in zip((cell, day + _DAY_0, known, setting), self._widths, strict=True):
            key <<= width
            key |= digit
        return key[inside], part["weight"].to_numpy()[inside]

    def of_group(self, number: int) -> tuple[int, int]:
        """From which key on, and up to before which, the keys of a group lie."""
        return number << sum(self._widths), (number + 1) << sum(self._widths)

    def taken_apart(
        self, key: npt.NDArray[np.int64], weight: npt.NDArray[np.int64]
    ) -> tuple[npt.NDArray[Any], ...]:
        """The arrays of `Events`: cell, group, day, known, setting, weight."""
        digits = []
        for width in reversed(self._widths):
            digits.append(key & ((1 << width) - 1))
            key = key >> width
        setting, known, day, cell = digits
        return (
            cell.astype(np.int32),
            key.astype(np.int16),
            (day - _DAY_0).astype(np.int32),
            (known + self._first).astype(np.int32),
            setting.astype(np.int8),
            weight,
        )


def _between(part: _Keyed, start: int, end: int) -> _Keyed:
    """What has a key start <= key < end."""
    key, weight = part
    inside = np.flatnonzero((key >= start) & (key < end))
    return key[inside], weight[inside]


def _summed(parts: Sequence[_Keyed]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Each key once, ascending, with the sum of its weights; those that cancel are gone."""
    keys = np.concatenate([np.zeros(0, np.int64), *(key for key, _ in parts)])
    weights = np.concatenate([np.zeros(0, np.int32), *(weight for _, weight in parts)])
    del parts  # not held twice
    order = np.argsort(keys)
    keys, weights = keys[order], weights[order]
    del order
    starts = np.flatnonzero(np.concatenate([np.ones(1, np.bool_), keys[1:] != keys[:-1]])[: len(keys)])
    sums = np.add.reduceat(weights, starts, dtype=np.int64) if len(starts) else weights.astype(np.int64)
    left = np.flatnonzero(sums)
    return keys[starts[left]], sums[left]


def require_covered(events: Events, first: date, last: date) -> None:
    """Raise ValueError unless the events say, for each of these days and for their anchor, what was known."""
    if events.first > month_start(first) or last > events.last:
        raise ValueError(
            f"events cover {events.first}..{events.last}; {first}..{last} also needs the days"
            f" from {month_start(first)} on, the anchor of its month"
        )

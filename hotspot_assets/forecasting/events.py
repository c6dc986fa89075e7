"""Events: the ledger of hexagon incidents as arrays, dated by the first forecast that may know them.

Belongs here: turning rows of `hexagon_incidents` into what the engine sums, in one order whatever the order
of the rows. Not here: reading them from the lake, and time zones: cut-offs come in as moments.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

from hotspot_assets.hexgrid.study_areas import StudyArea

EPOCH = date(1970, 1, 1)
ONE_INCIDENT = 1_000_000
"""Weight of one whole incident: weights are integers, so that sums are exact and order does not matter."""

SETTINGS = ("dwelling", "indoor", "street", "unknown")
"""Where an incident happened, as the data contract says it: a home, another building, the open, or not said."""


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
        of_groups = np.isin(
            self.group, [self.groups.index(group) for group in groups if group in self.groups]
        )
        known = np.flatnonzero(of_groups & (self.known <= epoch_day(day)))
        return np.bincount(self.cell[known], weights=self.weight[known], minlength=cells) / ONE_INCIDENT


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
    parts = [_compact(part, area, names, moments, epoch_day(first), epoch_day(last)) for part in ledger]
    if len(parts) != 1:
        parts = [_summed(pl.concat([_NO_ENTRIES, *parts]))]
    entries = parts[0].filter(pl.col("weight") != 0).sort(_KEY)
    arrays = (entries[name].to_numpy() for name in ("cell", "group", "day", "known", "setting", "weight"))
    return Events(names, first, last, area.study_area_id, *arrays)


_SETTING_NUMBERS = {name: number for number, name in enumerate(SETTINGS)}
_KEY = ("group", "cell", "day", "known", "setting")
_NO_ENTRIES = pl.DataFrame(
    schema={
        "group": pl.Int16,
        "cell": pl.Int32,
        "day": pl.Int32,
        "known": pl.Int32,
        "setting": pl.Int8,
        "weight": pl.Int64,
    }
)


def _compact(
    part: pl.DataFrame,
    area: StudyArea,
    names: tuple[str, ...],
    moments: npt.NDArray[np.int64],
    first: int,
    last: int,
) -> pl.DataFrame:
    """What a part of the ledger adds to each (group, cell, day, known, setting), as in `_NO_ENTRIES`."""
    numbers = {name: number for number, name in enumerate(names)}
    group = pl.col("offence_group").replace_strict(numbers, default=None, return_dtype=pl.Int16)
    setting = pl.col("setting").replace_strict(_SETTING_NUMBERS, return_dtype=pl.Int8)
    columns = part.select(
        group.alias("group"),
        setting.alias("setting"),
        pl.col("cell"),
        pl.col("day").cast(pl.Int32),
        pl.col("known_from").cast(pl.Datetime("us", "UTC")).to_physical().alias("moment"),
        pl.col("weight").cast(pl.Int64),
    ).drop_nulls("group")
    placed = columns.select(
        "group",
        pl.Series("cell", area.index_of(columns["cell"].to_numpy()).astype(np.int32)),
        "day",
        pl.Series("known", _first_known(columns, moments, first)),
        "setting",
        "weight",
    )
    return _summed(placed.filter(pl.col("cell") >= 0, pl.col("known") <= last))


def _summed(entries: pl.DataFrame) -> pl.DataFrame:
    return entries.group_by(_KEY).agg(pl.col("weight").sum())


def _first_known(columns: pl.DataFrame, moments: npt.NDArray[np.int64], first: int) -> npt.NDArray[np.int32]:
    by_cut_off = first + np.searchsorted(moments, columns["moment"].to_numpy(), side="left")
    known: npt.NDArray[np.int32] = np.maximum(by_cut_off, columns["day"].to_numpy() + 1).astype(np.int32)
    return known


def require_covered(events: Events, first: date, last: date) -> None:
    """Raise ValueError unless the events say, for each of these days and for their anchor, what was known."""
    if events.first > month_start(first) or last > events.last:
        raise ValueError(
            f"events cover {events.first}..{events.last}; {first}..{last} also needs the days"
            f" from {month_start(first)} on, the anchor of its month"
        )

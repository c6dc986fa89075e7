"""Shifts: the parts of a day, and how much of each offence group falls into them.

Belongs here: shifts as local hours, the hour-of-week profile, and which shifts begin before the cut-off. Not
here: where in a unit to be (`areas`): the profile is one for the whole study area, because a cell has too few
incidents for hours of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

from hotspot_assets.errors import UserError
from hotspot_assets.intake.calendar import local_to_utc

HOURS = 168


class ShiftError(UserError):
    """Shifts that do not make up a day."""


@dataclass(frozen=True)
class Shift:
    """A shift in local time; one that ends at or before its start ends on the next day."""

    name: str
    start: time
    end: time

    @property
    def minutes(self) -> int:
        """Length on a day without a clock change."""
        length = (_minute(self.end) - _minute(self.start)) % 1440
        return length or 1440


def _minute(at: time) -> int:
    return at.hour * 60 + at.minute


def check_shifts(shifts: Sequence[Shift]) -> None:
    """Raise ShiftError unless the shifts have different names and follow each other around the whole day."""
    names = [shift.name for shift in shifts]
    if not shifts or len(set(names)) < len(names) or not all(name.strip() for name in names):
        raise ShiftError("Shifts need a name each, all different.")
    for here, after in zip(shifts, [*shifts[1:], shifts[0]], strict=True):
        if here.end != after.start:
            raise ShiftError(f"Shift {after.name} must begin at {here.end:%H:%M}, where {here.name} ends.")
    if sum(shift.minutes for shift in shifts) != 1440:
        raise ShiftError("The shifts must make up exactly one day.")


def hour_profile(weights: pl.DataFrame, prior: float = 1.0) -> pl.DataFrame:
    """Share of a week's incidents in each of its 168 local hours, by offence group.

    Parameters
    ----------
    weights
        Columns offence_group, hour_of_week (0 = Monday 00:00 to 01:00), weight (Float64, incidents; parts of
        them where a from/to range spreads over hours).
    prior
        Incidents per hour added before sharing, spread evenly: an hour without any is rare, not impossible.

    Returns
    -------
    offence_group, hour_of_week (Int32), share (Float64, sums to 1 in each group).
    """
    grid = (
        weights.select("offence_group")
        .unique()
        .join(pl.DataFrame({"hour_of_week": np.arange(HOURS, dtype=np.int32)}), how="cross")
    )
    sums = weights.group_by("offence_group", pl.col("hour_of_week").cast(pl.Int32)).agg(
        pl.col("weight").sort().sum()
    )
    filled = pl.col("weight").fill_null(0.0) + prior
    return (
        grid.join(sums, on=["offence_group", "hour_of_week"], how="left")
        .sort("offence_group", "hour_of_week")
        .with_columns(share=filled / filled.sum().over("offence_group"))
        .drop("weight")
    )


def shift_shares(profile: pl.DataFrame, shifts: Sequence[Shift], day: date) -> pl.DataFrame:
    """How a day's expected incidents fall on its shifts: offence_group, shift, share (sums to 1 in a group).

    The operational day is taken to begin with the first shift; a shift that begins within an hour takes
    its part of it. Raises ShiftError when the shifts do not make up a day.
    """
    check_shifts(shifts)
    frames = []
    for (group,), rows in profile.sort("hour_of_week").group_by("offence_group", maintain_order=True):
        per_hour = rows["share"].to_numpy()
        parts = np.array([_in_shift(per_hour, shift, shifts[0], day) for shift in shifts])
        names = [shift.name for shift in shifts]
        frames.append(pl.DataFrame({"offence_group": group, "shift": names, "share": parts / parts.sum()}))
    return pl.concat(frames)


def _in_shift(per_hour: npt.NDArray[np.float64], shift: Shift, first: Shift, day: date) -> float:
    """Share of the week in a shift of the day."""
    offset = (_minute(shift.start) - _minute(first.start)) % 1440
    start = day.weekday() * 1440 + _minute(first.start) + offset
    minutes = np.arange(start, start + shift.minutes) // 60 % HOURS
    return float(per_hour[minutes].sum() / 60.0)


def hour_strip(profile: pl.DataFrame, offence_group: str, day: date) -> list[float]:
    """The 24 local hours of a day as shares of that day, for the strip on the sheet."""
    rows = profile.filter(pl.col("offence_group") == offence_group).sort("hour_of_week")["share"]
    hours = rows.to_numpy()[day.weekday() * 24 : day.weekday() * 24 + 24]
    return [float(share) for share in hours / hours.sum()]


def shift_times(shifts: Sequence[Shift], day: date, zone: str, cut_off: datetime) -> pl.DataFrame:
    """When the day's shifts begin and end: shift, starts_at, ends_at (UTC), before_cut_off (Boolean).

    `before_cut_off` marks a shift that begins before the cut-off (UTC): its areas come too late for a part of
    it, and rest on what was known after it had begun.
    """
    starts, ends = [], []
    for shift in shifts:
        late = _minute(shift.start) < _minute(shifts[0].start)
        start = datetime.combine(day + timedelta(days=int(late)), shift.start)
        starts.append(start)
        ends.append(datetime.combine(start.date() + timedelta(days=int(shift.end <= shift.start)), shift.end))
    return pl.DataFrame(
        {
            "shift": [shift.name for shift in shifts],
            "starts_at": local_to_utc(pl.Series(starts, dtype=pl.Datetime("us")), zone),
            "ends_at": local_to_utc(pl.Series(ends, dtype=pl.Datetime("us")), zone),
        }
    ).with_columns(before_cut_off=pl.col("starts_at") < pl.lit(cut_off, pl.Datetime("us", "UTC")))

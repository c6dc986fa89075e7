"""Where in time an incident may have happened, as integer weights over days and hours.

Belongs here: the span of each incident and its aoristic weights (Ratcliffe 2000, "Aoristic analysis: the
spatial interpretation of unspecific temporal events"): every part of the span is held equally likely. Not
here: cells, and what replaces what (`hexagons`).

Rules: a month-only or day-only time spans that local month or day; a from/to range spans from `occurred_from`
to `occurred_to`; a range whose end is missing or lies before its start counts at its start, and the latter is
marked. Ranges longer than a cap of their offence group are left out and counted, month-only times are not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time, timedelta

import numpy as np
import polars as pl

from hotspot_assets.intake.calendar import day_bounds_utc, local_to_utc, operational_day, utc_to_local

WEIGHT_OF_ONE = 1_000_000
"""Weight of one whole incident."""

HOURS_OF_WEEK = 168

_CALENDAR_PRECISIONS = {"day": "1d", "month": "1mo"}


@dataclass(frozen=True)
class SpanLimits:
    """The longest from/to range taken, in local days: by offence group, else the default."""

    default_days: int = 31
    days_by_group: Mapping[str, int] | None = None

    def of_group(self) -> pl.Expr:
        """The limit of each row's `offence_group`, as a duration."""
        days = pl.lit(self.default_days, dtype=pl.Int64)
        if self.days_by_group:
            days = pl.col("offence_group").replace_strict(
                dict(self.days_by_group), default=days, return_dtype=pl.Int64
            )
        return pl.duration(days=days)


def with_spans(incidents: pl.DataFrame, zone: str) -> pl.DataFrame:
    """Add `span_start`, `span_end` (UTC, the end excluded; equal for a moment) and `inverted` (Boolean).

    `incidents` needs `occurred_from`, `occurred_to`, `time_precision`; days and months are those of `zone`.
    """
    first, last = pl.col("occurred_from"), pl.col("occurred_to")
    inverted = last.is_not_null() & (last < first)
    start, end = first, pl.when(last >= first).then(last).otherwise(first)
    present = incidents["time_precision"].unique()
    for precision, every in _CALENDAR_PRECISIONS.items():
        if precision in present:
            is_so = pl.col("time_precision") == precision
            start = pl.when(is_so).then(_calendar_start(start, every, zone)).otherwise(start)
            end = pl.when(is_so).then(_calendar_end(end, every, zone)).otherwise(end)
    return incidents.with_columns(span_start=start, span_end=end, inverted=inverted)


def over_long(zone: str, limits: SpanLimits) -> pl.Expr:
    """Whether a range (`with_spans`) exceeds its group's limit; by local clock, so no DST day tips it."""
    length = utc_to_local(pl.col("span_end"), zone) - utc_to_local(pl.col("span_start"), zone)
    return (pl.col("time_precision") != "month") & (length > limits.of_group())


def day_weights(spans: pl.DataFrame, zone: str, day_start: time = time(0)) -> pl.DataFrame:
    """Split each row over the operational days of its span.

    Parameters
    ----------
    spans
        Rows with `span_start` and `span_end` (`with_spans`).
    zone, day_start
        What an operational day is.

    Returns
    -------
    pl.DataFrame
        The rows, once per day of positive weight, with `day` (Date) and `weight` (Int32). The weights of
        a row sum exactly to `WEIGHT_OF_ONE`: shares by overlap with the days' true lengths, rounded by
        largest remainder, ties to the earlier day.
    """
    dated = spans.with_columns(
        day=operational_day(pl.col("span_start"), zone, day_start),
        _last=operational_day(_last_moment(), zone, day_start),
    )
    single = dated.filter(pl.col("day") == pl.col("_last")).with_columns(
        weight=pl.lit(WEIGHT_OF_ONE, dtype=pl.Int32)
    )
    several = dated.filter(pl.col("day") < pl.col("_last")).with_row_index("_row")
    pieces = several.with_columns(day=pl.date_ranges("day", "_last")).explode("day")
    start, end = day_bounds_utc(pl.col("day"), zone, day_start)
    split = _apportion(pieces.with_columns(_overlap(start, end)))
    return pl.concat([single.drop("_last"), split.drop("_last")])


@dataclass(frozen=True)
class HourWeights:
    """Weights over the hours of the week, and how many incidents could not be placed in one."""

    weights: pl.DataFrame
    too_coarse: int
    over_long: int


def hour_weights(incidents: pl.DataFrame, zone: str, limits: SpanLimits | None = None) -> HourWeights:
    """Split incidents over the 168 local hours of the week (0 = Monday, 00:00 to 01:00).

    Parameters
    ----------
    incidents
        Versions or accepted rows, with `incident_key`. Times known to the day or month only say nothing of
        the hour: they are left out and counted as `too_coarse`.
    zone
        Whose clock the hours are. (On the two days a year when Lord Howe Island moves its clock by half an
        hour, the pieces of a span are half an hour off.)
    limits
        Longest range taken; longer ones are left out and counted.

    Returns
    -------
    HourWeights
        `weights`, in no order: incident_key, hour_of_week (Int16), weight (Int32; an incident's sum to
        `WEIGHT_OF_ONE`).
    """
    spans = with_spans(incidents, zone)
    coarse = spans["time_precision"].is_in(list(_CALENDAR_PRECISIONS))
    fine = spans.filter(~coarse)
    kept = fine.filter(~over_long(zone, limits or SpanLimits()))
    begun = kept.with_columns(_hour_start=_hour_of(pl.col("span_start"), zone))
    within = _last_moment() < pl.col("_hour_start") + timedelta(hours=1)
    single = begun.filter(within).with_columns(weight=pl.lit(WEIGHT_OF_ONE, pl.Int32))
    several = _apportion(_hours_of(begun.filter(~within).with_row_index("_row")))
    key = ["incident_key", "hour_of_week"]
    once = _named(single, zone).select(*key, "weight")
    again = _named(several, zone).group_by(key).agg(pl.col("weight").sum())
    return HourWeights(
        weights=pl.concat([once, again]),
        too_coarse=int(coarse.sum()),
        over_long=fine.height - kept.height,
    )


def _hour_of(moment: pl.Expr, zone: str) -> pl.Expr:
    """Beginning of the local clock hour in which a moment lies (UTC)."""
    local = utc_to_local(moment, zone)
    return moment - (local - local.dt.truncate("1h"))


def _named(hours: pl.DataFrame, zone: str) -> pl.DataFrame:
    """With the `hour_of_week` that begins at `_hour_start`; each moment is looked up in the calendar once."""
    local = utc_to_local(pl.col("_hour_start"), zone)
    hour = (local.dt.weekday().cast(pl.Int16) - 1) * 24 + local.dt.hour()
    names = hours.select(pl.col("_hour_start").unique()).with_columns(hour_of_week=hour)
    return hours.join(names, on="_hour_start")


def _hours_of(spans: pl.DataFrame) -> pl.DataFrame:
    """One row per local clock hour that a span touches, from its first: `_hour_start` (UTC) and `_overlap`."""
    begins = pl.datetime_ranges("_hour_start", _last_moment(), "1h")
    hours = spans.select("incident_key", "_row", "span_start", "span_end", _hour_start=begins).explode(
        "_hour_start"
    )
    begin = pl.col("_hour_start")
    return hours.with_columns(_overlap(begin, begin + timedelta(hours=1)))


def _last_moment() -> pl.Expr:
    """Last microsecond of a span; of a moment, the moment."""
    return pl.max_horizontal(pl.col("span_start"), pl.col("span_end") - timedelta(microseconds=1))


def _overlap(start: pl.Expr, end: pl.Expr) -> pl.Expr:
    """Microseconds of the row's span within [start, end); a moment counts as one microsecond."""
    at_least = pl.max_horizontal(pl.col("span_end"), pl.col("span_start") + timedelta(microseconds=1))
    common = pl.min_horizontal(at_least, end) - pl.max_horizontal(pl.col("span_start"), start)
    return common.dt.total_microseconds().clip(lower_bound=0).alias("_overlap")


def _apportion(pieces: pl.DataFrame) -> pl.DataFrame:
    """Turn `_overlap` of the pieces of each `_row` into `weight`, in whole numbers and without loss.

    The pieces of a row stand together, the earliest first, and none is longer than two days: a million times as
    many microseconds still are 64 bits.
    """
    row, overlap = pieces["_row"].to_numpy().astype(np.int64), pieces["_overlap"].to_numpy()
    first = np.flatnonzero(np.diff(row, prepend=-1))
    many = np.diff(np.append(first, len(row)))
    floor, remainder = np.divmod(overlap * WEIGHT_OF_ONE, np.repeat(np.add.reduceat(overlap, first), many))
    left = WEIGHT_OF_ONE - np.add.reduceat(floor, first)
    place = np.empty(len(row), dtype=np.int64)
    place[np.lexsort((-remainder, row))] = np.arange(len(row)) - np.repeat(first, many)
    weight = floor + (place < np.repeat(left, many))
    split = pieces.with_columns(weight=pl.Series(weight, dtype=pl.Int32)).filter(pl.col("weight") > 0)
    return split.drop("_row", "_overlap")


def _calendar_start(moment: pl.Expr, every: str, zone: str) -> pl.Expr:
    return local_to_utc(utc_to_local(moment, zone).dt.truncate(every), zone)


def _calendar_end(moment: pl.Expr, every: str, zone: str) -> pl.Expr:
    return local_to_utc(utc_to_local(moment, zone).dt.truncate(every).dt.offset_by(every), zone)

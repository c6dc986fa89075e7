"""Local clocks: from wall time to UTC, the operational day, and the cut-off of a forecast date.

Belongs here: every conversion between a place's clock and UTC. Storage is UTC; a day is the local
operational day that begins at `day_start`. Not here: which span of time an incident covers (`aoristic`), or
which days a forecast may read.

Clock changes follow RFC 5545 (3.3.5): a wall time that occurs twice means the first time, and one that was
skipped is read with the offset before the change, so it lands as much later as the clock was moved.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, time, timedelta
from typing import TypeVar

import polars as pl

Column = TypeVar("Column", pl.Expr, pl.Series)

_DAY = timedelta(days=1)


def local_to_utc(local: Column, zone: str) -> Column:
    """Turn wall times of a zone into UTC.

    Parameters
    ----------
    local
        Datetimes without a zone.
    zone
        IANA name, such as "Europe/London".
    """
    return _on(local, lambda wall: _to_utc(wall, zone))


def utc_to_local(moments: Column, zone: str) -> Column:
    """Turn moments in UTC into wall times of a zone (datetimes without a zone)."""
    return _on(moments, lambda moment: _to_local(moment, zone))


def operational_day(moments: Column, zone: str, day_start: time = time(0)) -> Column:
    """Date of the operational day in which each moment (UTC) lies.

    Day D runs from its start (`day_bounds_utc`) to the start of D + 1, that moment excluded. The days of
    increasing moments never decrease, not even where a clock change falls upon `day_start`.
    """

    return _on(
        moments,
        lambda moment: moment.map_batches(
            lambda column: _days_of(column, zone, day_start), return_dtype=pl.Date, is_elementwise=True
        ),
    )


def day_bounds_utc(dates: Column, zone: str, day_start: time = time(0)) -> tuple[Column, Column]:
    """Start and end in UTC of operational days; the end is the start of the next day and excluded.

    The difference is the day's true length: 23 or 25 hours where the clock changes.
    """
    return (
        _on(dates, lambda day: _at(day, day_start, zone)),
        _on(dates, lambda day: _at(day + _DAY, day_start, zone)),
    )


def cut_offs_utc(dates: Column, zone: str, cut_off: time = time(5), days_before: int = 0) -> Column:
    """Moment (UTC) up to which the forecast for each date may know anything.

    It is the wall time `cut_off`, `days_before` days before that date.
    """
    return _on(dates, lambda day: _at(day - days_before * _DAY, cut_off, zone))


def _on(values: Column, make: Callable[[pl.Expr], pl.Expr]) -> Column:
    """Apply an expression to a column, be it an expression or a series."""
    if isinstance(values, pl.Series):
        return values.to_frame("values").select(make(pl.col("values"))).to_series().alias(values.name)
    return make(values)


def _at(day: pl.Expr, wall: time, zone: str) -> pl.Expr:
    return _to_utc(day.dt.combine(wall, time_unit="us"), zone)


def _to_local(moment: pl.Expr, zone: str) -> pl.Expr:
    return moment.dt.convert_time_zone(zone).dt.replace_time_zone(None)


def _to_utc(wall: pl.Expr, zone: str) -> pl.Expr:
    direct = _localised(wall, zone)
    # A day earlier the offset was still the one before the change (no zone ever skipped more than a day).
    before_the_change = _localised(wall - _DAY, zone) + _DAY
    return pl.when(direct.is_null()).then(before_the_change).otherwise(direct)


def _localised(wall: pl.Expr, zone: str) -> pl.Expr:
    in_zone = wall.cast(pl.Datetime("us")).dt.replace_time_zone(
        zone, ambiguous="earliest", non_existent="null"
    )
    return in_zone.dt.convert_time_zone("UTC")


def _days_of(moments: pl.Series, zone: str, day_start: time) -> pl.Series:
    """Find each moment among the starts of the days around it: the inverse of `day_bounds_utc`."""
    first, last = moments.dt.date().min(), moments.dt.date().max()
    if not isinstance(first, date) or not isinstance(last, date):  # nothing but nulls
        return moments.cast(pl.Date)
    days = pl.date_range(first - 2 * _DAY, last + 2 * _DAY, eager=True)
    starts = _on(days, lambda day: _at(day, day_start, zone)).to_physical()
    not_after = starts.search_sorted(moments.to_physical(), side="right")
    position = pl.select(pl.when(moments.is_not_null()).then(not_after.cast(pl.Int64) - 1)).to_series()
    return days.gather(position).alias(moments.name)

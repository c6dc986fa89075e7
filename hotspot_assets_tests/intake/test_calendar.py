from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotspot_assets.intake.calendar import (
    cut_offs_utc,
    day_bounds_utc,
    local_to_utc,
    operational_day,
    utc_to_local,
)

ZONES = [
    "Europe/London",
    "America/Chicago",
    "America/St_Johns",  # went back at 00:01: the local date steps back
    "America/Sao_Paulo",  # skipped midnight
    "Asia/Beirut",
    "Australia/Lord_Howe",  # half an hour
    "Pacific/Apia",  # left out the whole of 30 December 2011
    "Asia/Kathmandu",
]
MOMENT = pl.Datetime("us", "UTC")


def moments(*values: datetime) -> pl.Series:
    return pl.Series("moment", values, dtype=MOMENT)


def local(*values: datetime) -> pl.Series:
    return pl.Series("wall", values, dtype=pl.Datetime("us"))


def test_london_days_have_23_24_and_25_hours() -> None:
    days = pl.Series([date(2014, 3, 30), date(2014, 6, 1), date(2014, 10, 26)])
    start, end = day_bounds_utc(days, "Europe/London")
    assert (end - start).to_list() == [timedelta(hours=23), timedelta(hours=24), timedelta(hours=25)]
    assert start.to_list()[1] == datetime(2014, 5, 31, 23, tzinfo=UTC)


def test_doubled_hour_means_the_first_and_missing_hour_moves_on() -> None:
    wall = local(datetime(2014, 10, 26, 1, 30), datetime(2014, 3, 30, 1, 30), datetime(2014, 3, 30, 2, 0))
    assert local_to_utc(wall, "Europe/London").to_list() == [
        datetime(2014, 10, 26, 0, 30, tzinfo=UTC),
        datetime(2014, 3, 30, 1, 30, tzinfo=UTC),  # 02:30 summer time
        datetime(2014, 3, 30, 1, 0, tzinfo=UTC),
    ]


def test_day_that_begins_at_six_keeps_the_night_together() -> None:
    found = operational_day(
        moments(datetime(2014, 7, 5, 4, 59, 59, tzinfo=UTC), datetime(2014, 7, 5, 5, 0, tzinfo=UTC)),
        "Europe/London",
        time(6),
    )
    assert found.to_list() == [date(2014, 7, 4), date(2014, 7, 5)]


def test_cut_off_is_local_time_and_may_lie_on_the_day_before() -> None:
    days = pl.Series([date(2014, 1, 10), date(2014, 7, 10)])
    assert cut_offs_utc(days, "Europe/London").to_list() == [
        datetime(2014, 1, 10, 5, tzinfo=UTC),
        datetime(2014, 7, 10, 4, tzinfo=UTC),
    ]
    assert cut_offs_utc(days, "Europe/London", time(20), days_before=1).to_list() == [
        datetime(2014, 1, 9, 20, tzinfo=UTC),
        datetime(2014, 7, 9, 19, tzinfo=UTC),
    ]


def test_nulls_stay_null_and_expressions_give_what_series_give() -> None:
    column = pl.Series("moment", [None, datetime(2014, 3, 30, 0, 59, tzinfo=UTC)], dtype=MOMENT)
    by_expression = pl.LazyFrame({"moment": column}).select(
        operational_day(pl.col("moment"), "Europe/London")
    )
    assert by_expression.collect()["moment"].to_list() == [None, date(2014, 3, 30)]
    assert operational_day(column, "Europe/London").to_list() == [None, date(2014, 3, 30)]
    assert operational_day(column[:1], "Europe/London").to_list() == [None]
    assert operational_day(column[:0], "Europe/London").to_list() == []


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("day_start", [time(0), time(0, 30), time(2, 30), time(6)])
def test_days_partition_the_time_line(zone: str, day_start: time) -> None:
    """Every quarter of an hour of 2006-2012 lies within the bounds of its day; days follow one another."""
    line = pl.datetime_range(
        datetime(2006, 1, 1), datetime(2012, 1, 10), "15m", time_unit="us", time_zone="UTC", eager=True
    )
    days = operational_day(line, zone, day_start)
    start, end = day_bounds_utc(days, zone, day_start)
    assert ((start <= line) & (line < end)).all()
    assert days.is_sorted()
    lengths = days.rename("day").value_counts().sort("day")["count"][1:-1] / 4
    assert lengths.is_between(23, 25).all()


@given(
    st.datetimes(datetime(1985, 1, 1), datetime(2030, 1, 1)),
    st.sampled_from(ZONES),
)
def test_wall_time_is_read_as_the_standard_library_reads_it(wall: datetime, zone: str) -> None:
    expected = wall.replace(tzinfo=ZoneInfo(zone), fold=0).astimezone(UTC)
    assert local_to_utc(local(wall), zone).item() == expected
    assert utc_to_local(moments(expected), zone).item() == expected.astimezone(ZoneInfo(zone)).replace(
        tzinfo=None
    )

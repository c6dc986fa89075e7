"""Written times: patterns, precision, zones, clock changes, ends of ranges, day and month exchanged."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotspot_assets.intake.aoristic import with_spans
from hotspot_assets.intake.times import (
    fits_swapped,
    precision_of,
    range_ends,
    read_times,
    same_in_both_orders,
    swapped_order,
    written_otherwise,
)

LONDON = "Europe/London"


def read(*texts: str | None, patterns: tuple[str, ...] = (), zone: str = LONDON) -> list[tuple[object, ...]]:
    return read_times(pl.Series(texts, dtype=pl.String), patterns, zone, zone).rows()


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "moment", "precision"),
    [
        ("2014-06-02T12:30:15.5", utc(2014, 6, 2, 11, 30, 15, 500_000), "minute"),
        ("2014-06-02 12:30", utc(2014, 6, 2, 11, 30), "minute"),
        ("2014-06-02T12:30Z", utc(2014, 6, 2, 12, 30), "minute"),
        ("2014-06-02T12:30:00+02:00", utc(2014, 6, 2, 10, 30), "minute"),
        ("2014-06-02T12:30:00+02:60", None, None),
        ("2014-06-02T12:30:60Z", utc(2014, 6, 2, 12, 31), "minute"),
        ("2014-06-02 12:30:00+00", utc(2014, 6, 2, 12, 30), "minute"),
        ("2014-06-02", utc(2014, 6, 1, 23), "day"),
        ("2014-06", utc(2014, 5, 31, 23), "month"),
        ("2014-02-29", None, None),
        ("2014-13-01", None, None),
        ("02/06/2014", None, None),
        ("yesterday", None, None),
        (None, None, None),
    ],
)
def test_iso_8601_is_always_understood(
    text: str | None, moment: datetime | None, precision: str | None
) -> None:
    assert read(text)[0][:2] == (moment, precision)


def test_own_patterns_go_before_and_say_how_exact_they_are() -> None:
    patterns = ("%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y %H h", "%b %Y")
    rows = read("06/02/2014 12:01:00 AM", "06/02/2014 07 h", "Jun 2014", "2014-06-02", patterns=patterns)
    assert [row[:2] for row in rows] == [
        (utc(2014, 6, 1, 23, 1), "minute"),
        (utc(2014, 6, 2, 6), "hour"),
        (utc(2014, 5, 31, 23), "month"),
        (utc(2014, 6, 1, 23), "day"),
    ]
    assert [precision_of(pattern) for pattern in patterns] == ["minute", "hour", "month"]


def test_a_year_has_four_digits_and_digits_run_together_are_all_there() -> None:
    """25 is not the year 25, and 2025065 is no 5 June."""
    day = (utc(2025, 1, 31, 23), "day")
    for patterns in (("%d.%m.%Y", "%d.%m.%y"), ("%d.%m.%y", "%d.%m.%Y")):
        rows = read("01.02.25", "01.02.2025", "01.02.205", patterns=patterns, zone="Europe/Berlin")
        assert [row[:2] for row in rows] == [day, day, (None, None)]
    rows = read("20250201", "2025021", "250201", "202502", patterns=("%Y%m%d",), zone="Europe/Berlin")
    assert [row[:2] for row in rows] == [day, (None, None), (None, None), (None, None)]
    rows = read("202502012330", "20250201233", "250201 2330", patterns=("%Y%m%d%H%M",), zone="UTC")
    assert [row[0] for row in rows] == [utc(2025, 2, 1, 23, 30), None, None]


def test_clock_changes_lose_nothing_and_are_marked() -> None:
    """30 March 2014, 01:30 did not exist in London; 26 October, 01:30 came twice."""
    skipped, doubled, plain, day = read(
        "2014-03-30T01:30", "2014-10-26T01:30", "2014-10-26T02:30", "2014-10-26"
    )
    assert skipped == (utc(2014, 3, 30, 1, 30), "hour", True, False)
    assert doubled == (utc(2014, 10, 26, 0, 30), "hour", False, True)
    assert plain == (utc(2014, 10, 26, 2, 30), "minute", False, False)
    assert day == (utc(2014, 10, 25, 23), "day", False, False)
    assert read("2014-10-26T01:30+00:00")[0] == (utc(2014, 10, 26, 1, 30), "minute", False, False)


@given(
    moment=st.datetimes(datetime(1990, 1, 1), datetime(2030, 1, 1)),
    zone=st.sampled_from(
        [LONDON, "America/Chicago", "America/New_York", "America/Vancouver", "Asia/Kolkata"]
    ),
)
def test_a_moment_written_in_a_zone_is_read_back(moment: datetime, zone: str) -> None:
    """Against Python's own zones; a doubled wall time means the first."""
    there = moment.replace(tzinfo=UTC, microsecond=0).astimezone(ZoneInfo(zone))
    found, _, skipped, doubled = read(f"{there:%Y-%m-%dT%H:%M:%S}", zone=zone)[0]
    assert found == there.replace(fold=0).astimezone(UTC)
    assert not skipped
    assert doubled == (there.replace(fold=1).utcoffset() != there.replace(fold=0).utcoffset())


@given(
    moment=st.datetimes(datetime(1990, 1, 1), datetime(2030, 1, 1)),
    minutes=st.sampled_from([0, 60, 345, 840, -210, -720, 67, -1]),
)
def test_a_moment_written_with_an_offset_is_read_back(moment: datetime, minutes: int) -> None:
    """Against Python's own reading, the usual offsets of zones and odd ones."""
    text = moment.replace(microsecond=0, tzinfo=timezone(timedelta(minutes=minutes))).isoformat()
    found = read(text, text[:10], None, text.replace("T", "T2"))
    assert found[0] == (datetime.fromisoformat(text).astimezone(UTC), "minute", False, False)
    assert [row[1] for row in found[1:]] == ["day", None, None]


def ends(start: str, end: str | None) -> datetime | None:
    read_one = [read_times(pl.Series([text], dtype=pl.String), (), LONDON, LONDON) for text in (start, end)]
    found: datetime | None = range_ends(*read_one, LONDON, LONDON)[0]
    return found


def test_an_end_written_as_a_day_is_the_end_of_that_day() -> None:
    assert ends("2014-06-02T12:30", "2014-06-02") == utc(2014, 6, 2, 23)
    assert ends("2014-10-25T12:30", "2014-10-26") == utc(2014, 10, 27)
    assert ends("2014-06-02T12:30", "2014-06") == utc(2014, 6, 30, 23)
    assert ends("2014-06-02", "2014-06-03") == utc(2014, 6, 2, 23)
    assert ends("2014-06-02T12:30", None) is None


def test_an_end_in_the_doubled_hour_lies_after_its_start() -> None:
    assert ends("2014-10-26T01:50", "2014-10-26T01:10") == utc(2014, 10, 26, 1, 10)
    assert ends("2014-10-26T01:10", "2014-10-26T01:50") == utc(2014, 10, 26, 0, 50)
    assert ends("2014-06-02T12:30", "2014-06-02T12:00") == utc(2014, 6, 2, 11)


def test_dates_with_day_and_month_exchanged() -> None:
    texts = pl.Series(["13/06/2014", "06/13/2014", "06/05/2014", "05/05/2014", "2014-06-13", "x", None])
    patterns = ("%d/%m/%Y", "%Y-%m-%d", "%H:%M")
    assert swapped_order(patterns) == ["%m/%d/%Y"]
    assert fits_swapped(texts, patterns).to_list() == [False, True, True, True, False, False, False]
    assert same_in_both_orders(texts).to_list() == [False, False, False, True, False, False, False]
    assert fits_swapped(texts, ("%Y-%m-%d",)).to_list() == [False] * 7


def test_dates_written_in_a_way_no_pattern_knows() -> None:
    texts = pl.Series(
        ["02.06.2014", "2 Jun 2014", "June 2, 2014", "06/02/2014", "31/02/2014", "2014-02-31", "never", None]
    )
    found = written_otherwise(texts, ("%d/%m/%Y",)).to_list()
    assert found == [True, True, True, False, False, False, False, False]


def test_hours_only() -> None:
    found = read("2014-06-02 12", patterns=("%Y-%m-%d %H",))
    assert found[0][:2] == (utc(2014, 6, 2, 11), "hour")
    assert found[0][0] - utc(2014, 6, 2) == timedelta(hours=11)  # type: ignore[operator]


@pytest.mark.parametrize("home", ["UTC", "Australia/Brisbane", "America/Los_Angeles", LONDON])
@pytest.mark.parametrize("zone", ["Australia/Sydney", "America/New_York", LONDON])
def test_a_date_stays_that_date_wherever_the_clock_of_its_file_stands(zone: str, home: str) -> None:
    """A day and a month are spans of the home's calendar; a time of day is the file's clock."""
    written = ["2014-06-15", "2014-06", "2014-06-15T12:00"]
    found = read_times(pl.Series(written), (), zone, home)
    rows = found.with_columns(
        occurred_from=pl.col("moment"), occurred_to=pl.lit(None, pl.Datetime("us", "UTC"))
    )
    spans = with_spans(rows, home)

    def at(day: datetime, where: str) -> datetime:
        return day.replace(tzinfo=ZoneInfo(where)).astimezone(UTC)

    assert spans.select("span_start", "span_end").rows() == [
        (at(datetime(2014, 6, 15), home), at(datetime(2014, 6, 16), home)),
        (at(datetime(2014, 6, 1), home), at(datetime(2014, 7, 1), home)),
        (at(datetime(2014, 6, 15, 12), zone),) * 2,
    ]
    ends = read_times(pl.Series([None, None, "2014-06-16"], dtype=pl.String), (), zone, home)
    assert range_ends(found, ends, zone, home)[2] == at(datetime(2014, 6, 17), home)

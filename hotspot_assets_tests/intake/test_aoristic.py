from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hotspot_assets.intake.aoristic import (
    WEIGHT_OF_ONE,
    SpanLimits,
    day_weights,
    hour_weights,
    over_long,
    with_spans,
)
from hotspot_assets_tests.intake.rows import accepted, row

LONDON = "Europe/London"


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


def days_of(*rows: dict[str, Any], zone: str = LONDON, day_start: time = time(0)) -> list[tuple[date, int]]:
    split = day_weights(with_spans(accepted(*rows), zone), zone, day_start)
    return split.sort("line", "day").select("day", "weight").rows()


def test_moment_is_one_day() -> None:
    assert days_of(row("a", occurred_from=utc(2014, 6, 1, 22, 59))) == [(date(2014, 6, 1), 1_000_000)]
    assert days_of(row("a", occurred_from=utc(2014, 6, 1, 23, 0))) == [(date(2014, 6, 2), 1_000_000)]


def test_night_is_split_by_hours() -> None:
    """22:00 to 06:00 local: two of eight hours before midnight."""
    night = row("a", occurred_from=utc(2014, 1, 1, 22), occurred_to=utc(2014, 1, 2, 6))
    assert days_of(night) == [(date(2014, 1, 1), 250_000), (date(2014, 1, 2), 750_000)]
    assert days_of(night, day_start=time(6)) == [(date(2014, 1, 1), 1_000_000)]


def test_range_that_ends_at_midnight_leaves_the_next_day_alone() -> None:
    evening = row("a", occurred_from=utc(2014, 1, 1, 20), occurred_to=utc(2014, 1, 2))
    assert days_of(evening) == [(date(2014, 1, 1), 1_000_000)]


def test_clock_change_gives_days_their_true_length() -> None:
    """Three days over the end of summer time: 24 + 25 + 24 hours; thirds of 73 by largest remainder."""
    split = days_of(row("a", occurred_from=utc(2014, 10, 24, 23), occurred_to=utc(2014, 10, 28)))
    assert split == [
        (date(2014, 10, 25), 328_767),  # 24/73 = 328767.12
        (date(2014, 10, 26), 342_466),  # 25/73 = 342465.75
        (date(2014, 10, 27), 328_767),
    ]


def test_ties_of_remainders_go_to_the_earlier_day() -> None:
    split = days_of(row("a", occurred_from=utc(2014, 1, 1), occurred_to=utc(2014, 1, 4)))
    assert [weight for _, weight in split] == [333_334, 333_333, 333_333]


@pytest.mark.parametrize("last", [None, utc(2014, 1, 1, 11, 59), utc(2013, 1, 1)])
def test_open_and_inverted_ranges_count_at_their_start(last: datetime | None) -> None:
    incident = row("a", occurred_from=utc(2014, 1, 1, 12), occurred_to=last)
    assert days_of(incident) == [(date(2014, 1, 1), 1_000_000)]
    spans = with_spans(accepted(incident), LONDON)
    assert spans["inverted"].item() is (last is not None)


def test_month_only_is_spread_over_its_days() -> None:
    march = days_of(row("a", occurred_from=utc(2014, 3, 1), time_precision="month"))
    assert [day for day, _ in march] == [date(2014, 3, 1) + timedelta(days=n) for n in range(31)]
    assert sum(weight for _, weight in march) == 1_000_000
    # 743 hours: the 30th has 23.
    assert {weight for day, weight in march if day.day != 30} == {32301, 32302}
    assert dict(march)[date(2014, 3, 30)] == 30956  # 23/743 = 30955.6


def test_day_only_is_its_calendar_day_even_if_the_operational_day_begins_later() -> None:
    incident = row("a", occurred_from=utc(2014, 1, 2), time_precision="day")
    assert days_of(incident) == [(date(2014, 1, 2), 1_000_000)]
    assert days_of(incident, day_start=time(6)) == [(date(2014, 1, 1), 250_000), (date(2014, 1, 2), 750_000)]
    two_days = row("a", occurred_from=utc(2014, 1, 2), occurred_to=utc(2014, 1, 3), time_precision="day")
    assert days_of(two_days) == [(date(2014, 1, 2), 500_000), (date(2014, 1, 3), 500_000)]


def test_limit_is_by_group_and_by_local_clock() -> None:
    clock_change = utc(2014, 10, 20, 23), utc(2014, 10, 28)  # seven local days, 169 hours
    rows = [
        row("a", occurred_from=clock_change[0], occurred_to=clock_change[1]),
        row("b", occurred_from=clock_change[0], occurred_to=clock_change[1] + timedelta(minutes=1)),
        row("c", occurred_from=clock_change[0], occurred_to=clock_change[1], offence_group="robbery"),
        row("d", occurred_from=utc(2014, 10, 1), time_precision="month"),
    ]
    limits = SpanLimits(default_days=7, days_by_group={"robbery": 6})
    spans = with_spans(accepted(*rows), LONDON)
    assert spans.select(over_long(LONDON, limits)).to_series().to_list() == [False, True, True, False]


starts = st.datetimes(datetime(2011, 12, 1), datetime(2015, 1, 1))
spans_of_time = st.tuples(
    starts,
    st.one_of(st.none(), st.integers(-5_000, 40 * 1440)),
    st.sampled_from(["minute", "minute", "hour", "day", "month"]),
)
zones = st.sampled_from([LONDON, "America/Chicago", "Pacific/Apia", "Australia/Lord_Howe", "Asia/Kathmandu"])
day_starts = st.sampled_from([time(0), time(6), time(2, 30)])


@settings(max_examples=60)
@given(st.lists(spans_of_time, min_size=1, max_size=12), zones, day_starts)
def test_weights_sum_exactly_and_follow_the_overlap(
    spans: list[tuple[datetime, int | None, str]], zone: str, day_start: time
) -> None:
    """Against a naive loop in fractions and the standard library's clocks; no day gains or loses mass."""
    rows = [
        row(
            f"{number}",
            occurred_from=start.replace(tzinfo=UTC),
            occurred_to=None if minutes is None else start.replace(tzinfo=UTC) + timedelta(minutes=minutes),
            time_precision=precision,
        )
        for number, (start, minutes, precision) in enumerate(spans)
    ]
    taken = with_spans(accepted(*rows), zone)
    split = day_weights(taken, zone, day_start)
    assert (split["weight"] > 0).all()
    assert not split.select("line", "day").is_duplicated().any()
    for line, start, end in taken.select("line", "span_start", "span_end").rows():
        shares = dict(split.filter(pl.col("line") == line).select("day", "weight").rows())
        assert sum(shares.values()) == WEIGHT_OF_ONE
        for day, quota in naive_quotas(start, end, zone, day_start).items():
            assert abs(shares.get(day, 0) - quota) < 1


def naive_quotas(start: datetime, end: datetime, zone: str, day_start: time) -> dict[date, Fraction]:
    end = max(end, start + timedelta(microseconds=1))
    day = start.date() - timedelta(days=2)
    quotas = {}
    while day <= end.date() + timedelta(days=2):
        following = day + timedelta(days=1)
        begins, ends = (
            datetime.combine(each, day_start, ZoneInfo(zone)).astimezone(UTC) for each in (day, following)
        )
        overlap = (min(end, ends) - max(start, begins)) // timedelta(microseconds=1)
        if overlap > 0:
            total = (end - start) // timedelta(microseconds=1)
            quotas[day] = Fraction(overlap * WEIGHT_OF_ONE, total)
        day = following
    return quotas


class TestHours:
    """Weights over the hours of the week."""

    def weights(self, *rows: dict[str, Any], zone: str = LONDON) -> list[tuple[int, int]]:
        return (
            hour_weights(accepted(*rows), zone)
            .weights.select("hour_of_week", "weight")
            .sort("hour_of_week")
            .rows()
        )

    def test_monday_begins_at_nought(self) -> None:
        monday = utc(2014, 6, 1, 23, 0)  # Monday 2 June, 00:00 summer time
        assert self.weights(row("a", occurred_from=monday)) == [(0, 1_000_000)]
        assert self.weights(row("a", occurred_from=monday - timedelta(minutes=1))) == [(167, 1_000_000)]

    def test_range_is_split_by_local_hours(self) -> None:
        """Thursday 09:30 to 11:00: a third and two thirds."""
        ranged = row("a", occurred_from=utc(2014, 1, 2, 9, 30), occurred_to=utc(2014, 1, 2, 11))
        assert self.weights(ranged) == [(3 * 24 + 9, 333_333), (3 * 24 + 10, 666_667)]
        kathmandu = row(
            "a", occurred_from=utc(2014, 1, 2, 0), occurred_to=utc(2014, 1, 2, 1)
        )  # 05:45 to 06:45
        assert self.weights(kathmandu, zone="Asia/Kathmandu") == [(77, 250_000), (78, 750_000)]

    def test_doubled_hour_counts_twice(self) -> None:
        """Sunday 26 October 2014, 00:00 to 03:00 London: four hours, two of them from one to two."""
        night = row("a", occurred_from=utc(2014, 10, 25, 23), occurred_to=utc(2014, 10, 26, 3))
        assert self.weights(night) == [(144, 250_000), (145, 500_000), (146, 250_000)]

    def test_whole_weeks_are_flat_and_coarse_or_long_ones_left_out(self) -> None:
        week = row("a", occurred_from=utc(2014, 1, 1), occurred_to=utc(2014, 1, 8))
        assert {weight for _, weight in self.weights(week)} == {5952, 5953}
        found = hour_weights(
            accepted(
                week,
                row("b", time_precision="day"),
                row("c", time_precision="month"),
                row("d", occurred_to=utc(2015, 6, 2)),
            ),
            LONDON,
        )
        assert (found.too_coarse, found.over_long) == (2, 1)
        assert found.weights["incident_key"].unique().to_list() == ["a"]

    @settings(max_examples=25)
    @given(st.lists(st.tuples(starts, st.integers(0, 40_000)), max_size=8))
    def test_weights_sum_exactly(self, spans: list[tuple[datetime, int]]) -> None:
        rows = [
            row(
                str(number),
                occurred_from=start.replace(tzinfo=UTC),
                occurred_to=start.replace(tzinfo=UTC) + timedelta(minutes=minutes),
            )
            for number, (start, minutes) in enumerate(spans)
        ]
        weights = hour_weights(accepted(*rows), LONDON).weights
        sums = weights.group_by("incident_key").agg(pl.col("weight").sum())
        assert sums["weight"].to_list() == [WEIGHT_OF_ONE] * len(rows)
        assert weights["hour_of_week"].is_between(0, 167).all()

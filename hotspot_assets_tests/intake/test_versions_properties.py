"""What holds for any deliveries: order plays no part where a clock tells, counts add up, nothing is lost."""

from __future__ import annotations

from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from hotspot_assets.intake.versions import as_known
from hotspot_assets_tests.intake.rows import Lake, day, row

PRESENT = ["incident_key", "offence_code", "status", "latitude", "modified_at"]
# Incidents do not touch each other, so each example tries many histories at once.
KEYS = st.sampled_from("abcdefghijkl")

# A source with a clock: content changes with `modified_at`. Hour 99 stands for "no time".
clocked = st.builds(lambda key, hour, back: (key, hour, back), KEYS, st.integers(0, 5), st.booleans())
deliveries_with_clock = st.lists(st.lists(clocked, max_size=18), min_size=2, max_size=4)


def clocked_row(key: str, hour: int, back: bool) -> dict[str, Any]:
    if back:
        return row(key, reversal=True, modified_at=None if hour == 5 else day(-5, hour))
    if hour == 0:
        return row(key, status="never modified")
    return row(key, modified_at=day(-5, hour), status=f"as of {hour}", latitude=51.0 + hour / 10)


@settings(max_examples=25)
@given(deliveries_with_clock, st.randoms(use_true_random=False))
def test_any_order_of_the_same_deliveries_ends_in_the_same_present_state(
    deliveries: list[list[tuple[str, int, bool]]], chance: Any
) -> None:
    files = [[clocked_row(*values) for values in rows] for rows in deliveries]
    states = []
    for _ in range(2):
        lake = Lake()
        for rows in files:
            lake.take(*rows)
        states.append(lake.open(PRESENT))
        chance.shuffle(files)
        for rows in files:
            chance.shuffle(rows)
    assert states[0] == states[1]


@settings(max_examples=20)
@given(st.lists(st.lists(KEYS, max_size=12), min_size=2, max_size=4), st.randoms(use_true_random=False))
def test_published_deliveries_without_a_clock_may_come_in_any_order(
    deliveries: list[list[str]], chance: Any
) -> None:
    files = [
        (number, [row(key, status=f"{number}") for key in keys]) for number, keys in enumerate(deliveries)
    ]
    states = []
    for _ in range(2):
        lake = Lake()
        for number, rows in files:
            lake.take(*rows, knowledge="published", published_at=day(number - 10))
        states.append(lake.open(PRESENT))
        chance.shuffle(files)
    assert states[0] == states[1]


@settings(max_examples=20)
@given(deliveries_with_clock)
def test_present_state_is_what_a_plain_reading_of_all_rows_says(
    deliveries: list[list[tuple[str, int, bool]]],
) -> None:
    """Oracle without versions: per key, the last content against the last reversal."""
    lake = Lake()
    for rows in deliveries:
        lake.take(*(clocked_row(*values) for values in rows))
    told = [values for rows in deliveries for values in rows]
    expected = []
    for key in sorted({key for key, *_ in told}):
        contents = [hour for name, hour, back in told if name == key and not back]
        reversals = [hour for name, hour, back in told if name == key and back]
        if contents and (not reversals or (5 not in reversals and max(contents) > max(reversals))):
            hour = max(contents)
            expected.append((key, "never modified" if hour == 0 else f"as of {hour}"))
    assert lake.open(["incident_key", "status"]) == expected


@settings(max_examples=20)
@given(deliveries_with_clock)
def test_known_from_never_goes_back_and_the_past_stays_as_it_was(
    deliveries: list[list[tuple[str, int, bool]]],
) -> None:
    lake = Lake()
    readings = []
    for rows in deliveries:
        lake.take(*(clocked_row(*values) for values in rows), knowledge="recorded")
        readings.append(as_known(lake.versions.lazy(), day(lake.last), lake.last).collect())
    grown = lake.versions.sort("incident_key", "delivery_seq")
    steps = grown.select(pl.col("known_from").diff().over("incident_key").dt.total_microseconds())
    assert (steps.to_series().drop_nulls() >= 0).all()
    for number, reading in enumerate(readings, start=1):
        assert as_known(lake.versions.lazy(), day(number), number).collect().equals(reading)


@settings(max_examples=12)
@given(deliveries_with_clock)
def test_delivering_again_changes_nothing(deliveries: list[list[tuple[str, int, bool]]]) -> None:
    lake = Lake()
    for rows in deliveries:
        lake.take(*(clocked_row(*values) for values in rows))
        again = lake.take(*(clocked_row(*values) for values in rows))
        assert again.versions.is_empty()

"""Heaps, by hand and on real incidents counted with the csv module."""

from __future__ import annotations

import csv
import gzip
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hotspot_assets.intake.delivery import read_delivery
from hotspot_assets.intake.heaps import TimeHeaps, geocode_heaps, time_heaps
from hotspot_assets.intake.validation import IntakeOptions
from hotspot_assets_tests.intake.rows import accepted, row


def at(hour: int, minute: int, precision: str = "minute", month: int = 7) -> dict[str, object]:
    return row(
        f"{hour}:{minute}",
        occurred_from=datetime(2014, month, 2, hour, minute, tzinfo=UTC),
        time_precision=precision,
    )


def test_heaps_are_told_by_the_clock_of_the_place() -> None:
    """In July London is an hour ahead: 23:00 and 23:01 UTC are midnight there, 11:00 is noon."""
    rows = [
        at(23, 0),
        at(23, 1),
        at(11, 0),
        at(9, 45),
        at(10, 7),
        at(0, 0),
        at(23, 0, "day"),
        at(0, 0, "month"),
    ]
    assert time_heaps(accepted(*rows), "Europe/London") == TimeHeaps(6, 2 / 6, 1 / 6, 3 / 6, 4 / 6)


def test_no_time_to_the_minute_is_no_heap() -> None:
    assert time_heaps(accepted(at(0, 0, "day")), "UTC") == TimeHeaps(0, 0.0, 0.0, 0.0, 0.0)


def test_every_minute_of_a_day_once_gives_the_shares_of_chance() -> None:
    rows = [at(minute // 60, minute % 60) for minute in range(24 * 60)]
    heaps = time_heaps(accepted(*rows), "UTC")
    assert heaps == TimeHeaps(1440, 2 / 1440, 1 / 1440, 24 / 1440, 96 / 1440)


def test_points_with_most_incidents_come_first() -> None:
    frame = accepted(
        *(row(f"a{n}", latitude=51.5, longitude=-0.1, offence_group="theft") for n in range(3)),
        row("a4", latitude=51.5, longitude=-0.1, offence_group="robbery"),
        *(row(f"b{n}", latitude=51.6, longitude=-0.2) for n in range(2)),
        *(row(f"c{n}", latitude=51.4, longitude=-0.2) for n in range(2)),
        row("d", latitude=51.7, longitude=-0.2),
        row("e", latitude=None, longitude=None),
    )
    assert geocode_heaps(frame, 2).rows() == [(51.5, -0.1, 4, 4 / 9, 2), (51.4, -0.2, 2, 2 / 9, 1)]
    assert geocode_heaps(frame, 10).height == 3
    assert geocode_heaps(frame.clear(), 10).height == 0


def test_chicago_heaps_equal_a_plain_count(shared_data: Path) -> None:
    path = shared_data / "chicago/chicago_crimes_2015_jan_apr.csv.gz"
    options = IntakeOptions(datetime(2019, 1, 1, tzinfo=UTC), b"0123456789abcdef", exclude_domestic=False)
    frame = read_delivery(path, options).accepted
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    times = [datetime.strptime(each["Date"], "%m/%d/%Y %I:%M:%S %p") for each in rows]
    # The hour that spring skipped is known to the hour only and takes no part.
    times = [time for time in times if not (time.date() == datetime(2015, 3, 8).date() and time.hour == 2)]
    heaps = time_heaps(frame, "America/Chicago")
    assert heaps.incidents == len(times)
    assert heaps.at_midnight == pytest.approx(sum(t.hour == 0 and t.minute <= 1 for t in times) / len(times))
    assert heaps.on_the_hour == pytest.approx(sum(t.minute == 0 for t in times) / len(times))
    assert heaps.on_the_hour > 0.25
    points = Counter((each["Latitude"], each["Longitude"]) for each in rows if each["Latitude"])
    assert geocode_heaps(frame, 5)["incidents"].to_list() == [count for _, count in points.most_common(5)]

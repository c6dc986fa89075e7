"""St. Louis 2014, a file a month through a home: what each touches is what is refreshed, and nothing else.

The truth is a plain dictionary over the text of the files: of each complaint and crime code the last row, unless
taken back.
"""

from __future__ import annotations

import calendar
import csv
import gzip
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import pytest

from hotspot_assets.settings import Settings
from hotspot_assets.warehouse.audits import deliveries_that_do_not_add_up, stale
from hotspot_assets.warehouse.forecasts import outcomes_between
from hotspot_assets.warehouse.lake import Lake, Stamp
from hotspot_assets.workflow.bucketing import bucket_new_deliveries
from hotspot_assets.workflow.deliveries import Declaration, take_in
from hotspot_assets.workflow.outcomes import judge

from .homes import forecast, home_in, lake_of

SETTINGS = """
[area]
timezone = "America/Chicago"
extent = [38.5, -90.35, 38.8, -90.15]
[intake]
excluded_groups = []
[trial]
models = ["count_28"]
"""
MONTHS = tuple(calendar.month_name[1:])
FIRST_LOAD = 5
JUDGED = date(2014, 5, 1), date(2014, 5, 31)
EARLIEST = date(1990, 1, 1)
"""The first day that the data contract takes."""

State = dict[tuple[str, str], tuple[date, str, str]]


def told_by(path: Path, state: State, reversed_keys: set[tuple[str, str]]) -> State:
    """The state after a file: day and place of each incident not taken back."""
    after = dict(state)
    with gzip.open(path, "rt", encoding="cp1252", newline="") as text:
        rows = [{name: value.strip() for name, value in row.items()} for row in csv.DictReader(text)]
    for row in rows:
        key = row["Complaint"], row["Crime"].zfill(6)
        if row["Count"] == "-1":
            reversed_keys.add(key)
        else:
            day = datetime.strptime(row["DateOccur"], "%m/%d/%Y %H:%M").date()
            after[key] = (day, f"{float(row['XCoord']):.1f}", f"{float(row['YCoord']):.1f}")
    return {key: told for key, told in after.items() if key not in reversed_keys}


def days_that_differ(before: State, after: State) -> set[date]:
    """Days with an incident that came, went or moved; one without a place or before the contract weighs nothing."""
    changed = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    told = [state[key] for key in changed for state in (before, after) if key in state]
    return {day for day, x, y in told if (x, y) != ("0.0", "0.0") and day >= EARLIEST}


@dataclass(frozen=True)
class Step:
    """One file taken in: the days it touched by the plain count, the days refreshed, and those found stale."""

    month: str
    truly: set[date]
    refreshed: set[date]
    stale: set[date]


@dataclass(frozen=True)
class Year:
    settings: Settings
    lake: Lake
    steps: list[Step]


@pytest.fixture(scope="module")
def year(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Year]:
    """Five months as the first load, judged forecasts of April and May, then the other files one by one."""
    settings = home_in(tmp_path_factory.mktemp("st_louis"), SETTINGS)
    settings.landing.mkdir(parents=True)
    lake, state, taken_back, steps = lake_of(settings), State(), set[tuple[str, str]](), list[Step]()
    for number, month in enumerate(MONTHS):
        path = shared_data / f"st_louis/stl_{month}2014.csv.gz"
        landed = Path(shutil.copy(path, settings.landing))
        stamp = Stamp("tester", month)
        take_in(lake, settings, landed, Declaration(history=number < FIRST_LOAD), stamp)
        refreshed = bucket_new_deliveries(lake, settings, stamp).days
        before, state = state, told_by(path, state, taken_back)
        steps.append(Step(month, days_that_differ(before, state), refreshed, set(stale(lake)["day"])))
        if number == FIRST_LOAD - 1:
            forecast(settings, *JUDGED)
        if number >= FIRST_LOAD - 1:
            list(judge(lake, settings, *JUDGED, date(2026, 1, 1), stamp))
    yield Year(settings, lake, steps)
    lake.close()


def test_the_counts_of_every_delivery_add_up(year: Year) -> None:
    assert deliveries_that_do_not_add_up(year.lake).is_empty()
    found = year.lake.read("SELECT sum(rows_read) AS rows, sum(rows_reversed) AS back FROM deliveries")
    assert found.row(0) == (44_506, 582)


def test_the_days_a_file_touches_are_the_days_refreshed(year: Year) -> None:
    for step in year.steps:
        assert step.refreshed == step.truly, step.month


def test_the_judged_days_among_them_are_noted_stale_and_no_others(year: Year) -> None:
    late = year.steps[FIRST_LOAD:]
    assert sum(len(step.stale) for step in late) > 20
    for step in late:
        assert step.stale == {day for day in step.truly if JUDGED[0] <= day <= JUDGED[1]}, step.month


def test_days_judged_again_end_as_days_judged_once_at_the_end(year: Year) -> None:
    assert stale(year.lake).is_empty()
    kept = outcomes_between(year.lake, *JUDGED).drop("delivery_seq")
    list(judge(year.lake, year.settings, *JUDGED, date(2026, 1, 1), Stamp("tester", "once more")))
    again = outcomes_between(year.lake, *JUDGED).drop("delivery_seq")
    order = ["forecast_date", "model", "offence_group", "coverage"]
    assert kept.height > 0
    assert again.sort(order).equals(kept.sort(order))

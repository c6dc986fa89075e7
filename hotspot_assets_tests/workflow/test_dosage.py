"""Visits back from patrol: taken in once, rejected with reasons, and set against what was planned."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from hotspot_assets.definitions import build_definitions
from hotspot_assets.defs.operate import run_job
from hotspot_assets.settings import Settings
from hotspot_assets.warehouse.dosage import dosage_by_unit
from hotspot_assets.warehouse.forecasts import areas_between
from hotspot_assets.warehouse.lake import Lake
from hotspot_assets.workflow.dosage import make_dosage, take_in_visits, touched_days
from hotspot_assets.workflow.patrols import make_patrol_areas
from hotspot_assets_tests.workflow.homes import deliver, forecast, lake_of, town
from hotspot_assets_tests.workflow.test_patrols import DAY, SHIFTS, STAMP, settings_of

HEAD = "unit,area,enter,leave,activity\n"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[tuple[Settings, Lake]]:
    settings = settings_of(tmp_path, SHIFTS)
    deliver(settings, "town.csv", town(200))
    forecast(settings, DAY, DAY)
    lake = lake_of(settings)
    list(make_patrol_areas(lake, settings, DAY, DAY, STAMP))
    settings.visits.mkdir()
    yield settings, lake
    lake.close()


def landed(settings: Settings, name: str, text: str) -> Path:
    path = settings.visits / name
    path.write_text(HEAD + text, encoding="utf-8")
    return path


def test_planned_against_delivered_by_hand(home: tuple[Settings, Lake]) -> None:
    """A visit that runs over the end of its shift counts to the end; one of the night may end on the next day."""
    settings, lake = home
    file = landed(
        settings,
        "visits.csv",
        "West,West-burglary-1-late,2020-03-10T12:30,2020-03-10T12:42,foot\n"
        "West,West-burglary-1-late,2020-03-10T19:50,2020-03-10T20:30,vehicle\n"
        "East,East-burglary-1-night,2020-03-11T01:00,2020-03-11T01:15,foot\n"
        "East,East-burglary-1-early,2020-03-10T18:00,2020-03-10T18:10,foot\n"
        "East,,2020-03-10T18:00,2020-03-10T18:10,foot\n"
        "East,East-burglary-1-early,2020-03-10T18:30,2020-03-10T18:10,foot\n",
    )
    taken = take_in_visits(lake, settings, file, STAMP)
    assert str(taken) == "visits.csv: 4 visits, rejected: no_area: 1, order: 1"
    assert touched_days([taken]) == (DAY - timedelta(days=1), DAY + timedelta(days=1))
    made = make_dosage(lake, settings, *touched_days([taken]), STAMP)  # type: ignore[misc]
    got = {row["area_id"]: row for row in made.rows.to_dicts()}
    west = got["West-burglary-1-late"]
    assert (west["planned_minutes"], west["delivered_minutes"]) == (30.0, 22.0)
    assert (west["visits"], west["visits_of_advised_length"]) == (2, 1)
    assert got["East-burglary-1-night"]["delivered_share"] == pytest.approx(0.5)
    assert got["East-burglary-1-early"]["visits"] == 0, "18:00 is not in the early shift"
    assert made.elsewhere == 1
    assert made.rows["issue_id"].null_count() == made.rows.height, "nothing was issued"
    assert made.rows.height == areas_between(lake, DAY, DAY).height
    units = {row["unit"]: row for row in dosage_by_unit(lake, DAY, DAY).to_dicts()}
    assert units["West"]["delivered_minutes"] == 22.0 and units["East"]["visited"] == 1
    assert lake.read("SELECT kind, subject FROM ledger ORDER BY sequence DESC LIMIT 1").row(0) == (
        "collection", "visits to patrol areas",
    )  # fmt: skip


def test_the_same_file_twice_counts_once_and_a_file_with_people_is_set_aside(
    home: tuple[Settings, Lake],
) -> None:
    settings, lake = home
    row = "West,West-burglary-1-late,2020-03-10T12:30,2020-03-10T12:42,foot\n"
    first = take_in_visits(lake, settings, landed(settings, "a.csv", row), STAMP)
    again = take_in_visits(lake, settings, landed(settings, "b.csv", row), STAMP)
    assert first.new and not again.new and "known already" in str(again)
    assert lake.read("SELECT count(*) FROM visits").item() == 1
    path = settings.visits / "who.csv"
    path.write_text("unit,area,enter,leave,activity,officer\n1,2,3,4,5,PC 1234\n", encoding="utf-8")
    refused = take_in_visits(lake, settings, path, STAMP)
    assert refused.refused is not None and "officer" in refused.refused and "1234" not in refused.refused
    assert (settings.visits / "set_aside" / "who.csv.reason.txt").exists() and not path.exists()
    assert {each.name for each in (settings.visits / "ingested").iterdir()} == {"a.csv", "b.csv"}


def test_days_without_areas_have_no_dosage(home: tuple[Settings, Lake]) -> None:
    settings, lake = home
    made = make_dosage(lake, settings, DAY + timedelta(days=5), DAY + timedelta(days=6), STAMP)
    assert made.rows.is_empty() and made.elsewhere == 0


def test_the_asset_says_what_became_of_files(home: tuple[Settings, Lake]) -> None:
    settings, _ = home
    landed(settings, "ok.csv", "West,West-burglary-1-late,2020-03-10T12:30,2020-03-10T12:42,foot\n")
    landed(settings, "odd.csv", "a,b\n").write_text("a,b\n1,2\n", encoding="utf-8")
    result = run_job(settings, build_definitions(settings), "dosage")
    (event,) = result.asset_materializations_for_node("patrol_dosage")
    said = {name: value.value for name, value in event.metadata.items()}
    assert said["visits"] == 1 and said["files_set_aside"] == 1 and said["delivered_minutes"] == 12.0
    assert "ok.csv: 1 visits, rejected: none" in said["files"] and "odd.csv: set aside" in said["files"]
    assert "West: 12 of " in said["by_unit"]

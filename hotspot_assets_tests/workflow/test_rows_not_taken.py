"""Rows that are rejected or left out still say something of the incident they name."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from hotspot_assets.settings import Settings
from hotspot_assets.warehouse.lake import Lake, Stamp
from hotspot_assets.workflow.bucketing import bucket_new_deliveries
from hotspot_assets.workflow.deliveries import Declaration, Taken, take_in

from .homes import COLUMNS, home_in, lake_of, row

AT = datetime(2020, 2, 3, 4, 5, tzinfo=UTC)
COMPLETE = Declaration(complete_for=(date(2020, 2, 1), date(2020, 2, 29)), closings_approved=True)


def deliver(
    lake: Lake, settings: Settings, name: str, rows: list[tuple[str, ...]], declared: Declaration
) -> Taken:
    settings.landing.mkdir(parents=True, exist_ok=True)
    pl.DataFrame(rows, schema=COLUMNS, orient="row").write_csv(settings.landing / name)
    stamp = Stamp("tester", name)
    taken = take_in(lake, settings, settings.landing / name, declared, stamp)
    bucket_new_deliveries(lake, settings, stamp)
    return taken


@pytest.mark.parametrize("declared", [Declaration(), COMPLETE])
def test_an_incident_that_turns_out_to_be_left_out_by_the_contract_weighs_nothing(
    tmp_path: Path, declared: Declaration
) -> None:
    settings = home_in(tmp_path)
    lake = lake_of(settings)
    deliver(lake, settings, "first.csv", [row("A", AT), row("B", AT)], Declaration())
    taken = deliver(lake, settings, "second.csv", [row("A", AT), row("B", AT, code="sexual")], declared)
    assert (taken.row["rows_excluded"], taken.row["incidents_excluded"]) == (1, 1)
    assert taken.row["incidents_vanished"] == 0
    assert "1 closed as left out by now" in str(taken)
    assert lake.read("SELECT sum(weight) FROM hexagon_incidents").item() == 1_000_000
    assert lake.read("SELECT DISTINCT offence_group FROM incidents").rows() == [("burglary",)]
    lake.close()


def test_an_incident_whose_row_cannot_be_read_stays_as_it_was_known(tmp_path: Path) -> None:
    settings = home_in(tmp_path)
    lake = lake_of(settings)
    deliver(lake, settings, "first.csv", [row("A", AT), row("B", AT), row("C", AT)], Declaration())
    taken = deliver(lake, settings, "second.csv", [row("A", AT), row("B", AT, code="no such code")], COMPLETE)
    assert (taken.row["rows_rejected"], taken.row["incidents_vanished"]) == (1, 1)
    assert lake.read("SELECT sum(weight) FROM hexagon_incidents").item() == 2_000_000
    lake.close()

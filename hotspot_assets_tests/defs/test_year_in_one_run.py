"""A year in a single run: an auditor finds facts and the result of each check for every one of its days."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import dagster as dg
import pytest

from hotspot_assets.definitions import build_definitions
from hotspot_assets.defs import operate
from hotspot_assets.defs.automation import FORECAST_JOB
from hotspot_assets.settings import Settings
from hotspot_assets.warehouse.forecasts import headers_of
from hotspot_assets_tests.workflow.homes import LAST_DAY, deliver, home_in, lake_of, town

DAYS = [LAST_DAY + timedelta(days=number) for number in range(365)]
KEYS = [day.isoformat() for day in DAYS]
SCORES = dg.AssetKey("proximity_scores")


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    settings = home_in(tmp_path_factory.mktemp("home"))
    deliver(settings, "town.csv", town())
    days = DAYS[0], DAYS[-1]
    operate.run_job(settings, build_definitions(settings), FORECAST_JOB, days=days, only=["proximity_scores"])
    return settings


@pytest.fixture
def instance(settings: Settings) -> Iterator[dg.DagsterInstance]:
    with operate.instance_of(settings) as instance:
        yield instance


def test_it_was_one_run(instance: dg.DagsterInstance) -> None:
    assert [run.is_success for run in instance.get_runs()] == [True]


def test_every_day_has_a_check_result_of_its_own(instance: dg.DagsterInstance) -> None:
    check = dg.AssetCheckKey(SCORES, "surfaces_are_shares")
    history = instance.event_log_storage.get_asset_check_execution_history(check, limit=1000)
    results = Counter((record.partition, record.status.value) for record in history)
    summary = {(None, "SUCCEEDED"): 1}
    assert results == Counter({(key, "SUCCEEDED"): 1 for key in KEYS} | summary)
    facts = [
        record.event.asset_check_evaluation.metadata
        for record in history
        if record.partition and record.event
    ]
    assert facts and all(
        isinstance(each["surfaces"], dg.IntMetadataValue) for each in facts
    )  # text cannot be plotted


def test_every_day_has_facts_of_its_own(instance: dg.DagsterInstance, settings: Settings) -> None:
    found = instance.fetch_materializations(SCORES, limit=1000)
    assert len(found.records) == len(KEYS)
    facts = {record.partition_key: record.asset_materialization for record in found.records}
    headers = headers_of(lake_of(settings), DAYS[0], DAYS[-1])
    cut_offs = {
        day.isoformat(): at.isoformat() for day, at in headers.select("forecast_date", "cut_off").iter_rows()
    }
    assert {key: each.metadata["cut_off"].value for key, each in facts.items() if each and key} == cut_offs
    assert sorted(cut_offs) == KEYS

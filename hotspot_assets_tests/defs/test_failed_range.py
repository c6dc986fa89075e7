"""A range that fails keeps the days it wrote, and Dagster says which."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import dagster as dg
import pytest

from hotspot_assets.definitions import build_definitions
from hotspot_assets.defs import automation, operate
from hotspot_assets.settings import Settings
from hotspot_assets.warehouse.lake import Stamp
from hotspot_assets.warehouse.reads import delivery_clocks
from hotspot_assets.workflow.study_area import study_area_of_month
from hotspot_assets_tests.workflow.homes import LAST_DAY, deliver, home_in, lake_of, town


def scores_only(settings: Settings) -> dg.Definitions:
    """The home's definitions with a job of the scores alone."""
    job = dg.define_asset_job("scores", dg.AssetSelection.assets("proximity_scores"))
    return dg.Definitions.merge(build_definitions(settings), dg.Definitions(jobs=[job]))


def results_by_day(instance: dg.DagsterInstance, asset: str, check: str) -> dict[str | None, str]:
    key = dg.AssetCheckKey(dg.AssetKey(asset), check)
    history = instance.event_log_storage.get_asset_check_execution_history(key, limit=100)
    return {record.partition: record.status.value for record in history}


def test_the_days_before_the_failure_are_written_and_known_as_such(tmp_path: Path) -> None:
    settings = home_in(tmp_path)
    deliver(settings, "town.csv", town())
    lake = lake_of(settings)
    second = date(LAST_DAY.year, LAST_DAY.month, 1)
    first, last = second - timedelta(days=2), second + timedelta(days=1)
    area = study_area_of_month(lake, settings, second, delivery_clocks(lake), Stamp())
    settings.cache.mkdir(exist_ok=True)
    (settings.cache / f"neighbours-{area.study_area_id}-0.npy").write_bytes(b"torn")  # a count reads no rings
    with pytest.raises(operate.RunFailed):
        operate.run_job(settings, scores_only(settings), "scores", days=(first, last))
    with operate.instance_of(settings) as instance:
        done = instance.get_materialized_partitions(dg.AssetKey("proximity_scores"))
        (run,) = instance.get_runs(limit=1)
        said = [event.message for event in instance.all_logs(run.run_id)]
        checked = results_by_day(instance, "proximity_scores", "surfaces_are_shares")
    written = [first, first + timedelta(days=1)]
    assert sorted(done) == [day.isoformat() for day in written]
    there = lake.read("SELECT DISTINCT forecast_date AS day FROM proximity_scores ORDER BY day")
    assert there["day"].to_list() == written
    assert any(f"2 of 4 days are written and stay; left: {second} to {last}, 2 days" in each for each in said)
    assert {day: checked.get(day.isoformat()) for day in written} == dict.fromkeys(written, "SUCCEEDED")


def test_files_of_the_days_before_a_failure_are_known_as_such(tmp_path: Path) -> None:
    """A file stands where the folder of the third day belongs."""
    settings = home_in(tmp_path)
    deliver(settings, "town.csv", town())
    first, last = LAST_DAY - timedelta(days=3), LAST_DAY
    names = ("proximity_scores", "patrol_areas", "patrol_maps")
    job = dg.define_asset_job("maps", dg.AssetSelection.assets(*names))
    settings.outputs.mkdir(parents=True)
    (settings.outputs / (first + timedelta(days=2)).isoformat()).write_text("in the way")
    definitions = dg.Definitions.merge(build_definitions(settings), dg.Definitions(jobs=[job]))
    with pytest.raises(operate.RunFailed):
        operate.run_job(settings, definitions, "maps", days=(first, last))
    with operate.instance_of(settings) as instance:
        done = {name: len(instance.get_materialized_partitions(dg.AssetKey(name))) for name in names}
        (run,) = instance.get_runs(limit=1)
        said = [event.message for event in instance.all_logs(run.run_id)]
    assert done == {"proximity_scores": 4, "patrol_areas": 4, "patrol_maps": 2}
    assert any("2 of 4 days are written and stay; left: " in each for each in said)


def test_each_day_of_a_range_says_that_nothing_of_it_can_be_judged(tmp_path: Path) -> None:
    """No forecast was made for these days, and the models of the trial had nothing to be fitted on."""
    settings = home_in(tmp_path, '[area]\nas_of = 2020-03-01\n[trial]\nmodels = ["learned"]\n')
    deliver(settings, "town.csv", town())
    first = date(2020, 1, 20)
    operate.run_job(
        settings,
        build_definitions(settings),
        automation.OUTCOMES_JOB,
        days=(first, first + timedelta(days=3)),
    )
    with operate.instance_of(settings) as instance:
        found = instance.fetch_materializations(dg.AssetKey("forecast_outcomes"), limit=10).records
    said = {each.partition_key: each.asset_materialization.metadata["said"].value for each in found}
    assert said == {
        (first + timedelta(days=n)).isoformat(): "no forecast of this day can be judged" for n in range(4)
    }

"""A range that fails keeps the days it wrote, and Dagster says which."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import dagster as dg
import pytest

from hotspot_assets.definitions import build_definitions
from hotspot_assets.defs import operate
from hotspot_assets.settings import Settings
from hotspot_assets.warehouse.reads import newest_delivery
from hotspot_assets.workflow.study_area import study_area_of_month
from hotspot_assets_tests.workflow.homes import LAST_DAY, deliver, home_in, lake_of, town


def scores_only(settings: Settings) -> dg.Definitions:
    """The home's definitions with a job of the scores alone."""
    job = dg.define_asset_job("scores", dg.AssetSelection.assets("proximity_scores"))
    return dg.Definitions.merge(build_definitions(settings), dg.Definitions(jobs=[job]))


def test_the_days_before_the_failure_are_written_and_known_as_such(tmp_path: Path) -> None:
    settings = home_in(tmp_path)
    deliver(settings, "town.csv", town())
    lake = lake_of(settings)
    second = date(LAST_DAY.year, LAST_DAY.month, 1)
    first, last = second - timedelta(days=2), second + timedelta(days=1)
    area = study_area_of_month(lake, settings, second, newest_delivery(lake))
    settings.cache.mkdir(exist_ok=True)
    (settings.cache / f"neighbours-{area.study_area_id}-0.npy").write_bytes(b"torn")  # a count reads no rings
    with pytest.raises(operate.RunFailed):
        operate.run_job(settings, scores_only(settings), "scores", days=(first, last))
    with operate.instance_of(settings) as instance:
        done = instance.get_materialized_partitions(dg.AssetKey("proximity_scores"))
        (run,) = instance.get_runs(limit=1)
        said = [event.message for event in instance.all_logs(run.run_id)]
    written = [first, first + timedelta(days=1)]
    assert sorted(done) == [day.isoformat() for day in written]
    there = lake.read("SELECT DISTINCT forecast_date AS day FROM proximity_scores ORDER BY day")
    assert there["day"].to_list() == written
    assert any(f"2 of 4 days are written and stay; left: {second} to {last}, 2 days" in each for each in said)

"""The check of the union blocks: where it fails, for a day or within a range, no sheet is made."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import dagster as dg

from hotspot_assets.definitions import build_definitions
from hotspot_assets.workflow.patrols import make_patrol_areas
from hotspot_assets_tests.workflow.homes import deliver, forecast, lake_of, town
from hotspot_assets_tests.workflow.test_patrols import DAY, STAMP, settings_of

CHECK = dg.AssetCheckKey(dg.AssetKey("patrol_areas"), "union_within_cap")


def test_nothing_is_made_of_areas_over_the_cap(tmp_path: Path) -> None:
    """Areas chosen under one cap, checked under a lower one."""
    first = DAY - timedelta(days=1)
    settings = settings_of(tmp_path, "[patrol]\nbudget_km2 = 0.2\nmax_radius_m = 300\n")
    deliver(settings, "town.csv", town(200))
    forecast(settings, first, DAY)
    lake = lake_of(settings)
    list(make_patrol_areas(lake, settings, first, DAY, STAMP))
    lake.close()
    lower = settings.model_copy(update={"patrol": settings.patrol.model_copy(update={"union_share": 0.005})})
    whole = build_definitions(lower)
    job = dg.define_asset_job(
        "briefing",
        dg.AssetSelection.assets("patrol_maps", "patrol_briefing") | dg.AssetSelection.checks(CHECK),
    )
    definitions = dg.Definitions(
        assets=whole.assets,
        asset_checks=whole.asset_checks,
        jobs=[job],
        resources=whole.resources,
        executor=dg.in_process_executor,
    )
    span = {"start": first.isoformat(), "end": DAY.isoformat()}
    for run in (
        {"partition_key": DAY.isoformat()},
        {"tags": {f"dagster/asset_partition_range_{end}": day for end, day in span.items()}},
    ):
        result = definitions.resolve_job_def("briefing").execute_in_process(
            instance=dg.DagsterInstance.ephemeral(), raise_on_error=False, **run
        )
        assert not result.success
        assert not [
            event for event in result.all_events if event.step_key in ("patrol_maps", "patrol_briefing")
        ]
        found = [each for each in result.get_asset_check_evaluations() if each.check_name == CHECK.name]
        days = {each.partition for each in found if each.partition is not None and not each.passed}
        assert days == ({DAY.isoformat()} if "partition_key" in run else {first.isoformat(), DAY.isoformat()})
    assert not settings.outputs.exists()

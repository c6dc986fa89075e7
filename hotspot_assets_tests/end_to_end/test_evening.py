"""An evening from forecast to outcome, as the main job's history tells it: reviewed, issued, patrolled, judged."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import dagster as dg
import polars as pl

from hotspot_assets.definitions import build_definitions
from hotspot_assets.defs.dosage import JOB
from hotspot_assets.defs.operate import instance_of, run_job

from .conftest import Home


def issued_with_a_change(home: Home) -> pl.DataFrame:
    """The issued areas of a judged day whose list a reviewer had changed."""
    found = home.lake.read("""
        SELECT issued.* FROM issued_patrol_areas issued JOIN reviews USING (review_id)
        WHERE reviews.changes > 0 AND issued.origin = 'model'
            AND reviews.forecast_date IN (SELECT forecast_date FROM forecast_outcomes)
        ORDER BY issued.issue_id, issued.offence_group, issued.rank
    """)
    return found.filter(pl.col("issue_id") == found["issue_id"][0])


def test_forecast_changes_issue_dosage_and_outcome_stand_in_one_history(home: Home) -> None:
    areas = issued_with_a_change(home)
    first = areas.row(0, named=True)
    changes = home.lake.read("SELECT * FROM review_changes WHERE review_id = ?", [first["review_id"]])
    assert changes["reason"].null_count() == 0

    home.settings.visits.mkdir(exist_ok=True)
    day, zone = first["forecast_date"], ZoneInfo(home.settings.area.timezone)
    enter = (first["issued_at"] + timedelta(hours=2)).astimezone(zone).replace(tzinfo=None)
    visit = [first["unit"], first["area_id"], enter, enter + timedelta(minutes=14), "foot"]
    text = "unit,area,enter,leave,activity\n" + ",".join(map(str, visit)) + "\n"
    (home.settings.visits / "visits.csv").write_text(text, encoding="utf-8")
    run_job(home.settings, build_definitions(home.settings), JOB)

    dosage = home.lake.read(
        "SELECT issue_id, delivered_minutes FROM patrol_dosage WHERE forecast_date = ? AND area_id = ?",
        [day, first["area_id"]],
    )
    assert dosage.rows() == [(first["issue_id"], 14.0)]
    kinds = home.lake.read("SELECT DISTINCT kind FROM ledger")["kind"].to_list()
    assert {"run", "review", "issue", "collection"} <= set(kinds)
    with instance_of(home.settings) as instance:
        jobs = [run.job_name for run in instance.get_runs() if run.status == dg.DagsterRunStatus.SUCCESS]
        told = {
            name: instance.get_latest_materialization_event(dg.AssetKey(name))
            for name in (
                "patrol_areas",
                "reviews",
                "issued_patrol_areas",
                "patrol_dosage",
                "forecast_outcomes",
            )
        }
    order = ["take_in", "forecast_range", "daily_outcomes", "simulated_reviews", "dosage"]
    assert [name for name in reversed(jobs) if name in order] == order
    assert all(told.values())

"""Review and issue as Dagster's jobs: what they take, what they refuse, and that nothing else decides."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from hotspot_assets.definitions import build_definitions
from hotspot_assets.defs.automation import FORECAST_JOB
from hotspot_assets.defs.operate import RunFailed, run_job
from hotspot_assets.defs.review_checks import checks
from hotspot_assets.defs.reviews import (
    ISSUE_JOB,
    REVIEW_AND_ISSUE_JOB,
    REVIEW_JOB,
    SIMULATED_JOB,
    WITHDRAW_JOB,
)
from hotspot_assets.settings import Settings
from hotspot_assets.warehouse.guards import APPEND_ONLY
from hotspot_assets.workflow.dates import today
from hotspot_assets.workflow.review import decide
from hotspot_assets.workflow.review_results import review_results
from hotspot_assets_tests.workflow.homes import lake_of
from hotspot_assets_tests.workflow.reviewable import (
    DAY,
    EAST,
    MANY_UNITS,
    STAMP,
    WEST,
    person,
    reviewable,
    wish,
)

DECIDERS = {"reviews", "issued_patrol_areas", "withdrawals"}


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    made = reviewable(tmp_path / "home")
    monkeypatch.setenv("DAGSTER_HOME", str(made.dagster_home))
    return made


def decision(settings: Settings, unit: str = WEST, **other: Any) -> dict[str, Any]:
    asked = wish(lake_of(settings), unit)
    return {
        "date": str(DAY), "unit": unit, "decision": "approve", "areas_seen": asked.seen_hash,
        "decisions_seen": asked.seen_round, **other,
    }  # fmt: skip


def config(**assets: Any) -> dict[str, Any]:
    return {"ops": {name: {"config": each} for name, each in assets.items()}}


def review_config(*decisions: dict[str, Any], **other: str) -> dict[str, Any]:
    return {"reviewer": "A. Person", "role": "duty sergeant", "decisions": list(decisions), **other}


def nothing_written(settings: Settings) -> bool:
    lake = lake_of(settings)
    return not any(lake.read(f"SELECT count(*) FROM {table}").item() for table in APPEND_ONLY)


def test_no_schedule_sensor_or_other_job_decides(settings: Settings) -> None:
    definitions = build_definitions(settings)
    jobs = {job.name: definitions.resolve_job_def(job.name) for job in definitions.jobs or ()}
    deciding = {
        name
        for name, job in jobs.items()
        if DECIDERS & {key.to_user_string() for key in job.asset_layer.executable_asset_keys}
    }
    assert deciding == {REVIEW_JOB, ISSUE_JOB, REVIEW_AND_ISSUE_JOB, WITHDRAW_JOB}
    automatic = {each.job_name for each in definitions.schedules or ()}
    automatic |= {target.job_name for each in definitions.sensors or () for target in each.targets}
    assert not automatic & deciding
    assert SIMULATED_JOB not in jobs, "a real place has no job that decides by itself"
    graph = definitions.resolve_asset_graph()
    for name in DECIDERS:
        assert graph.get(dg.AssetKey(name)).automation_condition is None


@pytest.mark.parametrize("job", [REVIEW_JOB, ISSUE_JOB, REVIEW_AND_ISSUE_JOB, WITHDRAW_JOB])
def test_a_job_without_names_does_not_start(settings: Settings, job: str) -> None:
    with pytest.raises(dg.DagsterInvalidConfigError):
        run_job(settings, build_definitions(settings), job)
    assert nothing_written(settings)


REFUSED = {
    "not looked at": ({"areas_seen": "0" * 64}, "not the ones that were looked at"),
    "no hash": ({"areas_seen": ""}, "not the ones that were looked at"),
    "no date": ({"date": "tomorrow"}, "no date"),
    "a change without reason": (
        {"changes": [{"action": "drop", "area_id": f"{WEST}-burglary-1", "reason": ""}]},
        "Give a reason",
    ),
}


@pytest.mark.parametrize(("other", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_a_decision_that_may_not_be_taken_fails_the_run_in_one_line(
    settings: Settings, other: dict[str, Any], said: str
) -> None:
    asked = config(
        reviews=review_config(decision(settings, **other)), issued_patrol_areas={"issued_by": "A. Person"}
    )
    with pytest.raises(RunFailed, match=said) as failed:
        run_job(settings, build_definitions(settings), REVIEW_AND_ISSUE_JOB, config=asked)
    assert len(str(failed.value).splitlines()) == 1
    assert nothing_written(settings)


def test_issuing_without_an_approval_fails_the_run(settings: Settings) -> None:
    definitions = build_definitions(settings)
    for asked, said in (({}, "at least one approval"), ({"reviews": ["0123456789abcdef"]}, "no review")):
        with pytest.raises(RunFailed, match=said):
            run_job(
                settings,
                definitions,
                ISSUE_JOB,
                config=config(issued_patrol_areas={"issued_by": "A. Person", **asked}),
            )
    rejected = decision(settings, decision="reject", reason="resource")
    with pytest.raises(RunFailed, match="at least one approval"):
        run_job(
            settings,
            definitions,
            REVIEW_AND_ISSUE_JOB,
            config=config(reviews=review_config(rejected), issued_patrol_areas={"issued_by": "A. Person"}),
        )
    lake = lake_of(settings)
    assert lake.read("SELECT state FROM reviews")["state"].to_list() == ["rejected"]
    assert lake.read("SELECT count(*) FROM issued_patrol_areas").item() == 0


def test_a_simulation_is_refused_where_the_place_is_real(settings: Settings) -> None:
    """Even where somebody brings the job of the fictional city along."""
    from hotspot_assets.defs.living_runs import lake_of_run
    from hotspot_assets.defs.reviews import simulated_reviews

    days = {"first": str(DAY - timedelta(days=2)), "last": str(DAY - timedelta(days=1))}
    resources = {"settings": settings, "lake": lake_of_run(settings)}
    result = dg.Definitions(jobs=[simulated_reviews], resources=resources).resolve_job_def(SIMULATED_JOB)
    done = result.execute_in_process(
        run_config={"ops": {"play_reviews": {"config": days}}}, raise_on_error=False
    )
    assert not done.success
    assert nothing_written(settings)


def test_a_full_evening(settings: Settings) -> None:
    """Forecast, two changes with reasons, approval, issue, a second person told, withdrawal: in one history."""
    definitions = build_definitions(settings)
    assert today(settings) == DAY
    run_job(settings, definitions, FORECAST_JOB, days=(DAY, DAY))
    opened_at = (datetime.now(UTC) - timedelta(minutes=3)).isoformat()
    changes = [
        {"action": "drop", "area_id": f"{WEST}-burglary-2", "reason": "already_tasked"},
        {
            "action": "reorder",
            "area_id": f"{WEST}-burglary-3",
            "reason": "other",
            "text": "fair",
            "to_rank": 1,
        },
    ]
    asked = review_config(decision(settings, changes=changes), decision(settings, EAST), opened_at=opened_at)
    both = config(reviews=asked, issued_patrol_areas={"issued_by": "A. Person"})
    decided = run_job(settings, definitions, REVIEW_AND_ISSUE_JOB, config=both, user="alice")
    with pytest.raises(RunFailed, match="has decided about West side"):
        run_job(settings, definitions, REVIEW_JOB, config=config(reviews=asked))
    lake = lake_of(settings)
    west = lake.read("SELECT DISTINCT issue_id FROM issued_patrol_areas WHERE unit = ?", [WEST]).item()
    taken_back = {"withdrawn_by": "B. Person", "issues": [west], "reason": "legal"}
    run_job(settings, definitions, WITHDRAW_JOB, config=config(withdrawals=taken_back))

    reviews = lake.read("SELECT unit, state, account, seconds, run_id FROM reviews ORDER BY unit").to_dicts()
    assert [(each["unit"], each["state"], each["account"]) for each in reviews] == [
        (EAST, "approved", "alice"),
        (WEST, "approved_with_changes", "alice"),
    ]
    assert all(180 <= each["seconds"] < 400 for each in reviews)
    issued = lake.read("SELECT area_id FROM issued_patrol_areas WHERE unit = ? ORDER BY rank", [WEST])
    assert issued["area_id"].to_list() == [f"{WEST}-burglary-3", f"{WEST}-burglary-1"]

    results = review_results(lake, settings)
    people = results.decisions.row(0, named=True)
    assert (people["decided"], people["override_rate"], people["quick_approvals"]) == (2, 0.5, 0.0)

    with dg.DagsterInstance.get() as instance:
        jobs = [run.job_name for run in reversed(instance.get_runs()) if run.is_success]
        assert jobs == [FORECAST_JOB, REVIEW_AND_ISSUE_JOB, WITHDRAW_JOB]
        for asset in ("reviews", "issued_patrol_areas", "issued_sheets"):
            event = instance.get_latest_materialization_event(dg.AssetKey(asset))
            assert event is not None and (asset == "issued_sheets" or event.run_id == decided.run_id)
    told = {
        each.metadata["reviewer"].value: each.metadata["lists"].value
        for each in decided.asset_materializations_for_node("reviews")
    }
    assert f"{WEST}, {DAY}, day" in str(told["A. Person"])
    checks = {each.check_name: each.passed for each in decided.get_asset_check_evaluations()}
    assert checks == dict.fromkeys(
        ["approvals_take_time", "decided_by_people", "issued_as_approved", "one_issue_at_a_time"], True
    )
    graph = definitions.resolve_asset_graph()
    upstream = graph.get_ancestor_asset_keys(dg.AssetKey("issued_sheets"))
    assert {"incidents", "proximity_scores", "patrol_areas", "reviews"} <= {
        key.to_user_string() for key in upstream
    }
    entries = lake.read("SELECT kind, facts FROM ledger ORDER BY sequence").rows()
    assert [kind for kind, _ in entries][-5:] == ["review", "review", "issue", "issue", "withdrawal"]
    facts = json.loads(entries[-5][1])
    assert facts["run_id"] == decided.run_id


def test_the_alarm_rings_when_approvals_are_quick(tmp_path: Path) -> None:
    settings = reviewable(tmp_path / "many", MANY_UNITS)
    lake = lake_of(settings)
    (alarm,) = (
        each for each in checks(settings) if next(iter(each.check_keys)).name == "approvals_take_time"
    )

    def approve(units: Sequence[str], seconds: float) -> bool:
        """Approve in one act; whether the alarm rings then."""
        wishes = [wish(lake, unit) for unit in units]
        decide(lake, settings, wishes, person(seconds=seconds), STAMP)
        return not alarm.node_def.compute_fn.decorated_fn(lake).passed  # type: ignore[attr-defined]

    assert not approve(MANY_UNITS[:10], 50), "too few to say"
    assert not approve(MANY_UNITS[10:21], 70), "less than half"
    assert approve(MANY_UNITS[21:], 50), "most"
    assert lake.read("SELECT count(*) FROM reviews WHERE seconds <= 60").item() == 13

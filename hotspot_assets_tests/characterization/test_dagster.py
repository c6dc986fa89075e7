"""Behaviour of Dagster that the design rests on. A failure here after an upgrade says which promise is gone."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
from dagster._core.definitions.partitions.context import partition_loading_context

from hotspot_assets.defs.day_checks import Finding, report_days
from hotspot_assets.defs.partitions import dates_of

DAYS = dg.DailyPartitionsDefinition(start_date="2024-03-01", timezone="Europe/London", end_offset=1)
KEYS = ["2024-03-30", "2024-03-31", "2024-04-01"]  # the clock goes forward on the 31st
RANGE = {"dagster/asset_partition_range_start": KEYS[0], "dagster/asset_partition_range_end": KEYS[-1]}


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as found:
        yield found


@dg.asset(partitions_def=DAYS, backfill_policy=dg.BackfillPolicy.multi_run(max_partitions_per_run=31))
def scores(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    for day in dates_of(context):
        context.add_asset_metadata({"day": day.isoformat()}, partition_key=day.isoformat())
    return dg.MaterializeResult(metadata={"days_of_the_run": len(dates_of(context))})


def check_of(honest: bool) -> dg.AssetChecksDefinition:
    """A check with a result per day, written by our own hand (`honest`) or left to Dagster."""
    spec = dg.AssetCheckSpec("in_order", asset="scores", partitions_def=DAYS)

    @dg.multi_asset_check(name="in_order_of_scores", specs=[spec])
    def check(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        days = sorted(date.fromisoformat(key) for key in context.op_execution_context.partition_keys)
        found = {day: Finding(day.isoformat() != KEYS[1], {"day": day.isoformat()}) for day in days}
        if honest:
            yield report_days(context.op_execution_context, "scores", "in_order", found)
        else:
            yield dg.AssetCheckResult(asset_key="scores", check_name="in_order", passed=True)

    return check


def run_range(
    instance: dg.DagsterInstance, *checks: dg.AssetChecksDefinition, **options: Any
) -> dg.ExecuteInProcessResult:
    job = dg.define_asset_job("job", dg.AssetSelection.assets("scores"))
    definitions = dg.Definitions([scores], asset_checks=list(checks), jobs=[job])
    return definitions.resolve_job_def("job").execute_in_process(instance=instance, **options)


def results_by_day(instance: dg.DagsterInstance) -> dict[str | None, str]:
    key = dg.AssetCheckKey(dg.AssetKey("scores"), "in_order")
    history = instance.event_log_storage.get_asset_check_execution_history(key, limit=100)
    return {record.partition: record.status.value for record in history}


def test_a_range_run_gives_each_day_one_event_with_its_own_metadata(instance: dg.DagsterInstance) -> None:
    assert run_range(instance, tags=RANGE).success
    for key in KEYS:
        wanted = dg.AssetRecordsFilter(dg.AssetKey("scores"), asset_partitions=[key])
        (record,) = instance.fetch_materializations(wanted, limit=10).records
        assert record.asset_materialization is not None
        metadata = record.asset_materialization.metadata
        assert metadata["day"].value == key
        assert metadata["days_of_the_run"].value == len(KEYS)


def test_a_check_that_reports_each_day_leaves_nothing_planned(instance: dg.DagsterInstance) -> None:
    run_range(instance, check_of(honest=True), tags=RANGE)
    found = results_by_day(instance)
    assert {key: found[key] for key in KEYS} == dict(
        zip(KEYS, ["SUCCEEDED", "FAILED", "SUCCEEDED"], strict=True)
    )
    assert found[None] == "FAILED"  # the summary: one of its days failed
    assert "PLANNED" not in found.values()


def test_a_check_left_to_dagster_leaves_the_days_planned(instance: dg.DagsterInstance) -> None:
    """Why `report_days` exists. Should this fail one day, it can go."""
    run_range(instance, check_of(honest=False), tags=RANGE)
    assert {results_by_day(instance).get(key) for key in KEYS} == {"PLANNED"}


def test_a_check_of_a_single_day_is_that_days(instance: dg.DagsterInstance) -> None:
    run_range(instance, check_of(honest=True), partition_key=KEYS[1])
    assert results_by_day(instance) == {KEYS[1]: "FAILED"}


@pytest.mark.parametrize(
    ("moment", "last"),
    [
        (datetime(2024, 7, 1, 0, 1, tzinfo=ZoneInfo("Europe/London")), "2024-07-01"),
        (datetime(2024, 7, 1, 23, 59, tzinfo=ZoneInfo("Europe/London")), "2024-07-01"),
        (datetime(2024, 6, 30, 23, 30, tzinfo=ZoneInfo("UTC")), "2024-07-01"),  # half past midnight in London
        (datetime(2024, 3, 31, 0, 30, tzinfo=ZoneInfo("Europe/London")), "2024-03-31"),
        (datetime(2024, 10, 27, 23, 30, tzinfo=ZoneInfo("Europe/London")), "2024-10-27"),
    ],
)
def test_an_end_offset_of_one_makes_today_the_last_partition(moment: datetime, last: str) -> None:
    with partition_loading_context(effective_dt=moment):
        assert DAYS.get_last_partition_key() == last


def test_a_day_depends_on_its_own_month() -> None:
    months = dg.MonthlyPartitionsDefinition(start_date="2024-03-01", timezone="Europe/London", end_offset=1)
    found = dg.TimeWindowPartitionMapping().get_upstream_mapped_partitions_result_for_partitions(
        DAYS.subset_with_partition_keys(["2024-03-31", "2024-04-01"]), DAYS, months, datetime(2024, 7, 1)
    )
    assert set(found.partitions_subset.get_partition_keys()) == {"2024-03-01", "2024-04-01"}

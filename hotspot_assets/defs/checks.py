"""Asset checks: each can fail, and each says what was found.

Per-day checks give one result for each forecast date, whichever way the day was run. Dagster records a check
of a range run once, with no partition, and leaves the partitions' results planned for ever; so the check
itself writes the evaluation of each day of the range, which Dagster matches with the planned one, and closes
with a summary.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import dagster as dg
import polars as pl
from dagster._core.definitions.asset_checks.asset_check_evaluation import AssetCheckEvaluation

from hotspot_assets.defs import heap_checks
from hotspot_assets.defs.partitions import Partitions
from hotspot_assets.settings import Settings
from hotspot_assets.warehouse import audits
from hotspot_assets.warehouse.lake import Lake
from hotspot_assets.workflow.champions import undecided
from hotspot_assets.workflow.disk import disk_forecast
from hotspot_assets.workflow.study_area import units_hash

_TOLERANCE = 1e-9
_LEAST_DISK_DAYS = 30


@dataclass(frozen=True)
class Finding:
    """Result of a check on one forecast date."""

    passed: bool
    metadata: Mapping[str, Any]


def report_days(
    context: dg.AssetCheckExecutionContext, asset: str, check: str, findings: Mapping[date, Finding]
) -> dg.AssetCheckResult:
    """One evaluation per day; returns the result to yield, which for a single day is that day's own."""
    results = {
        day: dg.AssetCheckResult(
            asset_key=asset, check_name=check, passed=found.passed, metadata=found.metadata
        )
        for day, found in findings.items()
    }
    if len(results) == 1:
        return next(iter(results.values()))
    for day, result in results.items():
        context.op_execution_context.log_event(
            AssetCheckEvaluation(
                asset_key=dg.AssetKey(asset),
                check_name=check,
                passed=result.passed,
                metadata=result.metadata,
                partition=day.isoformat(),
            )
        )
    failed = [day.isoformat() for day, finding in findings.items() if not finding.passed]
    return dg.AssetCheckResult(
        asset_key=asset,
        check_name=check,
        passed=not failed,
        metadata={"days": len(findings), "days_failed": len(failed), "failed": ", ".join(failed) or "none"},
        description="Summary of a range; each day has its own result.",
    )


Look = Callable[[Lake], pl.DataFrame]


def _nothing_found(
    asset: str, name: str, look: Look, description: str, *, warn: bool = False
) -> dg.AssetChecksDefinition:
    """A check of a whole table that passes when `look` finds nothing."""

    @dg.asset_check(asset=asset, name=name, description=description)
    def check(lake: dg.ResourceParam[Lake]) -> dg.AssetCheckResult:
        found = look(lake)
        return dg.AssetCheckResult(
            passed=found.is_empty(),
            severity=dg.AssetCheckSeverity.WARN if warn else dg.AssetCheckSeverity.ERROR,
            metadata={"found": found.height, "first": dg.MetadataValue.text(str(found.head(10).to_dicts()))},
        )

    return check


def _deliveries_arrive(settings: Settings) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset="deliveries",
        name="deliveries_arrive",
        description="Every source has delivered lately. A missing delivery is not a day without incidents.",
    )
    def check(lake: dg.ResourceParam[Lake]) -> dg.AssetCheckResult:
        sources = audits.last_deliveries(lake)
        now = datetime.now(UTC)
        silent = sources.filter((now - pl.col("delivered_at")).dt.total_days() > settings.intake.silence_days)
        return dg.AssetCheckResult(
            passed=sources.height > 0 and silent.is_empty(),
            severity=dg.AssetCheckSeverity.WARN,
            metadata={
                "sources": sources.height,
                "silent": ", ".join(silent["source"].to_list()) or "none",
                "last": dg.MetadataValue.text(str(sources.to_dicts())),
            },
        )

    return check


def _disk_lasts() -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset="deliveries",
        name="disk_lasts",
        description="At the growth of the last 30 days the disk lasts for 30 more.",
    )
    def check(settings: dg.ResourceParam[Settings]) -> dg.AssetCheckResult:
        found = disk_forecast(settings.home, datetime.now(UTC))
        left = found.days_left
        return dg.AssetCheckResult(
            passed=left is None or left >= _LEAST_DISK_DAYS,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={
                "days_left": "nothing grows" if left is None else int(left),
                "bytes_used": found.used,
                "bytes_grown_per_day": int(found.grown_per_day),
                "bytes_free": found.free,
            },
        )

    return check


def _champion_decided(settings: Settings) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset="model_trial",
        name="champion_decided",
        description="The model in force is the one that a person decided on, or the default.",
    )
    def check(lake: dg.ResourceParam[Lake]) -> dg.AssetCheckResult:
        amiss = undecided(lake, settings)
        return dg.AssetCheckResult(
            passed=amiss is None,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={"model": settings.forecast.model, "amiss": amiss or "nothing"},
        )

    return check


def _per_day(
    asset: str,
    name: str,
    description: str,
    partitions: Partitions,
    find: Callable[[Lake, list[date]], dict[date, Finding]],
    *,
    blocking: bool = False,
) -> dg.AssetChecksDefinition:
    """A check with one result per forecast date; a blocking one keeps what follows from being made."""
    spec = dg.AssetCheckSpec(
        name, asset=asset, description=description, partitions_def=partitions.days, blocking=blocking
    )

    @dg.multi_asset_check(name=f"{asset}_{name}", specs=[spec])
    def check(
        context: dg.AssetCheckExecutionContext, lake: dg.ResourceParam[Lake]
    ) -> Iterator[dg.AssetCheckResult]:
        days = sorted(date.fromisoformat(key) for key in context.op_execution_context.partition_keys)
        yield report_days(context, asset, name, find(lake, days))

    return check


def surface_findings(lake: Lake, days: list[date]) -> dict[date, Finding]:
    """Whether each day's surfaces are shares that sum to one with unique ranks, and there as the headers say."""
    facts = audits.surfaces(lake, days[0], days[-1])
    amiss = audits.unfollowed_headers(lake, days[0], days[-1])
    findings = {}
    for day in days:
        rows = facts.filter(pl.col("forecast_date") == day)
        wrong = rows.filter(
            ((pl.col("total") - 1).abs() > _TOLERANCE)
            | (pl.col("lowest") < 0)
            | (pl.col("ranks") != pl.col("cells"))
            | (pl.col("last_rank") != pl.col("cells"))
        )
        unfollowed = amiss.filter(pl.col("forecast_date") == day)
        findings[day] = Finding(
            wrong.is_empty() and unfollowed.is_empty(),
            {
                "surfaces": rows.height,
                "cells": rows["cells"].max() if rows.height else 0,
                "not_shares": ", ".join(wrong["offence_group"].to_list()) or "none",
                "header_and_surface_differ": ", ".join(unfollowed["offence_group"].to_list()) or "none",
            },
        )
    return findings


def area_findings(lake: Lake, days: list[date]) -> dict[date, Finding]:
    """Whether no cell stands twice among each day's areas of a unit, shift and offence group."""
    sums = audits.patrol_area_sums(lake, days[0], days[-1])
    findings = {}
    for day in days:
        rows = sums.filter(pl.col("forecast_date") == day)
        doubled = rows.filter(pl.col("cells") != pl.col("different"))
        findings[day] = Finding(
            doubled.is_empty(), {"lists": rows.height, "lists_with_a_cell_twice": doubled.height}
        )
    return findings


def union_findings(lake: Lake, days: list[date], cap_share: float, units: str) -> dict[date, Finding]:
    """Whether all offence groups together stay within the cap in each unit and shift; one cell is allowed always."""
    union = audits.union_of_areas(lake, days[0], days[-1], units).with_columns(
        share=pl.col("area_km2") / pl.col("unit_km2"),
        limit_km2=pl.max_horizontal(pl.col("unit_km2") * cap_share, "cell_km2") + _TOLERANCE,
    )
    findings = {}
    for day in days:
        rows = union.filter(pl.col("forecast_date") == day)
        over = rows.filter(pl.col("area_km2") > pl.col("limit_km2"))
        said = [f"{row['unit']} ({row['shift']}): {row['share']:.1%}" for row in over.to_dicts()]
        findings[day] = Finding(
            over.is_empty(),
            {
                "units_and_shifts": rows.height,
                "cap_share": cap_share,
                "largest_share": float(rows["share"].max() or 0.0),
                "over_the_cap": ", ".join(said) or "none",
            },
        )
    return findings


def checks(settings: Settings, partitions: Partitions) -> list[dg.AssetChecksDefinition]:
    """All checks of a home."""
    whole_tables = [
        (
            "deliveries",
            "counts_add_up",
            audits.deliveries_that_do_not_add_up,
            "Rows read = the seven counts.",
            False,
        ),
        ("deliveries", "none_set_aside", audits.set_aside, "No file waits unread.", True),
        (
            "incidents",
            "no_version_twice",
            audits.doubled_versions,
            "Incident key and delivery are a key.",
            False,
        ),
        (
            "rejected_rows",
            "all_kept",
            audits.rejected_rows_missing,
            "Every rejected row stands with its reason.",
            False,
        ),
        (
            "hexagon_incidents",
            "weights_are_whole",
            audits.broken_weights,
            "Entries sum to one incident or none.",
            False,
        ),
        (
            "hexagon_incidents",
            "closed_weigh_nothing",
            audits.closed_but_weighing,
            "Closed incidents weigh nothing.",
            False,
        ),
        ("forecast_outcomes", "none_stale", audits.stale, "No judged day waits to be judged again.", True),
    ]
    shares = "Scores sum to one, ranks are unique, headers agree."
    apart = "No cell twice in a unit's list."
    capped = "All offence groups together stay within the cap in every unit and shift; else no sheet is made."

    def union(lake: Lake, days: list[date]) -> dict[date, Finding]:
        return union_findings(lake, days, settings.patrol.union_share, units_hash(settings))

    return [
        *(
            _nothing_found(asset, name, look, said, warn=warn)
            for asset, name, look, said, warn in whole_tables
        ),
        _deliveries_arrive(settings),
        *heap_checks.checks(settings),
        _disk_lasts(),
        _champion_decided(settings),
        _per_day("proximity_scores", "surfaces_are_shares", shares, partitions, surface_findings),
        _per_day("patrol_areas", "areas_do_not_overlap", apart, partitions, area_findings),
        _per_day("patrol_areas", "union_within_cap", capped, partitions, union, blocking=True),
    ]

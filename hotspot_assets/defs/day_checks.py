"""Checks of forecast days: one result for each day, whichever way it was run.

Dagster records a check of a range run once, with no partition, and leaves the partitions' results planned for
ever; so the evaluation of each day of the range is written here, which Dagster matches with the planned one, and
the check closes with a summary. Of a range that fails, Dagster runs no check: the days that it wrote, which stay,
are looked at by the run that fails (`progress`).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import dagster as dg
import polars as pl
from dagster._core.definitions.asset_checks.asset_check_evaluation import AssetCheckEvaluation

from hotspot_assets.defs.partitions import Partitions
from hotspot_assets.settings import Settings
from hotspot_assets.warehouse import audits
from hotspot_assets.warehouse.lake import Lake
from hotspot_assets.workflow.study_area import units_hash

_TOLERANCE = 1e-9


@dataclass(frozen=True)
class Finding:
    """Result of a check on one forecast date."""

    passed: bool
    metadata: Mapping[str, Any]


@dataclass(frozen=True)
class DayCheck:
    """What is looked for in an asset's days; a blocking one keeps what follows from being made."""

    asset: str
    name: str
    description: str
    find: Callable[[Lake, list[date]], dict[date, Finding]]
    blocking: bool = False


def day_checks(settings: Settings) -> list[DayCheck]:
    """All checks of forecast days of a home."""

    def union(lake: Lake, days: list[date]) -> dict[date, Finding]:
        return union_findings(lake, days, settings.patrol.union_share, units_hash(settings))

    shares = "Scores sum to one, ranks are unique, headers agree."
    apart = "No cell twice in a unit's list."
    capped = "All offence groups together stay within the cap in every unit and shift; else no sheet is made."
    return [
        DayCheck("proximity_scores", "surfaces_are_shares", shares, surface_findings),
        DayCheck("patrol_areas", "areas_do_not_overlap", apart, area_findings),
        DayCheck("patrol_areas", "union_within_cap", capped, union, blocking=True),
    ]


def definition_of(wanted: DayCheck, partitions: Partitions) -> dg.AssetChecksDefinition:
    """A check as Dagster runs it: after its asset, for the days of the run."""
    spec = dg.AssetCheckSpec(
        wanted.name,
        asset=wanted.asset,
        description=wanted.description,
        partitions_def=partitions.days,
        blocking=wanted.blocking,
    )

    @dg.multi_asset_check(name=f"{wanted.asset}_{wanted.name}", specs=[spec])
    def check(
        context: dg.AssetCheckExecutionContext, lake: dg.ResourceParam[Lake]
    ) -> Iterator[dg.AssetCheckResult]:
        run = context.op_execution_context
        days = sorted(date.fromisoformat(key) for key in run.partition_keys)
        yield report_days(run, wanted.asset, wanted.name, wanted.find(lake, days))

    return check


def report_days(
    context: dg.OpExecutionContext, asset: str, check: str, findings: Mapping[date, Finding]
) -> dg.AssetCheckResult:
    """One evaluation per day; returns the result to yield, which for a single day is that day's own."""
    if len(findings) == 1:
        (finding,) = findings.values()
        return dg.AssetCheckResult(
            asset_key=asset, check_name=check, passed=finding.passed, metadata=finding.metadata
        )
    log_days(context, asset, check, findings)
    failed = [day.isoformat() for day, finding in findings.items() if not finding.passed]
    return dg.AssetCheckResult(
        asset_key=asset,
        check_name=check,
        passed=not failed,
        metadata={"days": len(findings), "days_failed": len(failed), "failed": ", ".join(failed) or "none"},
        description="Summary of a range; each day has its own result.",
    )


def log_days(
    context: dg.OpExecutionContext | dg.AssetExecutionContext,
    asset: str,
    check: str,
    findings: Mapping[date, Finding],
) -> None:
    """Write the evaluation of each day into the run's log."""
    for day, finding in findings.items():
        # Shaped by the public class, which makes metadata of plain values.
        result = dg.AssetCheckResult(passed=finding.passed, metadata=finding.metadata)
        context.log_event(
            AssetCheckEvaluation(
                asset_key=dg.AssetKey(asset),
                check_name=check,
                passed=result.passed,
                metadata=result.metadata,
                partition=day.isoformat(),
            )
        )


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

"""Asset checks: each can fail, and each says what was found. Those of forecast days are in `day_checks`."""

from collections.abc import Callable
from datetime import UTC, datetime

import dagster as dg
import polars as pl

from hotspot_assets.defs import heap_checks
from hotspot_assets.defs.day_checks import day_checks, definition_of
from hotspot_assets.defs.partitions import Partitions
from hotspot_assets.settings import Settings
from hotspot_assets.warehouse import audits
from hotspot_assets.warehouse.lake import Lake
from hotspot_assets.workflow.champions import undecided
from hotspot_assets.workflow.disk import disk_forecast

_LEAST_DISK_DAYS = 30


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
    return [
        *(
            _nothing_found(asset, name, look, said, warn=warn)
            for asset, name, look, said, warn in whole_tables
        ),
        _deliveries_arrive(settings),
        *heap_checks.checks(settings),
        _disk_lasts(),
        _champion_decided(settings),
        *(definition_of(each, partitions) for each in day_checks(settings)),
    ]

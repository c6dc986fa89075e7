"""Checks of review and issue: they run with every decision and every issue."""

from collections.abc import Callable
from datetime import timedelta

import dagster as dg
import polars as pl

from hotspot_assets.patrol.review_statistics import QUICK_SECONDS
from hotspot_assets.settings import Settings
from hotspot_assets.warehouse import review_reads
from hotspot_assets.warehouse.lake import Lake
from hotspot_assets.workflow.dates import today

_LOOKED_BACK_DAYS = 30
_QUICK_SHARE, _ENOUGH = 0.5, 20
"""Share of quick approvals that raises the alarm, and the number of approvals from which it can."""

Look = Callable[[Lake], pl.DataFrame]


def _nothing_found(asset: str, name: str, description: str, look: Look) -> dg.AssetChecksDefinition:
    @dg.asset_check(asset=asset, name=name, description=description)
    def check(lake: dg.ResourceParam[Lake]) -> dg.AssetCheckResult:
        found = look(lake)
        return dg.AssetCheckResult(
            passed=found.is_empty(),
            metadata={"found": found.height, "first": dg.MetadataValue.text(str(found.head(10).to_dicts()))},
        )

    return check


def _approvals_take_time(settings: Settings) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset="reviews",
        name="approvals_take_time",
        description=f"Most approvals take longer than {QUICK_SECONDS:.0f} s from opening; else people wave through.",
    )
    def check(lake: dg.ResourceParam[Lake]) -> dg.AssetCheckResult:
        last = today(settings) + timedelta(days=1)
        decided = review_reads.reviews_between(lake.read, last - timedelta(days=_LOOKED_BACK_DAYS), last)
        people = decided.filter(~pl.col("simulated"))
        approved = people.filter(pl.col("state").str.starts_with("approved"))
        quick = approved.filter(pl.col("seconds") <= QUICK_SECONDS).height
        share = quick / approved.height if approved.height else 0.0
        return dg.AssetCheckResult(
            passed=approved.height < _ENOUGH or share <= _QUICK_SHARE,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={
                "decisions": people.height,
                "override_rate": float((people["state"] != "approved").mean() or 0.0),
                "approvals": approved.height,
                "within_a_minute": quick,
                "share": share,
                "median_seconds_a_list": float(
                    approved.select((pl.col("seconds") / pl.col("together")).median()).item() or 0.0
                ),
            },
        )

    return check


def checks(settings: Settings) -> list[dg.AssetChecksDefinition]:
    """The checks of a home."""

    def simulated(lake: Lake) -> pl.DataFrame:
        found = review_reads.simulated_decisions(lake.read)
        return found.clear() if settings.area.synthetic else found

    return [
        _approvals_take_time(settings),
        _nothing_found(
            "reviews", "decided_by_people", "No simulation decided about a real place.", simulated
        ),
        _nothing_found(
            "issued_patrol_areas",
            "issued_as_approved",
            "Every issue equals an approval, lay within its time, and stands in the ledger.",
            lambda lake: review_reads.issues_unlike_their_approval(lake.read),
        ),
        _nothing_found(
            "issued_patrol_areas",
            "one_issue_at_a_time",
            "No unit and shift has two issues in force at once.",
            lambda lake: review_reads.issues_side_by_side(lake.read),
        ),
    ]

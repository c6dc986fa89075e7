"""The daily upkeep: what is past its days goes, and the lake stays small.

Belongs here: what the settings say about keeping, applied in one go. Not here: erasing on request (`erasure`).
No replay needs what goes here by default: it reads the tables, not older states of the lake. Where incidents
are kept for a limited time, forecasts that rest on those erased are named, as with any erasure.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from hotspot_assets.settings import Settings
from hotspot_assets.warehouse.deliveries import taken_in
from hotspot_assets.warehouse.erasure import erase
from hotspot_assets.warehouse.lake import Lake, Stamp
from hotspot_assets.warehouse.upkeep import compact, drop_days, empty_rejected, let_go, note_in_ledger
from hotspot_assets.workflow.bucketing import bucket_new_deliveries
from hotspot_assets.workflow.dates import now_utc
from hotspot_assets.workflow.erasure import clean_up, period
from hotspot_assets.workflow.landing import file_hash
from hotspot_assets.workflow.traces import delete_delivered, delivered_files

_BY_FORECAST_DATE = ("proximity_scores", "patrol_areas", "forecast_outcomes", "explanations")
_FIRST_DAY = date(1900, 1, 1)


@dataclass
class Upkeep:
    """What the upkeep did: counts by name, and the forecasts that can no longer be made again."""

    delivered_files: int = 0
    rows: dict[str, int] = field(default_factory=dict)
    forecasts_not_replayable: int = 0
    files_merged: int = 0
    snapshots: int = 0
    lake_files: int = 0

    def facts(self) -> dict[str, int]:
        """All counts, flat."""
        return {
            "delivered_files_deleted": self.delivered_files,
            **{f"{table}_past_their_days": count for table, count in self.rows.items()},
            "forecasts_not_replayable": self.forecasts_not_replayable,
            "lake_files_merged": self.files_merged,
            "snapshots_let_go": self.snapshots,
            "lake_files_deleted": self.lake_files,
        }


def keep_house(lake: Lake, settings: Settings, today: date, stamp: Stamp) -> Upkeep:
    """Delete what is past its days by the settings, merge small files, let go of older states of the lake."""
    done = Upkeep()
    done.delivered_files = _delete_old_files(lake, settings, stamp)
    for table, days in sorted(settings.retention.tables.items()):
        before = today - timedelta(days=days)
        if table == "incidents":
            done.rows[table], done.forecasts_not_replayable = _erase_old(lake, settings, before, stamp)
        elif table == "rejected_rows":
            moment = datetime.combine(before, datetime.min.time(), UTC)
            done.rows[table] = empty_rejected(lake, moment, now_utc(), stamp).result
        elif table in _BY_FORECAST_DATE:
            done.rows[table] = drop_days(lake, table, before, now_utc(), stamp).result
    done.files_merged = compact(lake)
    now = now_utc()
    done.snapshots, done.lake_files = let_go(
        lake, now - timedelta(days=settings.retention.snapshots_days), now
    )
    return done


def _delete_old_files(lake: Lake, settings: Settings, stamp: Stamp) -> int:
    """Delete delivered files past their days: counted from the delivery, or from the file's own time."""
    now = now_utc()
    before = now - timedelta(days=settings.intake.keep_delivered_days)
    delivered = {row["sha256"]: row["delivered_at"] for row in taken_in(lake).to_dicts()}

    def arrived(path: Path) -> datetime:
        return delivered.get(file_hash(path)) or datetime.fromtimestamp(path.stat().st_mtime, UTC)

    count = delete_delivered(path for path in delivered_files(settings.landing) if arrived(path) < before)
    if count:
        facts: dict[str, object] = {"deleted": count, "before": before.date().isoformat()}
        note_in_ledger(lake, now, stamp, "retention of delivered files", facts)
    return count


def _erase_old(lake: Lake, settings: Settings, before: date, stamp: Stamp) -> tuple[int, int]:
    """Erase incidents of months that are past as a whole: day by day, models would be fitted anew every day."""
    bucket_new_deliveries(lake, settings, stamp)
    target = period(settings, _FIRST_DAY, before.replace(day=1) - timedelta(days=1), wholly=True)
    rows = erase(lake, target, now_utc(), stamp).result
    if rows.delivery_seq is not None:
        clean_up(lake, settings, target, rows, 0, None, stamp)
    return rows.incidents.height, rows.forecasts.height

"""The daily upkeep of the lake: retention, compaction, and what was done as metadata.

An asset without partitions or dependencies: its history shows what went, and how much, night by night. Erasing on
request is not here: a run keeps its configuration for ever, and with it the crime reference (see `workflow.erasure`).
"""

from datetime import date, datetime, timedelta

import dagster as dg

from hotspot_assets.defs.facts import OWNER, stamp_of
from hotspot_assets.defs.intake import POOL
from hotspot_assets.settings import Settings
from hotspot_assets.warehouse.lake import Lake
from hotspot_assets.workflow.dates import today
from hotspot_assets.workflow.retention import keep_house

MAINTENANCE_JOB = "daily_maintenance"
_HOURS_BEFORE_THE_DAY = 2


@dg.asset(group_name="upkeep", owners=[OWNER], kinds={"duckdb"}, pool=POOL)
def lake_upkeep(
    context: dg.AssetExecutionContext, lake: dg.ResourceParam[Lake], settings: dg.ResourceParam[Settings]
) -> dg.MaterializeResult:
    """Delete what is past its days, merge small files, let go of older states of the lake."""
    done = keep_house(lake, settings, today(settings), stamp_of(context))
    return dg.MaterializeResult(metadata=dict(done.facts()))


ASSETS = [lake_upkeep]
JOBS = [
    dg.define_asset_job(
        MAINTENANCE_JOB,
        dg.AssetSelection.assets(lake_upkeep),
        description="Retention by the settings, merging of small files, letting go of snapshots.",
    )
]


def schedules(settings: Settings) -> list[dg.ScheduleDefinition]:
    """Every night, some hours before the daily run."""
    at = datetime.combine(date(2000, 1, 2), settings.forecast.run_at) - timedelta(hours=_HOURS_BEFORE_THE_DAY)
    return [
        dg.ScheduleDefinition(
            name="every_night",
            job_name=MAINTENANCE_JOB,
            cron_schedule=f"{at.minute} {at.hour} * * *",
            execution_timezone=settings.area.timezone,
            default_status=dg.DefaultScheduleStatus.RUNNING,
            description="Retention and compaction, before the day's forecasts.",
        )
    ]

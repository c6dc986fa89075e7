"""The daily upkeep as a job: retention, compaction, and what was done as metadata.

Erasing on request is not here: a run keeps its configuration for ever, and with it the crime reference
(see `workflow.erasure`).
"""

from datetime import date, datetime, timedelta

import dagster as dg

from hotspot_assets.defs.intake import POOL
from hotspot_assets.settings import Settings
from hotspot_assets.warehouse.lake import Lake, Stamp
from hotspot_assets.workflow.dates import today
from hotspot_assets.workflow.retention import keep_house

MAINTENANCE_JOB = "daily_maintenance"
_HOURS_BEFORE_THE_DAY = 2


@dg.op(pool=POOL)
def upkeep(
    context: dg.OpExecutionContext, lake: dg.ResourceParam[Lake], settings: dg.ResourceParam[Settings]
) -> None:
    """Delete what is past its days, merge small files, let go of older states of the lake."""
    stamp = Stamp(author=context.run.tags.get("user", "hotspot"), run_id=context.run.run_id)
    done = keep_house(lake, settings, today(settings), stamp)
    context.add_output_metadata(dict(done.facts()))
    context.log.info(", ".join(f"{name}: {count}" for name, count in done.facts().items()))


@dg.job(
    name=MAINTENANCE_JOB,
    description="Retention by the settings, merging of small files, letting go of snapshots.",
)
def daily_maintenance() -> None:
    """The upkeep of a home."""
    upkeep()


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


JOBS = [daily_maintenance]

"""Jobs, schedules and sensors: what runs by itself, and when.

Running may be automatic; issuing a patrol list is not here, and never will be.
"""

from __future__ import annotations

import hashlib
import json

import dagster as dg

from hotspot_assets.defs.partitions import Partitions
from hotspot_assets.settings import Settings
from hotspot_assets.workflow.dates import now_utc
from hotspot_assets.workflow.landing import settled_files

INTAKE_JOB, MONTHLY_JOB, DAILY_JOB, OUTCOMES_JOB = "take_in", "monthly_fit", "daily_forecast", "daily_outcomes"

INTAKE = dg.AssetSelection.assets("deliveries", "incidents", "rejected_rows", "hexagon_incidents")
MONTHLY = dg.AssetSelection.assets("study_areas", "fitted_models")
DAILY = dg.AssetSelection.assets("proximity_scores", "patrol_areas", "patrol_briefing")
OUTCOMES = dg.AssetSelection.assets("forecast_outcomes")


def jobs(partitions: Partitions) -> list[dg.UnresolvedAssetJobDefinition]:
    """The jobs operators see."""
    del partitions
    return [
        dg.define_asset_job(INTAKE_JOB, INTAKE, description="Take in what has landed, and bucket it into hexagons."),
        dg.define_asset_job(MONTHLY_JOB, MONTHLY, description="Find the study area of a month and fit the model on it."),
        dg.define_asset_job(
            DAILY_JOB, INTAKE | DAILY, description="The day: intake, then scores, patrol areas and briefing."
        ),
        dg.define_asset_job(OUTCOMES_JOB, OUTCOMES, description="Score the forecasts of a day once it is known."),
    ]


def schedules(settings: Settings, partitions: Partitions) -> list[dg.ScheduleDefinition]:
    """The daily run for today, the outcomes of the last complete day, the fit on the 1st."""
    run_at, zone = settings.forecast.run_at, settings.area.timezone
    lag = settings.forecast.complete_after_days

    def day_at(context: dg.ScheduleEvaluationContext, days_back: int) -> str:
        local = context.scheduled_execution_time.astimezone(partitions.days.timezone_info())
        return (local.date() - dg_days(days_back)).isoformat()

    @dg.schedule(
        name="daily_forecast_schedule",
        job_name=DAILY_JOB,
        cron_schedule=f"{run_at.minute} {run_at.hour} * * *",
        execution_timezone=zone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Intake, scores, patrol areas and briefing for today.",
    )
    def daily(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        key = day_at(context, 0)
        return dg.RunRequest(run_key=f"forecast-{key}", partition_key=key)

    return [daily]

"""Jobs, schedules and sensors: what runs by itself, and when.

Running may be automatic; issuing a patrol list is not here, and never will be.
"""

import hashlib
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from hotspot_assets.defs.living_runs import end_abandoned_runs
from hotspot_assets.settings import Settings
from hotspot_assets.warehouse.audits import stale
from hotspot_assets.warehouse.lake import Lake
from hotspot_assets.workflow.dates import now_utc, today
from hotspot_assets.workflow.landing import landed_files, settled_files
from hotspot_assets.workflow.outcomes import last_known_day

INTAKE_JOB, MONTHLY_JOB, DAILY_JOB = "take_in", "monthly_fit", "daily_forecast"
OUTCOMES_JOB, TRIAL_JOB = "daily_outcomes", "trial"

_INTAKE = dg.AssetSelection.assets("deliveries", "incidents", "rejected_rows", "hexagon_incidents")
_MONTHLY = dg.AssetSelection.assets("study_areas", "fitted_models")
_DAILY = dg.AssetSelection.assets("proximity_scores", "patrol_areas", "patrol_maps", "patrol_briefing")
_OUTCOMES = dg.AssetSelection.assets("forecast_outcomes")

FORECAST_JOB = "forecast_range"


def jobs() -> list[UnresolvedAssetJobDefinition]:
    """The jobs operators see."""
    define = dg.define_asset_job
    return [
        define(INTAKE_JOB, _INTAKE, description="Take in what has landed, and bucket it into hexagons."),
        define(MONTHLY_JOB, _MONTHLY, description="Find the study area of a month and fit the model on it."),
        define(
            DAILY_JOB,
            _INTAKE | _DAILY,
            description="The day: intake, then scores, patrol areas, maps and briefing.",
        ),
        define(
            FORECAST_JOB,
            _DAILY,
            description="Scores, patrol areas, maps and briefing of one day or a range of days.",
        ),
        define(OUTCOMES_JOB, _OUTCOMES, description="Score the forecasts of days that are known."),
        define(
            TRIAL_JOB,
            dg.AssetSelection.assets("model_trial", "model_trial_table"),
            description="All models side by side, with a report.",
        ),
    ]


def schedules(settings: Settings) -> list[dg.ScheduleDefinition]:
    """The daily run for today, the outcomes of the last known day, and the fit on the 1st."""
    run_at, zone = settings.forecast.run_at, settings.area.timezone
    common = {"execution_timezone": zone, "default_status": dg.DefaultScheduleStatus.RUNNING}

    def local_date(context: dg.ScheduleEvaluationContext) -> date:
        return context.scheduled_execution_time.astimezone(ZoneInfo(zone)).date()

    @dg.schedule(
        name="every_morning", job_name=DAILY_JOB, cron_schedule=f"{run_at.minute} {run_at.hour} * * *",
        description="Intake, scores, patrol areas, maps and briefing for today; for tomorrow, if the cut-off is today.",
        **common,
    )  # fmt: skip
    def every_morning(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        ahead = timedelta(days=settings.forecast.cut_off_days_before)
        key = (local_date(context) + ahead).isoformat()
        return dg.RunRequest(run_key=f"forecast-{key}", partition_key=key)

    later = (datetime.combine(date(2000, 1, 1), run_at) + timedelta(minutes=30)).time()

    @dg.schedule(
        name="yesterdays_outcomes", job_name=OUTCOMES_JOB, cron_schedule=f"{later.minute} {later.hour} * * *",
        description="Outcomes of the last day whose incidents count as known.", **common,
    )  # fmt: skip
    def yesterdays_outcomes(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        key = last_known_day(settings, local_date(context)).isoformat()
        return dg.RunRequest(run_key=f"outcomes-{key}", partition_key=key)

    minutes = max(run_at.hour * 60 + run_at.minute - 10, 0)  # never on the day before

    @dg.schedule(
        name="first_of_month", job_name=MONTHLY_JOB, cron_schedule=f"{minutes % 60} {minutes // 60} 1 * *",
        description="Study area and fit of the month that begins.", **common,
    )  # fmt: skip
    def first_of_month(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        key = local_date(context).replace(day=1).isoformat()
        return dg.RunRequest(run_key=f"fit-{key}", partition_key=key)

    return [every_morning, yesterdays_outcomes, first_of_month]


def sensors(settings: Settings) -> list[dg.SensorDefinition]:
    """The landing folder, days made stale by late data, and runs whose process was killed."""

    @dg.sensor(
        name="landing_folder", job_name=INTAKE_JOB, minimum_interval_seconds=15,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Takes in files once nobody has written to them for a while.",
    )  # fmt: skip
    def landing_folder(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        settled = settled_files(settings.landing, now_utc(), settings.intake.settle_seconds)
        if not settled:
            waiting = len(landed_files(settings.landing))
            return dg.SkipReason(
                f"{waiting} files are still being written" if waiting else "nothing has landed"
            )
        prints = "\n".join(file.fingerprint for file in settled)
        # The same files are asked for once: a file that stays behind is not retried for ever.
        key = hashlib.sha256(prints.encode()).hexdigest()[:32]
        if context.cursor == key:
            return dg.SkipReason("these files have been asked for already; see their run")
        names = [file.path.name for file in settled]
        config = {"ops": {"take_in_deliveries": {"config": {"files": names}}}}
        return dg.SensorResult(run_requests=[dg.RunRequest(run_key=key, run_config=config)], cursor=key)

    @dg.sensor(
        name="stale_days", job_name=OUTCOMES_JOB, minimum_interval_seconds=120,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Works off days whose incidents changed after they were judged: oldest first, so many a tick.",
    )  # fmt: skip
    def stale_days(lake: dg.ResourceParam[Lake]) -> Iterator[dg.RunRequest | dg.SkipReason]:
        found = stale(lake)
        if found.is_empty():
            yield dg.SkipReason("no judged day has changed")
            return
        for first, last in ranges(
            found["day"].unique().sort().to_list()[: settings.trial.stale_days_per_tick]
        ):
            newest = found.filter(found["day"].is_between(first, last))["delivery_seq"].max()
            yield dg.RunRequest(
                run_key=f"stale-{first}-{last}-{newest!s}-{today(settings)}",
                tags={
                    "dagster/asset_partition_range_start": first.isoformat(),
                    "dagster/asset_partition_range_end": last.isoformat(),
                },
            )

    @dg.sensor(
        name="abandoned_runs", minimum_interval_seconds=30,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Ends runs whose process was killed, so that none is waited for; Dagster then tries them again.",
    )  # fmt: skip
    def abandoned_runs(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        ended = end_abandoned_runs(context.instance, settings)
        return dg.SkipReason(f"ended {', '.join(ended)}" if ended else "every started run is alive")

    return [landing_folder, stale_days, abandoned_runs]


def ranges(days: list[date]) -> list[tuple[date, date]]:
    """Ascending days as ranges without gaps."""
    found: list[tuple[date, date]] = []
    for day in days:
        if found and day == found[-1][1] + timedelta(days=1):
            found[-1] = (found[-1][0], day)
        else:
            found.append((day, day))
    return found

"""The main job: what has landed becomes ranked patrol areas, every step a run in Dagster's history.

Belongs here: the order of the runs and what is said about them. Not here: the runs themselves.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from hotspot_assets.definitions import build_definitions
from hotspot_assets.defs import automation
from hotspot_assets.defs.operate import import_files, run_job
from hotspot_assets.defs.reviews import SIMULATED_JOB
from hotspot_assets.errors import UserError
from hotspot_assets.settings import Settings, load_settings
from hotspot_assets.warehouse.audits import last_deliveries
from hotspot_assets.warehouse.lake import Lake
from hotspot_assets.workflow.dates import today
from hotspot_assets.workflow.deliveries import Declaration
from hotspot_assets.workflow.fictional import drop_city
from hotspot_assets.workflow.files import why_path
from hotspot_assets.workflow.first_settings import write_first_settings
from hotspot_assets.workflow.landing import landed_files
from hotspot_assets.workflow.outcomes import last_known_day
from hotspot_assets.workflow.patrols import best_area

Say = Callable[[str], None]
SEED = 20140501
SIMULATED_DAYS = 7
"""Past days of the fictional city whose reviews are played: enough to look at, seconds to make."""


class NothingToForecast(UserError):
    """No incident has been taken in."""


@dataclass(frozen=True)
class Span:
    """The forecast dates of the main job, and those among them whose incidents are known."""

    first: date
    last: date
    judged_last: date


def run_main_job(settings: Settings, days: int, port: int, say: Say) -> None:
    """Take in, forecast, rank, draw, judge; ends with what to look at next."""
    start = time.monotonic()
    if not landed_files(settings.landing) and not _has_deliveries(settings):
        say("1/5 nothing has landed: making a fictional city (SYNTHETIC)")
        drop_city(settings, seed=SEED)
        settings = load_settings()
    waiting = [file.path for file in landed_files(settings.landing)]
    if write_first_settings(settings, waiting):
        settings = load_settings()
        say(f"1/5 wrote {settings.from_file} for this place: look at it, above all at the time zone")
    say(f"2/5 taking in {len(waiting)} files")
    if waiting:
        import_files(settings, waiting, Declaration(), say)
    definitions = build_definitions(settings)
    span = span_of(settings, days)
    months = sorted({day.replace(day=1) for day in (span.first, span.last)})
    say(f"3/5 fitting the model for {', '.join(f'{month:%B %Y}' for month in months)}")
    for month in months:
        run_job(settings, definitions, automation.MONTHLY_JOB, month=month)
    say(f"4/5 scores, patrol areas and maps for {span.first} to {span.last}")
    run_job(settings, definitions, automation.FORECAST_JOB, days=(span.first, span.last))
    say(f"    the map is there: {_page(settings, span.last).as_uri()}")
    if span.judged_last >= span.first:
        say(f"5/5 judging the forecasts of {span.first} to {span.judged_last}")
        run_job(settings, definitions, automation.OUTCOMES_JOB, days=(span.first, span.judged_last))
        trial = {
            "first": str(span.first),
            "last": str(span.judged_last),
            "models": [settings.forecast.model, *settings.trial.models],
            "lags": ["0"],
            "why": "the main job",
        }
        run_job(
            settings, definitions, automation.TRIAL_JOB, config={"ops": {"model_trial": {"config": trial}}}
        )
    if settings.area.synthetic and span.first < span.last:
        say("SIMULATED reviews of the past days; today's lists wait for a person: hotspot review")
        since = max(span.first, span.last - timedelta(days=SIMULATED_DAYS))
        days_played = {"first": str(since), "last": str(span.last - timedelta(days=1))}
        run_job(
            settings, definitions, SIMULATED_JOB, config={"ops": {"play_reviews": {"config": days_played}}}
        )
    say(f"done in {time.monotonic() - start:.0f} s\n")
    for line in next_steps(settings, span.last, port):
        say(line)


def _has_deliveries(settings: Settings) -> bool:
    lake = Lake(settings.warehouse, settings.data_path)
    return not last_deliveries(lake).is_empty()


def span_of(settings: Settings, days: int) -> Span:
    """The `days` forecast dates up to today, or up to the day after the last incident where the data are older.

    Raises
    ------
    NothingToForecast
        When nothing was accepted, or nothing late enough.
    """
    lake = Lake(settings.warehouse, settings.data_path)
    latest = last_deliveries(lake)["occurred_to"].max()
    if not isinstance(latest, date):
        raise NothingToForecast(
            "No incident has been accepted yet: put a file into data/landing, or see why it was set aside."
        )
    now = today(settings)
    last = min(now, latest + timedelta(days=1))
    first = max(last - timedelta(days=days - 1), settings.forecast.first_date)
    if first > last:
        raise NothingToForecast(
            f"The last incident is of {latest}, before the first date to be forecast: set forecast.first_date in the"
            f" settings, now {settings.forecast.first_date}, to the first of a month up to {last}."
        )
    return Span(first, last, min(last_known_day(settings, now), latest))


def _page(settings: Settings, day: date) -> Path:
    return settings.outputs / day.isoformat() / "index.html"


def next_steps(settings: Settings, day: date, port: int) -> list[str]:
    """The map, the asset in Dagster, the reason behind the first area, and one command to try."""
    lake = Lake(settings.warehouse, settings.data_path)
    page, best = _page(settings, day), best_area(lake, day)
    why = why_path(settings, day, best) if best else page.parent
    return [
        f"the map          {page.as_uri()}",
        f"in Dagster       http://127.0.0.1:{port}/assets/proximity_scores?partition={day}",
        f"why here?        {why.as_uri()}" + (f"  ({best['name']})" if best else ""),
        "try next         hotspot simulate --late-file"
        if settings.area.synthetic
        else 'try next         hotspot sql "FROM forecasts LIMIT 5"',
    ]

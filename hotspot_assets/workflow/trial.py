"""The trial of a period: every model on the same days and cells, measured, compared and reported.

Belongs here: what a trial is asked for, the walk over months, models and lags, and its files. Not here:
making lists (`trial_lists`), measures, statistics and pages (trial), what is said of the ground and the
knowledge it rests on (`trial_facts`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from io import BytesIO
from itertools import groupby
from pathlib import Path

import polars as pl

from hotspot_assets.errors import UserError
from hotspot_assets.forecasting.catalogue import MODELS, model
from hotspot_assets.forecasting.events import month_start
from hotspot_assets.settings import Settings
from hotspot_assets.trial.champion import Proposal
from hotspot_assets.trial.measuring import Yardstick, together
from hotspot_assets.trial.metrics import OUTCOMES
from hotspot_assets.trial.report import About, html_report, markdown_table
from hotspot_assets.trial.results import Measured, TrialResults, trial_results
from hotspot_assets.trial.staleness import LIST_AGES_DAYS
from hotspot_assets.warehouse.lake import Lake, Stamp
from hotspot_assets.warehouse.reads import newest_delivery
from hotspot_assets.warehouse.trials import judged_span, occurred_span, record_look
from hotspot_assets.workflow.dates import days_between, now_utc
from hotspot_assets.workflow.files import write_whole
from hotspot_assets.workflow.knowledge import AS_IT_STANDS, Knowledge
from hotspot_assets.workflow.models import REACH_RINGS
from hotspot_assets.workflow.outcomes import NotKnownYet, counts_of_days, last_known_day
from hotspot_assets.workflow.side_by_side import side_by_side
from hotspot_assets.workflow.study_area import neighbours_of
from hotspot_assets.workflow.trial_facts import about, delays, near_repeats
from hotspot_assets.workflow.trial_fits import MonthOfFits, fit_month, fits_of
from hotspot_assets.workflow.trial_lists import Month, Stage, aged_lists

BASELINES = ("count_28", "count_365", "count_all", "kde")
"""The simple models, of which the best in hindsight is the hardest rival."""

LAGS = ("0", "3", "7", "recorded")
AS_RECORDED = "recorded"

Step = Callable[[int], None]


class NoTrial(UserError):
    """A trial that cannot be held."""


@dataclass(frozen=True)
class Plan:
    """What a trial is asked for: days, models, reporting lags, and why anyone looks.

    The first model is the one that all others are compared with.
    """

    first: date
    last: date
    models: tuple[str, ...]
    lags: tuple[Knowledge, ...]
    why: str

    @property
    def period(self) -> str:
        """First and last day, as text."""
        return f"{self.first} to {self.last}"


@dataclass(frozen=True)
class Trial:
    """A trial as held: its results, what was said about them, and its files."""

    plan: Plan
    results: TrialResults
    about: About
    days: int
    table: str
    folder: Path
    snapshot_id: int

    @property
    def proposal(self) -> Proposal:
        """The champion that the rule proposes."""
        return self.results.proposal


def plan_trial(
    lake: Lake,
    settings: Settings,
    today: date,
    *,
    first: date | None = None,
    last: date | None = None,
    models: Sequence[str] = (),
    lags: Sequence[str] = (),
    why: str = "",
) -> Plan:
    """Check what is asked, and fill in what is not.

    Without days it is all days with outcomes; without models the one of the settings against all of the catalogue
    that run here; without lags 0, 3 and 7 days and, where the source states them, its own recording times.

    Raises
    ------
    NoTrial, NotKnownYet, UnknownModelError
        Naming what is missing or not known.
    """
    span = judged_span(lake) if first is None or last is None else (first, last)
    if span is None:
        raise NoTrial("No day has been judged yet; name the first and the last day of the trial.")
    start, end = first or span[0], last or span[1]
    there = occurred_span(lake)
    if there is None or end > there[1] or start <= there[0] or start > end:
        known = f"{there[0]} to {there[1]}" if there else "no day"
        raise NoTrial(f"A trial from {start} to {end} is not possible: incidents are known for {known}.")
    if end > last_known_day(settings, today):
        raise NotKnownYet(f"The incidents of {end} do not count as known yet; end the trial earlier.")
    everyone = [settings.forecast.model, *(each.name for each in MODELS.values() if each.runs_here)]
    named = [model(name).name for name in models or everyone]
    return Plan(start, end, tuple(dict.fromkeys(named)), _lags(lags or LAGS), why or "not stated")


def _lags(names: Sequence[str]) -> tuple[Knowledge, ...]:
    found = []
    for name in dict.fromkeys(names):
        if name == AS_RECORDED:
            found.append(Knowledge(as_recorded=True))
        elif name.isdecimal() and int(name) <= 365:
            found.append(Knowledge(lag_days=int(name)))
        else:
            raise NoTrial(
                f"{name!r} is no reporting lag: write a number of days up to 365, or {AS_RECORDED}."
            )
    return tuple(found)


def run_trial(lake: Lake, settings: Settings, plan: Plan, stamp: Stamp, step: Step = lambda _: None) -> Trial:
    """Hold the trial, write its report, and record that someone looked; `step` learns the rows of each piece of work."""
    stage = Stage(lake, settings, newest_delivery(lake), stamp)
    late = delays(stage, plan.first, plan.last)
    lags = [lag for lag in plan.lags if late is not None or not lag.as_recorded]
    plan = replace(plan, lags=tuple(lags))
    measured = replace(
        _measured(stage, plan, step), near_repeats=near_repeats(stage, plan, step), delays=late
    )
    days = measured.outcomes["forecast_date"].n_unique()
    if not days:
        raise NoTrial(
            f"No model could be judged on any day from {plan.period}: too little is known before it."
        )
    present = measured.outcomes["model"].unique().to_list()
    champion = settings.forecast.model
    results = trial_results(
        measured,
        default_model=plan.models[0],
        current_champion=champion if champion in present else plan.models[0],
        eligible=[name for name in plan.models if name in present and MODELS[name].package is None],
        baselines=[name for name in BASELINES if name in present],
    )
    look = {
        "looked_at": now_utc(),
        "first_date": plan.first,
        "last_date": plan.last,
        "models": list(plan.models),
        "lags": [lag.name for lag in plan.lags],
        "why": plan.why,
        "outcomes_hash": _hash(measured.outcomes),
    }
    written = record_look(lake, look, stamp)
    said = about(stage, plan, measured)
    folder = settings.outputs / "trial" / f"{plan.first}_{plan.last}"
    table = markdown_table(results, said)
    kept = BytesIO()
    measured.outcomes.write_parquet(kept)
    write_whole(folder / "index.html", html_report(results, said).encode())
    write_whole(folder / "table.md", table.encode())
    write_whole(folder / "outcomes.parquet", kept.getvalue())
    return Trial(plan, results, said, days, table, folder, written.snapshot_id)


def _measured(stage: Stage, plan: Plan, step: Step) -> Measured:
    """Every model at the first lag, with all measures; the other lags and older lists by what they caught."""
    fits, months = _fits_ahead(plan), _months(plan)
    parts: list[Measured] = []
    with side_by_side(max(len(fits), len(months))) as each:
        for _ in each(partial(fit_month, stage), fits):
            step(0)
        for found in each(partial(_measured_month, stage, plan), months):
            parts += found
            step(sum(part.outcomes.height for part in found))
    if not parts:
        return Measured(pl.DataFrame(schema=OUTCOMES))
    whole = together(parts)
    outcomes = _on_common_days(whole.outcomes, plan.models)
    lagged = {name: _on_common_days(found, plan.models) for name, found in whole.outcomes_by_lag.items()}
    return replace(
        whole,
        outcomes=outcomes,
        list_ages=_list_ages(outcomes, whole.list_ages, plan.models[0]),
        outcomes_by_lag={plan.lags[0].name: outcomes, **lagged} if lagged else {},
    )


def _measured_month(stage: Stage, plan: Plan, span: tuple[date, date]) -> list[Measured]:
    """Consecutive days of one month, model after model; none where there is no study area."""
    first_lag, *other_lags = plan.lags
    parts: list[Measured] = []
    for month in stage.months(*span):
        yardstick = _yardstick(month, plan.models[0])
        of_models = together(yardstick.measured(month.lists(each, first_lag)) for each in plan.models)
        by_lag = {
            lag.name: pl.concat(yardstick.outcomes(month.lists(each, lag)) for each in plan.models)
            for lag in other_lags
        }
        by_age = [
            yardstick.outcomes(aged_lists(month, plan.models[0], age)).with_columns(
                list_age_days=pl.lit(age, pl.Int64)
            )
            for age in LIST_AGES_DAYS[1:]
        ]
        parts.append(replace(of_models, outcomes_by_lag=by_lag, list_ages=pl.concat(by_age)))
    return parts


def _yardstick(month: Month, default_model: str) -> Yardstick:
    from scipy.sparse import csr_array

    stage = month.stage
    ring = neighbours_of(stage.settings, month.area, REACH_RINGS).ring
    touching = csr_array((ring.data == 2, ring.indices, ring.indptr), shape=ring.shape, copy=True)
    touching.eliminate_zeros()
    counts = counts_of_days(stage.lake, stage.settings, month.area, month.days, stage.newest)
    return Yardstick(month.area.area_km2, touching, counts, default_model)


def _on_common_days(outcomes: pl.DataFrame, models: Sequence[str]) -> pl.DataFrame:
    """Only days and offence groups for which every model made a list: nobody gains by sitting out."""
    everyone = pl.col("model").n_unique().over("forecast_date", "offence_group") == len(models)
    return outcomes.filter(everyone)


def _list_ages(outcomes: pl.DataFrame, older: pl.DataFrame | None, default_model: str) -> pl.DataFrame | None:
    """Outcomes of the default's lists by age, on the days for which there is one of each age."""
    if older is None:
        return None
    today = outcomes.filter(pl.col("model") == default_model).with_columns(list_age_days=pl.lit(0, pl.Int64))
    ages = pl.concat([today, older.select(today.columns)])
    of_every_age = pl.col("list_age_days").n_unique().over("forecast_date", "offence_group")
    ages = ages.filter(of_every_age == len(LIST_AGES_DAYS))
    return None if ages.is_empty() else ages


def _hash(outcomes: pl.DataFrame) -> str:
    ordered = outcomes.sort("forecast_date", "model", "offence_group", "coverage")
    return hashlib.sha256(ordered.write_csv().encode()).hexdigest()


def _fits_ahead(plan: Plan) -> list[MonthOfFits]:
    """Fits to make before the lists: not those with a lag of their own, which are not kept."""
    return fits_of(plan.first, plan.last, plan.models) if plan.lags[0] == AS_IT_STANDS else []


def _months(plan: Plan) -> list[tuple[date, date]]:
    """First and last day of the plan in each of its months."""
    by_month = groupby(days_between(plan.first, plan.last), key=month_start)
    return [(days[0], days[-1]) for days in (list(of_month) for _, of_month in by_month)]


def steps_of(plan: Plan) -> int:
    """How many pieces of work a trial has, for the log."""
    return len(_fits_ahead(plan)) + len(_months(plan)) + 1

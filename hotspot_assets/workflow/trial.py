"""The trial of a period: from outcomes to the report.

Belongs here: choosing the days, saying what the trial rested on, and writing the report. Not here: statistics
and pages (trial).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from hotspot_assets.forecasting.catalogue import MODELS
from hotspot_assets.settings import Settings
from hotspot_assets.trial.metrics import OUTCOMES
from hotspot_assets.trial.report import About, StandIn, html_report, markdown_table
from hotspot_assets.trial.results import Measured, trial_results
from hotspot_assets.warehouse.forecasts import outcomes_between
from hotspot_assets.warehouse.lake import Lake

_BASELINES = ("count_28", "count_365", "count_all", "kde")
_NEVER, _EVER = date(1, 1, 1), date(9999, 12, 31)


@dataclass(frozen=True)
class Trial:
    """A trial as written: its table, its report and the champion its rule proposes."""

    days: int
    period: str
    champion: str
    reason: str
    markdown: str
    report: Path | None


def run_trial(lake: Lake, settings: Settings, first: date | None, last: date | None) -> Trial:
    """Compare the models on all days of a period for which every one of them has an outcome."""
    outcomes = outcomes_between(lake, first or _NEVER, last or _EVER)
    default = settings.forecast.model
    if outcomes.is_empty() or default not in outcomes["model"].unique().to_list():
        return Trial(0, "none", default, "no day has been judged yet", "No day has been judged yet.", None)
    models = outcomes["model"].n_unique()
    complete = pl.col("model").n_unique().over("forecast_date", "offence_group") == models
    outcomes = outcomes.filter(complete)
    days = outcomes["forecast_date"]
    results = trial_results(
        Measured(outcomes.select(list(OUTCOMES))),
        default_model=default,
        current_champion=default,
        eligible=[name for name in outcomes["model"].unique().sort() if name != "boosting"],
        baselines=[name for name in _BASELINES if name in outcomes["model"].unique().to_list()],
    )
    about = _about(settings, outcomes)
    report = settings.outputs / "trial" / "index.html"
    _write(report, html_report(results, about))
    table = markdown_table(results, about)
    _write(report.with_name("table.md"), table)
    proposal = results.proposal
    return Trial(days.n_unique(), about.period, proposal.champion, proposal.reason, table, report)


def _about(settings: Settings, outcomes: pl.DataFrame) -> About:
    days = outcomes["forecast_date"]
    rules = settings.forecast
    named = [MODELS[name] for name in outcomes["model"].unique().sort() if name in MODELS]
    synthetic = " (SYNTHETIC: a fictional place)" if settings.area.synthetic else ""
    return About(
        title=f"Model trial, {settings.area.name}{synthetic}",
        period=" to ".join(str(day) for day in (days.min(), days.max())),
        study_area=f"{settings.area.name}, H3 resolution {settings.grid.resolution}",
        knowledge=f"cut-off {rules.cut_off:%H:%M} local time; days made after the event are reconstructed",
        stand_ins=[
            StandIn(model.name, model.stands_in_for or "", model.source, model.not_known_of_original or "")
            for model in named
        ],
        looks=[],
    )


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8", newline="\n")
    part.replace(path)

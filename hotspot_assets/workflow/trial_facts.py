"""What a trial rests on: its ground, what could be known, how incidents follow each other, who looked.

Belongs here: the facts that a report states beside its figures. Not here: the figures.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from hotspot_assets.forecasting.catalogue import MODELS
from hotspot_assets.forecasting.near_repeat import TooDenseError, near_repeat
from hotspot_assets.forecasting.ranking import tie_seed
from hotspot_assets.trial.report import About, Look, StandIn
from hotspot_assets.trial.results import Measured
from hotspot_assets.warehouse.reads import day_counts
from hotspot_assets.warehouse.trials import looks_between, points_of, recording_delays, share_assumed
from hotspot_assets.workflow.trial_lists import Stage

if TYPE_CHECKING:
    from hotspot_assets.workflow.trial import Plan, Step

DISTANCES_M, SPANS_DAYS = (100.0, 200.0, 400.0), (7, 14, 28)
_YEAR = timedelta(days=365)
_MOST_PAIRS = 300_000
"""So many close pairs take a few seconds to shuffle 999 times; a denser group is tested on fewer days."""


def delays(stage: Stage, first: date, last: date) -> pl.DataFrame | None:
    """How late the source records, see `recording_delays`; None where it states no times."""
    found = recording_delays(stage.lake, first, last, stage.newest)
    found = found.filter(pl.col("offence_group").is_in(stage.settings.forecast.groups))
    return None if found.is_empty() else found


def near_repeats(stage: Stage, plan: Plan, step: Step) -> pl.DataFrame | None:
    """Knox's test of each offence group over the year before the trial; None without pairs to speak of."""
    tables = []
    for group in sorted(stage.settings.forecast.groups):
        points = points_of(
            stage.lake, group, plan.first - _YEAR, plan.first - timedelta(days=1), stage.newest
        )
        table = _knox(points, tie_seed(plan.first, group, "near repeat"))
        tables.append(table.with_columns(offence_group=pl.lit(group)))
    found = pl.concat(tables).filter(pl.col("pairs") > 0)
    step(found.height)
    return None if found.is_empty() else found


def _knox(points: pl.DataFrame, seed: int) -> pl.DataFrame:
    """The test on the latest days that are not too dense for it."""
    days = points["day"].cast(pl.Int32).to_numpy().astype(np.int64)
    latitude, longitude = points["latitude"].to_numpy(), points["longitude"].to_numpy()
    while True:
        try:
            return near_repeat(
                latitude, longitude, days, DISTANCES_M, SPANS_DAYS, seed, most_pairs=_MOST_PAIRS
            )
        except TooDenseError:
            later = days > np.median(days)
            latitude, longitude, days = latitude[later], longitude[later], days[later]


def about(stage: Stage, plan: Plan, measured: Measured) -> About:
    """What a reader must know besides the tables."""
    settings = stage.settings
    synthetic = " (SYNTHETIC: a fictional place)" if settings.area.synthetic else ""
    return About(
        title=f"Model trial, {settings.area.name}{synthetic}",
        period=plan.period,
        study_area=_ground(stage, plan, measured),
        knowledge=_knowledge(stage, plan),
        stand_ins=[
            StandIn(name, each.stands_in_for or "", each.source, each.not_known_of_original or "")
            for name in plan.models
            for each in [MODELS[name]]
        ],
        looks=[
            Look(
                f"{row['looked_at']:%Y-%m-%d %H:%M} UTC",
                row["author"],
                f"{row['why']} ({', '.join(row['models'])})",
            )
            for row in looks_between(stage.lake, plan.first, plan.last).to_dicts()
        ],
    )


def _ground(stage: Stage, plan: Plan, measured: Measured) -> str:
    """The forecast domain, how it was found, and how much of what happened lies in it."""
    area = stage.settings.area
    months = list(stage.months(plan.first, plan.last))
    sizes = sorted({month.area.n for month in months})
    cells = f"{sizes[0]:,}" if len(sizes) == 1 else f"{sizes[0]:,} to {sizes[-1]:,}"
    if area.boundary is not None:
        how = f"the cells within the boundary {area.boundary.name}"
    elif area.as_of is None:
        how = "where incidents lay before each month, and the cells next to them"
    elif area.as_of <= plan.first:
        how = f"where incidents lay before {area.as_of}, and the cells next to them"
    else:
        how = (
            f"where incidents lay before {area.as_of}, and the cells next to them: A FIXED FRAME THAT HAS SEEN THE"
            " DAYS OF THE TRIAL, for reproduction only"
        )
    km2 = f"{months[-1].area.total_area_km2:,.0f}"
    inside = _incidents(measured.outcomes)
    whole = day_counts(stage.lake, (plan.first, plan.last), stage.settings.forecast.groups, stage.newest)
    days = measured.outcomes["forecast_date"].unique().to_list()
    there = float(whole.filter(pl.col("day").is_in(days))["incidents"].sum())
    outside = max(there - inside, 0.0)
    return (
        f"{area.name}: {cells} cells of H3 resolution {stage.settings.grid.resolution}, {km2} km2 at the end; {how}."
        f" Of {there:,.0f} incidents with a place, {outside:,.0f} lie outside it or on days without all lists, and"
        " count for no model"
    )


def _incidents(outcomes: pl.DataFrame) -> float:
    once = outcomes.unique(["forecast_date", "offence_group"])
    return float(once["incidents"].sum())


def _knowledge(stage: Stage, plan: Plan) -> str:
    rules = stage.settings.forecast
    before = " on the day before" if rules.cut_off_days_before else ""
    assumed = share_assumed(stage.lake, plan.first - _YEAR, plan.last, stage.newest) or 0.0
    if assumed > 0:
        how = (
            f"RECONSTRUCTED: for {100 * assumed:.0f} % of the incidents from a year before the trial on, the time at"
            " which they became known is assumed, not recorded"
        )
    else:
        how = "computed after the event from what was known at each cut-off"
    return (
        f"cut-off {rules.cut_off:%H:%M} local time{before}; reporting lag {plan.lags[0].name}; every model is fitted on"
        f" the first of each month on what was known then. {how}"
    )

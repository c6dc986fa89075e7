"""From what was known at each day's cut-off to ranked surfaces, headers first.

Belongs here: planning which days can be forecast from what, running the engine over them, and writing each
batch in one transaction. Not here: the sums (forecasting), Dagster's partitions (defs).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import chain, groupby, repeat

import numpy as np
import polars as pl

from hotspot_assets.forecasting.engine import BLOCK_DAYS, DaySurface
from hotspot_assets.forecasting.events import month_start
from hotspot_assets.forecasting.ranking import rank, tie_seed
from hotspot_assets.hexgrid.study_areas import StudyArea
from hotspot_assets.intake.ahead import ahead, in_threads
from hotspot_assets.settings import Settings
from hotspot_assets.warehouse.forecasts import replace_days
from hotspot_assets.warehouse.lake import Lake, Stamp
from hotspot_assets.warehouse.tables import TABLES
from hotspot_assets.workflow.dates import days_between, now_utc
from hotspot_assets.workflow.headers import DayPlan, plan_days
from hotspot_assets.workflow.models import surfaces
from hotspot_assets.workflow.months import clocks_now, month_ready
from hotspot_assets.workflow.study_area import NoStudyArea

_BATCH_ROWS = 3_000_000
"""Rows written in one transaction: sixteen days of 36,000 cells and five groups; it costs as much as two days more."""


@dataclass(frozen=True)
class DayFacts:
    """What is said of one forecast date, in the run history and to auditors."""

    date: date
    headers: pl.DataFrame
    rows: int
    snapshot_id: int

    @property
    def made(self) -> pl.DataFrame:
        """Headers of the forecasts that were made."""
        return self.headers.filter(pl.col("not_made_because").is_null())


def make_forecasts(
    lake: Lake, settings: Settings, first: date, last: date, stamp: Stamp
) -> Iterator[DayFacts]:
    """Forecast each day first..last and write it; yields the facts of a day once it is committed.

    Days already written stay written if a later one fails. Where nothing can be forecast, the header says
    why, and no surface stands for that day.
    """
    clocks = clocks_now(lake)
    by_month = groupby(days_between(first, last), key=month_start)
    months = (_ready(lake, settings, list(days), clocks, stamp) for _, days in by_month)
    # Reading the next month, scoring the next days, ranking them and writing the last ones go on side by side.
    batches = chain.from_iterable(_batches(month) for month in ahead(months))
    for batch in ahead(batches):
        yield from _commit(lake, settings, batch, stamp)


@dataclass(frozen=True)
class _Days:
    """Days of one month made ready: `scored` scores and ranks each; None for each where no forecast can be made."""

    days: list[date]
    plan: DayPlan
    scored: Iterator[_Scored | None]


@dataclass(frozen=True)
class _Scored:
    """A day's rows, and the offence groups for which nothing counts that the model remembers."""

    rows: pl.DataFrame
    blank: list[str]


@dataclass(frozen=True)
class _Batch:
    """Days written in one transaction: their headers, and the rows of each day where any were made."""

    days: list[date]
    headers: pl.DataFrame
    frames: list[pl.DataFrame]


def _ready(lake: Lake, settings: Settings, days: list[date], clocks: pl.DataFrame, stamp: Stamp) -> _Days:
    try:
        shared = month_ready(lake, settings, month_start(days[0]), clocks, stamp)
    except NoStudyArea as reason:
        plan = plan_days(settings, days, clocks, stamp, no_area=str(reason))
        return _Days(days, plan, repeat(None, len(days)))
    area, in_force, events = shared.area, shared.in_force, shared.events
    plan = plan_days(settings, days, clocks, stamp, area=area, in_force=in_force, events=events)
    if plan.nothing_to_make():
        return _Days(days, plan, repeat(None, len(days)))
    scored = ahead(surfaces(in_force, settings, area, events, days[0], days[-1]), BLOCK_DAYS)
    model = settings.forecast.model
    return _Days(days, plan, (_scored(day, area, plan.able(day.date), model) for day in scored))


def _scored(surface: DaySurface, area: StudyArea, groups: Sequence[str], model: str) -> _Scored:
    blank = [group for group in groups if not surface.of(group).any()]
    kept = [group for group in groups if group not in blank]
    return _Scored(surface_rows(surface, area, kept, model), blank)


def _batches(month: _Days) -> Iterator[_Batch]:
    days: list[date] = []
    frames: list[pl.DataFrame] = []
    blank: set[tuple[date, str]] = set()
    for day, scored in zip(month.days, month.scored, strict=True):
        days.append(day)
        if scored is not None:
            frames.append(scored.rows)
            blank.update((day, group) for group in scored.blank)
        if day == month.days[-1] or sum(rows.height for rows in frames) >= _BATCH_ROWS:
            headers = month.plan.headers(now_utc(), blank).filter(pl.col("forecast_date").is_in(days))
            yield _Batch(days, headers, frames)
            days, frames = [], []


def surface_rows(surface: DaySurface, area: StudyArea, groups: Sequence[str], model: str) -> pl.DataFrame:
    """A day's surfaces as rows of `proximity_scores`, for the groups named; in the order they are stored in."""
    if not groups:
        return TABLES["proximity_scores"].empty()
    names = tuple(sorted(groups))
    scores = [surface.of(group) for group in names]
    ranks = in_threads(lambda group: rank(surface.of(group), tie_seed(surface.date, group, model)), names)
    return pl.DataFrame(
        [
            pl.repeat(surface.date, len(names) * area.n, dtype=pl.Date, eager=True).alias("forecast_date"),
            *_groups_and_cells(names, area),
            pl.Series("score", np.concatenate(scores)),
            pl.Series("rank", np.concatenate(ranks)),
        ]
    )


@lru_cache(maxsize=2)
def _groups_and_cells(groups: tuple[str, ...], area: StudyArea) -> tuple[pl.Series, pl.Series]:
    """The columns that all days have in common, made once for all of them: half of the room that rows take."""
    group = pl.Series(groups).gather(np.repeat(np.arange(len(groups)), area.n))
    return group.alias("offence_group"), pl.Series("cell", np.tile(area.cells, len(groups)))


def _commit(lake: Lake, settings: Settings, batch: _Batch, stamp: Stamp) -> Iterator[DayFacts]:
    rows = pl.concat(batch.frames) if batch.frames else TABLES["proximity_scores"].empty()
    written = replace_days(
        lake,
        "proximity_scores",
        (batch.days[0], batch.days[-1]),
        rows,
        stamp,
        headers=batch.headers,
        parameters=settings.forecast_parameters(),
        in_order=True,
    )
    for number, day in enumerate(batch.days):
        of_day = batch.headers.filter(pl.col("forecast_date") == day)
        yield DayFacts(day, of_day, batch.frames[number].height if batch.frames else 0, written.snapshot_id)

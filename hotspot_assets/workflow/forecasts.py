"""From what was known at each day's cut-off to ranked surfaces, headers first.

Belongs here: planning which days can be forecast from what, running the engine over them, and writing each
batch in one transaction. Not here: the sums (forecasting), Dagster's partitions (defs).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby

import numpy as np
import polars as pl

from hotspot_assets.forecasting.engine import DaySurface
from hotspot_assets.forecasting.events import Events, month_start
from hotspot_assets.forecasting.profiles import FloatArray
from hotspot_assets.forecasting.ranking import ranked_cells, tie_seed
from hotspot_assets.hexgrid.study_areas import StudyArea
from hotspot_assets.settings import Settings
from hotspot_assets.warehouse.forecasts import replace_days
from hotspot_assets.warehouse.lake import Lake, Stamp
from hotspot_assets.warehouse.reads import delivery_clocks, newest_delivery
from hotspot_assets.warehouse.tables import TABLES
from hotspot_assets.workflow.dates import days_between, now_utc
from hotspot_assets.workflow.headers import plan_days
from hotspot_assets.workflow.knowledge import events_as_known
from hotspot_assets.workflow.models import InForce, model_in_force, surfaces
from hotspot_assets.workflow.study_area import NoStudyArea, keep_study_area, study_area_of_month

_BATCH_ROWS = 3_000_000
"""Rows written in one transaction: enough that the transaction itself costs little, and some 200 MB."""


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
    newest = newest_delivery(lake)
    clocks = delivery_clocks(lake, newest)
    for _, group in groupby(days_between(first, last), key=month_start):
        yield from _make_month(lake, settings, list(group), newest, clocks, stamp)


def _make_month(
    lake: Lake, settings: Settings, days: list[date], newest: int, clocks: pl.DataFrame, stamp: Stamp
) -> Iterator[DayFacts]:
    try:
        area = study_area_of_month(lake, settings, month_start(days[0]), newest)
    except NoStudyArea as reason:
        headers = plan_days(settings, days, clocks, stamp, no_area=str(reason)).headers(now_utc())
        yield from _commit(lake, settings, days, headers, [], stamp)
        return
    keep_study_area(lake, settings, area, stamp)
    in_force = model_in_force(lake, settings, area, month_start(days[0]), newest, stamp)
    events = events_of_month(lake, settings, area, in_force, days, newest)
    plan = plan_days(settings, days, clocks, stamp, area=area, in_force=in_force, events=events)
    if plan.nothing_to_make():
        yield from _commit(lake, settings, days, plan.headers(now_utc()), [], stamp)
        return
    batch: list[pl.DataFrame] = []
    begin = days[0]
    for surface in surfaces(in_force, settings, area, events, days[0], days[-1]):
        batch.append(surface_rows(surface, area, plan.able(surface.date), settings.forecast.model))
        if surface.date == days[-1] or sum(rows.height for rows in batch) >= _BATCH_ROWS:
            written = days_between(begin, surface.date)
            headers = plan.headers(now_utc()).filter(pl.col("forecast_date").is_in(written))
            yield from _commit(lake, settings, written, headers, batch, stamp)
            batch, begin = [], surface.date + timedelta(days=1)


def events_of_month(
    lake: Lake,
    settings: Settings,
    area: StudyArea,
    in_force: InForce,
    days: Sequence[date],
    delivery_seq: int,
) -> Events:
    """What the days of one month may know, from the month's anchor on, at both clocks."""
    groups = in_force.reads(settings.forecast.groups)
    return events_as_known(lake, settings, area, groups, (month_start(days[0]), days[-1]), delivery_seq)


def surface_rows(surface: DaySurface, area: StudyArea, groups: Sequence[str], model: str) -> pl.DataFrame:
    """A day's surfaces as rows of `proximity_scores`, for the groups named; in the order they are stored in."""
    frames = [
        _ranked(surface.of(group), area, tie_seed(surface.date, group, model)).select(
            forecast_date=pl.lit(surface.date),
            offence_group=pl.lit(group),
            cell="cell",
            score="score",
            rank="rank",
        )
        for group in sorted(groups)
    ]
    return pl.concat(frames) if frames else TABLES["proximity_scores"].empty()


def _ranked(scores: FloatArray, area: StudyArea, seed: int) -> pl.DataFrame:
    order = ranked_cells(scores, seed)
    ranks = np.arange(1, len(order) + 1, dtype=np.int32)
    return pl.DataFrame({"cell": area.cells[order], "score": scores[order], "rank": ranks})


def _commit(
    lake: Lake,
    settings: Settings,
    days: list[date],
    headers: pl.DataFrame,
    frames: list[pl.DataFrame],
    stamp: Stamp,
) -> Iterator[DayFacts]:
    rows = pl.concat(frames) if frames else TABLES["proximity_scores"].empty()
    written = replace_days(
        lake,
        "proximity_scores",
        (days[0], days[-1]),
        rows,
        stamp,
        headers=headers,
        parameters=settings.forecast_parameters(),
        in_order=True,
    )
    for number, day in enumerate(days):
        of_day = headers.filter(pl.col("forecast_date") == day)
        yield DayFacts(day, of_day, frames[number].height if frames else 0, written.snapshot_id)

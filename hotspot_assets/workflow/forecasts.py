"""From what was known at each day's cut-off to ranked surfaces, headers first.

Belongs here: planning which days can be forecast from what, running the engine over them, and writing each
batch in one transaction. Not here: the sums (forecasting), Dagster's partitions (defs).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby

import numpy as np
import polars as pl

from hotspot_assets.forecasting.catalogue import FittedModel
from hotspot_assets.forecasting.engine import DaySurface
from hotspot_assets.forecasting.events import Events, build_events, epoch_day, month_start
from hotspot_assets.forecasting.kernel import canonical_json
from hotspot_assets.forecasting.ranking import rank, tie_seed
from hotspot_assets.hexgrid.study_areas import StudyArea
from hotspot_assets.settings import Settings
from hotspot_assets.warehouse.forecasts import replace_days
from hotspot_assets.warehouse.lake import Lake, Stamp
from hotspot_assets.warehouse.reads import delivery_clocks, newest_delivery, weights_as_known
from hotspot_assets.warehouse.tables import TABLES
from hotspot_assets.workflow.deliveries import now_utc
from hotspot_assets.workflow.models import FittedFor, model_for_month, surfaces
from hotspot_assets.workflow.study_area import NoStudyArea, cut_offs, keep_study_area, study_area_of_month

CODE_VERSION = "1"
"""Version of the scoring code: raised whenever the same inputs could give other scores."""

_BATCH_ROWS = 4_000_000


@dataclass(frozen=True)
class DayFacts:
    """What is said of one forecast date, in the run history and to auditors."""

    date: date
    headers: pl.DataFrame
    rows: int
    largest_sum_error: float
    snapshot_id: int

    @property
    def made(self) -> pl.DataFrame:
        """Headers of the forecasts that were made."""
        return self.headers.filter(pl.col("not_made_because").is_null())


@dataclass(frozen=True)
class _Month:
    """Consecutive forecast dates of one month, with what all of them rest on."""

    days: tuple[date, ...]
    area: StudyArea | None
    fitted: FittedFor | None
    no_area: str | None = None


def days_between(first: date, last: date) -> list[date]:
    """first, first + 1, ..., last."""
    return [first + timedelta(days=offset) for offset in range((last - first).days + 1)]


def make_forecasts(lake: Lake, settings: Settings, first: date, last: date, stamp: Stamp) -> Iterator[DayFacts]:
    """Forecast each day first..last and write it; yields the facts of a day once it is committed.

    Days already written stay written if a later one fails. Where nothing can be forecast, the header says
    why, and no surface stands for that day.
    """
    newest = newest_delivery(lake)
    clocks = delivery_clocks(lake, newest)
    for _, days in groupby(days_between(first, last), key=month_start):
        month = _prepare(lake, settings, tuple(days), newest, stamp)
        yield from _write_month(lake, settings, month, newest, clocks, stamp)


def _prepare(lake: Lake, settings: Settings, days: tuple[date, ...], newest: int, stamp: Stamp) -> _Month:
    try:
        area = study_area_of_month(lake, settings, month_start(days[0]), newest)
    except NoStudyArea as reason:
        return _Month(days, None, None, str(reason))
    keep_study_area(lake, settings, area, stamp)
    return _Month(days, area, model_for_month(lake, settings, settings.forecast.model, area, month_start(days[0]), newest, stamp))


def _write_month(
    lake: Lake, settings: Settings, month: _Month, newest: int, clocks: pl.DataFrame, stamp: Stamp
) -> Iterator[DayFacts]:
    targets = settings.forecast.groups
    if month.area is None or month.fitted is None:
        headers = _headers(settings, month, [Known.nothing(group) for group in targets] * 1, clocks, stamp)
        yield from _commit(lake, list(month.days), headers, [], stamp)
        return
    events = month_events(lake, settings, month.area, month.fitted.reads(targets), month.days, newest)
    headers = _headers(settings, month, known_of(settings, events, month.days), clocks, stamp)
    able = headers.filter(pl.col("not_made_because").is_null())
    frames: list[pl.DataFrame] = []
    batch: list[date] = []
    for surface in surfaces(month.fitted.model, events, month.area, settings, month.days[0], month.days[-1]):
        groups = able.filter(forecast_date=surface.date)["offence_group"].to_list()
        frames.append(surface_rows(surface, month.area, groups, settings.forecast.model))
        batch.append(surface.date)
        if sum(frame.height for frame in frames) >= _BATCH_ROWS:
            yield from _commit(lake, batch, headers, frames, stamp)
            frames, batch = [], []
    if batch:
        yield from _commit(lake, batch, headers, frames, stamp)

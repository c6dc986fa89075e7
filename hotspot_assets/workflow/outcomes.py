"""How each model did on days that are known by now.

Belongs here: bringing forecasts and what happened together, and writing outcomes. The default model is judged
by the surface that was stored for the day; the others are computed from the same point in time. Not here: the
measures (trial).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from itertools import groupby

import numpy as np
import numpy.typing as npt
import polars as pl

from hotspot_assets.errors import UserError
from hotspot_assets.forecasting import catalogue
from hotspot_assets.forecasting.engine import DaySurface
from hotspot_assets.forecasting.events import Events, month_start
from hotspot_assets.forecasting.ranking import rank, tie_seed
from hotspot_assets.hexgrid.study_areas import StudyArea
from hotspot_assets.settings import Settings
from hotspot_assets.trial.flags import Ruler
from hotspot_assets.trial.metrics import Surface, day_truth, range_outcomes
from hotspot_assets.warehouse.forecasts import replace_outcomes, scores_between
from hotspot_assets.warehouse.lake import Lake, Stamp
from hotspot_assets.warehouse.reads import day_counts, delivery_clocks, newest_delivery
from hotspot_assets.workflow.dates import days_between
from hotspot_assets.workflow.knowledge import events_as_known
from hotspot_assets.workflow.models import InForce, model_in_force, surfaces
from hotspot_assets.workflow.study_area import NoStudyArea, study_area_of_month


class NotKnownYet(UserError):
    """A day that cannot be judged yet."""


@dataclass(frozen=True)
class Judged:
    """Outcomes of consecutive days, as written."""

    first: date
    last: date
    outcomes: pl.DataFrame
    snapshot_id: int
    delivery_seq: int


def last_known_day(settings: Settings, today: date) -> date:
    """The last day whose incidents count as known."""
    return today - timedelta(days=1 + settings.forecast.complete_after_days)


def judge(
    lake: Lake, settings: Settings, first: date, last: date, today: date, stamp: Stamp
) -> Iterator[Judged]:
    """Measure every model of the trial on each day first..last, month by month.

    Raises
    ------
    NotKnownYet
        When a day has not passed, or its incidents may still be coming in.
    """
    known = last_known_day(settings, today)
    if last > known:
        on = last + timedelta(days=1 + settings.forecast.complete_after_days)
        raise NotKnownYet(f"The incidents of {last} count as known from {on} on; judge the day then.")
    newest = newest_delivery(lake)
    clocks = delivery_clocks(lake, newest)
    for month, group in groupby(days_between(first, last), key=month_start):
        days = list(group)
        try:
            area = study_area_of_month(lake, settings, month, clocks, stamp)
        except NoStudyArea:
            found = pl.DataFrame()
        else:
            found = _measure(lake, settings, area, days, newest, clocks, stamp)
        written = replace_outcomes(lake, (days[0], days[-1]), found, newest, stamp)
        yield Judged(days[0], days[-1], found, written.snapshot_id, newest)


def _measure(
    lake: Lake,
    settings: Settings,
    area: StudyArea,
    days: list[date],
    newest: int,
    clocks: pl.DataFrame,
    stamp: Stamp,
) -> pl.DataFrame:
    ruler = Ruler.by_area(area.area_km2)
    counts = counts_of_days(lake, settings, area, days, newest)
    truths = {key: day_truth(count, ruler) for key, count in counts.items()}
    parts = [range_outcomes(_stored(lake, settings, area, days), truths, ruler)]
    month = month_start(days[0])

    @cache  # most models read the same offence groups
    def known(groups: tuple[str, ...]) -> Events:
        return events_as_known(lake, settings, area, groups, (month, days[-1]), newest)

    for model in settings.trial.models:
        if model != settings.forecast.model and catalogue.model(model).runs_here:
            in_force = model_in_force(lake, settings, area, month, clocks, stamp, model=model)
            computed = _computed(settings, area, days, in_force, known)
            parts.append(range_outcomes(computed, truths, ruler))
    return pl.concat(parts)


def counts_of_days(
    lake: Lake, settings: Settings, area: StudyArea, days: Sequence[date], newest: int
) -> dict[tuple[date, str], npt.NDArray[np.float64]]:
    """Incidents per cell of the area, by day and offence group, as a delivery knew them."""
    groups = settings.forecast.groups
    counts = day_counts(lake, (days[0], days[-1]), groups, newest)
    counts = counts.with_columns(index=pl.Series(area.index_of(counts["cell"].to_numpy()), dtype=pl.Int64))
    by_day = counts.filter(pl.col("index") >= 0).partition_by("day", "offence_group", as_dict=True)
    found = {}
    for day in days:
        for group in groups:
            incidents = np.zeros(area.n)
            rows = by_day.get((day, group))
            if rows is not None:
                incidents[rows["index"].to_numpy()] = rows["incidents"].to_numpy()
            found[day, group] = np.maximum(incidents, 0.0)
    return found


def _stored(lake: Lake, settings: Settings, area: StudyArea, days: Sequence[date]) -> Iterator[Surface]:
    """The surfaces in the lake: what was said on the day."""
    for day in days:
        rows = scores_between(lake, day, day)
        for (group,), surface in rows.group_by("offence_group", maintain_order=True):
            if not np.array_equal(surface["cell"].to_numpy(), area.cells):
                continue  # forecast for another study area: its cells are not these
            yield Surface(
                day,
                settings.forecast.model,
                str(group),
                surface["score"].to_numpy(),
                surface["rank"].to_numpy(),
            )


def _computed(
    settings: Settings,
    area: StudyArea,
    days: list[date],
    in_force: InForce,
    known: Callable[[tuple[str, ...]], Events],
) -> Iterator[Surface]:
    """The surfaces of a model that did not make the stored ones."""
    if not in_force.fitted.groups:
        return  # nothing was known to fit it on
    events = known(in_force.reads(settings.forecast.groups))
    yield from ranked(surfaces(in_force, settings, area, events, days[0], days[-1]), in_force.model.name)


def ranked(days: Iterable[DaySurface], model: str) -> Iterator[Surface]:
    """The lists of a model: the surfaces of each day and offence group with their ranks, empty ones left out."""
    for day in days:
        for group in day.groups:
            scores = day.of(group)
            if scores.sum() > 0:
                yield Surface(day.date, model, group, scores, rank(scores, tie_seed(day.date, group, model)))

"""The lists that each model would have made on the days of a trial.

Belongs here: fitting and scoring every model, month by month, at a reporting lag, and lists that have grown
old. Not here: measuring them (trial), what is said of them (`trial`).

All models of a month rest on the same study area, the same history and the same cut-offs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from itertools import groupby

import numpy as np
import numpy.typing as npt

from hotspot_assets.forecasting import catalogue
from hotspot_assets.forecasting.engine import DaySurface
from hotspot_assets.forecasting.events import Events, month_start
from hotspot_assets.forecasting.fitting import FitInput
from hotspot_assets.hexgrid.study_areas import StudyArea
from hotspot_assets.settings import Settings
from hotspot_assets.trial.metrics import Surface
from hotspot_assets.warehouse.lake import Lake, Stamp
from hotspot_assets.warehouse.reads import delivery_clocks
from hotspot_assets.workflow.dates import days_between
from hotspot_assets.workflow.knowledge import AS_IT_STANDS, Knowledge, events_as_known, source_groups
from hotspot_assets.workflow.models import (
    InForce,
    fit_input_as_known,
    fitted_on,
    model_in_force,
    surfaces,
)
from hotspot_assets.workflow.outcomes import ranked
from hotspot_assets.workflow.study_area import NoStudyArea, study_area_of_month


@dataclass(frozen=True)
class Stage:
    """What a trial works on: the lake as of its newest delivery, and who asks."""

    lake: Lake
    settings: Settings
    newest: int
    stamp: Stamp

    def months(self, first: date, last: date) -> Iterator[Month]:
        """The days first..last by month, without the months that have no study area."""
        clocks = delivery_clocks(self.lake, self.newest)
        for month, days in groupby(days_between(first, last), key=month_start):
            try:
                area = study_area_of_month(self.lake, self.settings, month, clocks, self.stamp)
            except NoStudyArea:
                continue
            yield Month(self, area, tuple(days))


@dataclass(eq=False)
class Month:
    """Consecutive days of one month with their study area; what was read for one model serves the next."""

    stage: Stage
    area: StudyArea
    days: tuple[date, ...]
    _events: dict[Knowledge, Events] = field(default_factory=dict)
    _inputs: dict[tuple[Knowledge, int], FitInput] = field(default_factory=dict)

    @property
    def month(self) -> date:
        """The first day of the month, on which models are fitted."""
        return month_start(self.days[0])

    def lists(self, model: str, knowledge: Knowledge = AS_IT_STANDS) -> Iterator[Surface]:
        """A model's lists, in date order; none where too little was known to fit it."""
        return ranked(self.surfaces(model, knowledge), model)

    def surfaces(self, model: str, knowledge: Knowledge = AS_IT_STANDS) -> Iterator[DaySurface]:
        """A model's surfaces, in date order."""
        in_force = self.in_force(model, knowledge)
        if not in_force.fitted.groups:
            return iter(())
        first, last = self.days[0], self.days[-1]
        return surfaces(in_force, self.stage.settings, self.area, self._known(knowledge), first, last)

    def in_force(self, name: str, knowledge: Knowledge = AS_IT_STANDS) -> InForce:
        """A model as it stands for the month, fitted if need be.

        Fits that see what forecasts see are kept in the lake; those with a lag of their own are not.
        """
        stage, model = self.stage, catalogue.model(name)
        if model.needs_fit and knowledge != AS_IT_STANDS:
            return InForce(model, fitted_on(model, self._seen(knowledge, stage.newest)), None)
        clocks = delivery_clocks(stage.lake, stage.newest)
        place = (stage.lake, stage.settings, self.area, self.month, clocks, stage.stamp)
        return model_in_force(*place, model=name, prepare=lambda seq: self._seen(knowledge, seq))

    def _seen(self, knowledge: Knowledge, seq: int) -> FitInput:
        key = (knowledge, seq)
        if key not in self._inputs:
            place = (self.stage.lake, self.stage.settings, self.area, self.month)
            self._inputs = {key: fit_input_as_known(*place, seq, knowledge)}  # one at a time: they are large
        return self._inputs[key]

    def _known(self, knowledge: Knowledge) -> Events:
        if knowledge not in self._events:
            lake, settings, newest = self.stage.lake, self.stage.settings, self.stage.newest
            groups = source_groups(lake, settings, self.days[-1], newest)
            span = (self.month, self.days[-1])
            self._events = {
                knowledge: events_as_known(lake, settings, self.area, groups, span, newest, knowledge)
            }
        return self._events[knowledge]


def aged_lists(month: Month, model: str, age_days: int) -> Iterator[Surface]:
    """The lists made so many days before each day of a month, as used on that day.

    They were made for the cells of their own time: a cell that was not among them has no share, and stands at
    the end of the list in a random order.
    """
    age = timedelta(days=age_days)
    for older in month.stage.months(month.days[0] - age, month.days[-1] - age):
        place = older.area.index_of(month.area.cells)
        yield from ranked(_carried(older.surfaces(model), place, age), model)


def _carried(
    made: Iterator[DaySurface], place: npt.NDArray[np.int64], age: timedelta
) -> Iterator[DaySurface]:
    for surface in made:
        shares = np.where(place >= 0, surface.shares[:, place], 0.0)
        total = shares.sum(axis=1, keepdims=True)
        shares = np.divide(shares, total, out=np.zeros_like(shares), where=total > 0)
        yield replace(surface, date=surface.date + age, shares=shares)

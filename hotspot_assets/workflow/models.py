"""The model in force for a month: fitted once on what was known then, kept, and found again.

Belongs here: fitting on a point in time and storing what came out. Not here: the fits themselves (forecasting).
Because a fit is a function of what was known at the cut-off of the month's first day, it does not matter which
run makes it: a scoring run that finds none makes the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from hotspot_assets.forecasting import catalogue
from hotspot_assets.forecasting.catalogue import Model
from hotspot_assets.forecasting.engine import DaySurface
from hotspot_assets.forecasting.events import Events
from hotspot_assets.forecasting.fitting import FitInput, FittedModel, events_needed_from
from hotspot_assets.forecasting.kernel import rings_needed
from hotspot_assets.forecasting.levels import expected_totals
from hotspot_assets.hexgrid.study_areas import StudyArea
from hotspot_assets.settings import Settings
from hotspot_assets.warehouse.forecasts import append_once
from hotspot_assets.warehouse.lake import Lake, Stamp
from hotspot_assets.warehouse.reads import stored_model
from hotspot_assets.workflow.dates import cut_off_of
from hotspot_assets.workflow.knowledge import (
    AS_IT_STANDS,
    Knowledge,
    events_as_known,
    newest_readable,
    source_groups,
)
from hotspot_assets.workflow.study_area import neighbours_of

REACH_RINGS = 13
"""Rings of neighbours kept for a study area: three times the widest Gaussian of any model, in rings."""


@dataclass(frozen=True)
class InForce:
    """A model as it stands for a month; `fitted_model_id` is None where there is nothing to fit."""

    model: Model
    fitted: FittedModel
    fitted_model_id: str | None

    def covers(self, group: str) -> bool:
        """Whether the model can score an offence group."""
        return group in self.fitted.groups

    def reads(self, groups: Sequence[str]) -> tuple[str, ...]:
        """Offence groups whose incidents the model reads, for these targets."""
        return tuple(sorted({*groups, *self.fitted.reads}))

    def expected(self, events: Events, group: str, days: Sequence[date]) -> Sequence[float | None]:
        """Expected incidents of each day, where the model was fitted to counts."""
        level = self.fitted.levels.get(group)
        return [None] * len(days) if level is None else expected_totals(events, group, days, level)


def model_in_force(
    lake: Lake,
    settings: Settings,
    area: StudyArea,
    month: date,
    clocks: pl.DataFrame,
    stamp: Stamp,
    *,
    model: str | None = None,
    prepare: Callable[[int], FitInput] | None = None,
) -> InForce:
    """The model of a month (its first day), fitted if need be on nothing known after that day's cut-off.

    `clocks` are those of the deliveries that may be used; `model` is the default model unless named; `prepare` gives
    what `fit_input_as_known` gives for a delivery, for a caller that fits several models on it.
    """
    chosen = catalogue.model(model or settings.forecast.model)
    if not chosen.needs_fit:
        return InForce(chosen, chosen.unfitted(settings.forecast.groups, month, area), None)
    seq = newest_readable(clocks, cut_off_of(settings, month))
    if seq == 0:
        return InForce(chosen, FittedModel(chosen.name, month, area.study_area_id), None)
    stored = stored_model(lake, chosen.name, month, area.study_area_id, seq, settings.settings_hash())
    if stored is not None:
        fitted_model_id, artefact = stored
        return InForce(chosen, FittedModel.from_artefact(artefact), fitted_model_id)
    fit_input = prepare(seq) if prepare else fit_input_as_known(lake, settings, area, month, seq)
    fitted = fitted_on(chosen, fit_input)
    rows = {"fitted_models": _row(fitted, seq, settings, stamp)}
    append_once(lake, rows, {"fitted_models": ["fitted_model_id", "delivery_seq"]}, stamp)
    return InForce(chosen, fitted, fitted.fitted_model_id)


def fit_input_as_known(
    lake: Lake,
    settings: Settings,
    area: StudyArea,
    month: date,
    seq: int,
    knowledge: Knowledge = AS_IT_STANDS,
) -> FitInput:
    """What a fit may see: what was known at the cut-off of `month`; targets are the groups of which anything was."""
    span = (events_needed_from(month), month)
    sources = source_groups(lake, settings, month, seq)
    events = events_as_known(lake, settings, area, sources, span, seq, knowledge)
    known = {group for group in events.groups if events.slice_of(group).stop > events.slice_of(group).start}
    targets = tuple(group for group in sorted(settings.forecast.groups) if group in known)
    return FitInput(events, area, neighbours_of(settings, area, REACH_RINGS), targets, month)


def fitted_on(model: Model, fit_input: FitInput) -> FittedModel:
    """The model fitted; covering no group where nothing was known."""
    if not fit_input.groups:
        return FittedModel(model.name, fit_input.day, fit_input.area.study_area_id)
    return model.fitted(fit_input)


def _row(fitted: FittedModel, seq: int, settings: Settings, stamp: Stamp) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "fitted_model_id": fitted.fitted_model_id,
            "model": fitted.model,
            "fitted_as_of": fitted.fitted_as_of,
            "study_area_id": fitted.study_area_id,
            "delivery_seq": seq,
            "settings_hash": settings.settings_hash(),
            "artefact": fitted.artefact,
            "run_id": stamp.run_id,
        }
    )


def surfaces(
    in_force: InForce, settings: Settings, area: StudyArea, events: Events, first: date, last: date
) -> Iterator[DaySurface]:
    """Surfaces of the forecast dates first..last of one month; nothing is made or held before the first is asked for."""
    rings = reach(in_force.fitted, area)
    # Not kept here: neighbours are large, and let go once the weights are made of them.
    yield from catalogue.surfaces(
        in_force.fitted, events, area, neighbours_of(settings, area, rings), first, last
    )


def reach(fitted: FittedModel, area: StudyArea) -> int:
    """Rings that a model reads around an incident: a count needs none, and then none are made."""
    if fitted.boosters:
        return REACH_RINGS
    return min(REACH_RINGS, rings_needed(fitted.kernels, area.least_spacing_m))

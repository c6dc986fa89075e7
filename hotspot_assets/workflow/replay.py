"""Making a past forecast again: exactly, cell by cell, or with today's knowledge.

Belongs here: replay (both clocks fixed by the header), explanation (the same sum, not added up) and hindsight
(both clocks set to now). None of them writes. Not here: making forecasts (`forecasts`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import polars as pl

from hotspot_assets.errors import UserError
from hotspot_assets.forecasting import catalogue, explain
from hotspot_assets.forecasting.events import Events, build_events, month_start
from hotspot_assets.forecasting.fitting import FittedModel
from hotspot_assets.hexgrid.study_areas import StudyArea
from hotspot_assets.settings import Settings
from hotspot_assets.warehouse.erasure import rests_on_erased
from hotspot_assets.warehouse.forecasts import areas_between, headers_of
from hotspot_assets.warehouse.lake import Lake
from hotspot_assets.warehouse.reads import (
    artefact_of,
    entries_as_known,
    later_entries,
    newest_delivery,
    weights_as_known,
)
from hotspot_assets.warehouse.tables import TABLES
from hotspot_assets.workflow.dates import cut_offs, days_between, now_utc
from hotspot_assets.workflow.forecasts import surface_rows
from hotspot_assets.workflow.headers import CODE_VERSION
from hotspot_assets.workflow.models import InForce, reach, surfaces
from hotspot_assets.workflow.study_area import kept_study_area, neighbours_of


class CannotReplay(UserError):
    """A forecast that was not made, or not by the settings and code in force."""


@dataclass(frozen=True)
class Hindsight:
    """A past day with today's knowledge.

    `cells`: offence_group, cell, score and rank then and now, largest change first, for cells whose score moved.
    `because`: the entries that were not known then, with incident, delivery and reasons.
    """

    cells: pl.DataFrame
    because: pl.DataFrame


@dataclass(frozen=True)
class _Made:
    """A forecast that was made: what its header names, at hand again."""

    day: date
    header: dict[str, Any]
    groups: list[str]
    area: StudyArea
    in_force: InForce
    cut_offs: pl.Series

    @property
    def seq(self) -> int:
        return int(self.header["delivery_seq"])

    def reads(self, settings: Settings) -> tuple[str, ...]:
        return self.in_force.reads(settings.forecast.groups)


def _made(lake: Lake, settings: Settings, day: date) -> _Made:
    headers = headers_of(lake, day, day).filter(pl.col("not_made_because").is_null())
    if headers.is_empty():
        raise CannotReplay(f"No forecast was made for {day}.")
    header = headers.row(0, named=True)
    if header["settings_hash"] != settings.settings_hash():
        raise CannotReplay(
            f"The forecast of {day} was made by other settings ({header['settings_hash']}); put them in force."
        )
    if header["code_version"] != CODE_VERSION:
        raise CannotReplay(
            f"The forecast of {day} was made by code version {header['code_version']}; install it."
        )
    if rests_on_erased(lake, headers["forecast_id"]):
        raise CannotReplay(
            f"The forecast of {day} rests on incidents erased since: its scores stand, but nobody can make them again."
        )
    area = kept_study_area(lake, header["study_area_id"])
    moments = cut_offs(settings, days_between(month_start(day), day))
    return _Made(
        day,
        header,
        headers["offence_group"].to_list(),
        area,
        _in_force(lake, settings, header, area),
        moments,
    )


def _in_force(lake: Lake, settings: Settings, header: dict[str, Any], area: StudyArea) -> InForce:
    model, fitted_id = catalogue.model(header["model"]), header["fitted_model_id"]
    if fitted_id is None:
        month = month_start(header["forecast_date"])
        return InForce(model, model.unfitted(settings.forecast.groups, month, area), None)
    return InForce(model, FittedModel.from_artefact(artefact_of(lake, fitted_id)), fitted_id)


def _events(lake: Lake, settings: Settings, made: _Made, seq: int, moments: pl.Series) -> Events:
    names = made.reads(settings)
    ledger = weights_as_known(lake, names, made.day, moments[-1], seq)
    return build_events(ledger, made.area, names, month_start(made.day), moments)


def _scores(lake: Lake, settings: Settings, made: _Made, seq: int, moments: pl.Series) -> pl.DataFrame:
    events = _events(lake, settings, made, seq, moments)
    surface = next(surfaces(made.in_force, settings, made.area, events, made.day, made.day))
    rows = surface_rows(surface, made.area, made.groups, made.header["model"])
    return TABLES["proximity_scores"].conform(rows, in_order=True)


def replay(lake: Lake, settings: Settings, day: date, delivery_seq: int | None = None) -> pl.DataFrame:
    """The scores of a past day, made again from its header: rows of `proximity_scores`, byte for byte as then.

    `delivery_seq` puts another delivery in the place of the header's, to see what difference it makes.

    Raises
    ------
    CannotReplay
        When none was made, or other settings or code made it.
    """
    made = _made(lake, settings, day)
    return _scores(lake, settings, made, made.seq if delivery_seq is None else delivery_seq, made.cut_offs)


def hindsight_difference(lake: Lake, settings: Settings, day: date) -> Hindsight:
    """The same day with today's knowledge: which cells moved, and because of which versions.

    Raises
    ------
    CannotReplay
        As `replay`.
    """
    made = _made(lake, settings, day)
    then = _scores(lake, settings, made, made.seq, made.cut_offs)
    moments = pl.Series([now_utc()] * len(made.cut_offs), dtype=made.cut_offs.dtype)
    now = _scores(lake, settings, made, newest_delivery(lake), moments)
    both = then.join(now, on=["forecast_date", "offence_group", "cell"], suffix="_now")
    change = (pl.col("score_now") - pl.col("score")).abs()
    cells = both.filter(pl.col("score") != pl.col("score_now")).sort(change, descending=True)
    because = later_entries(lake, day, made.header["cut_off"], made.seq, made.reads(settings))
    return Hindsight(cells, because)


def explain_cells(
    lake: Lake, settings: Settings, day: date, cells: Mapping[str, Sequence[int]]
) -> dict[str, explain.Explanation]:
    """Which incidents made the scores of some cells of each offence group on a day, as the forecast knew them.

    Raises
    ------
    CannotReplay
        As `replay`, or when an offence group was not forecast, or the model is no kernel.
    OutsideStudyArea
        When a cell lies outside the study area.
    """
    taken = take_day_apart(lake, settings, day, list(cells))
    return {group: explain.explain(apart, cells[group]) for group, apart in taken}


def explain_areas(lake: Lake, settings: Settings, day: date, most: int) -> pl.DataFrame:
    """The scores of all cells inside a patrol area of a day taken apart: columns of `explanations` but the date.

    Of each cell the `most` largest contributions stand alone, see `explain.explain_largest`.

    Raises
    ------
    CannotReplay
        As `replay`, or when the model is no kernel.
    OutsideStudyArea
        When an area was chosen for a forecast that was made again since, on other ground.
    """
    made = _made(lake, settings, day)
    areas = areas_between(lake, day, day).select("offence_group", pl.col("cells").alias("cell"))
    cells = areas.explode("cell", empty_as_null=False).unique()
    wanted = {
        group: cells.filter(pl.col("offence_group") == group)["cell"].to_list() for group in made.groups
    }
    tables = [
        explain.explain_largest(apart, wanted[group], most).with_columns(offence_group=pl.lit(group))
        for group, apart in _taken_apart(lake, settings, made, [group for group in wanted if wanted[group]])
    ]
    return pl.concat(tables) if tables else pl.DataFrame()


def take_day_apart(
    lake: Lake, settings: Settings, day: date, groups: Sequence[str]
) -> Iterator[tuple[str, explain.TakenApart]]:
    """The surfaces of a day's offence groups, one after the other.

    Raises
    ------
    CannotReplay
        As `replay`, or when an offence group was not forecast, or the model is no kernel.
    """
    made = _made(lake, settings, day)
    if unknown := sorted(set(groups) - set(made.groups)):
        raise CannotReplay(
            f"{', '.join(unknown)} was not forecast for {day}; forecast were: {', '.join(made.groups)}."
        )
    yield from _taken_apart(lake, settings, made, groups)


def _taken_apart(
    lake: Lake, settings: Settings, made: _Made, groups: Sequence[str]
) -> Iterator[tuple[str, explain.TakenApart]]:
    """The surfaces of offence groups, taken apart one after the other from one reading."""
    kernels = made.in_force.fitted.kernels
    if not all(group in kernels for group in groups or made.groups):
        raise CannotReplay(
            f"The model {made.header['model']} is no kernel: its scores are not sums over incidents."
        )
    incidents, events = _read(lake, settings, made)
    near = neighbours_of(settings, made.area, reach(made.in_force.fitted, made.area))
    for group in groups:
        yield group, explain.take_apart(incidents, events, made.area, near, kernels[group], group, made.day)


def _read(lake: Lake, settings: Settings, made: _Made) -> tuple[explain.Incidents, Events]:
    """The incidents a forecast knew, and the same as events."""
    groups = made.reads(settings)
    cut_off: datetime = made.header["cut_off"]
    ledger = entries_as_known(lake, groups, made.day, cut_off, made.seq)
    events = build_events([ledger], made.area, groups, month_start(made.day), made.cut_offs)
    return explain.known_incidents(ledger, made.area, made.day, cut_off), events

"""What the days of a month share: where they are forecast, by which model, and what they may know.

Belongs here: making it ready once for several days that are made one by one in a process. All of it follows from the
ledger of weights, the settings and the month, so it is held until one of them is another. Not here: how each part is
found (`study_area`, `models`, `knowledge`), and the days themselves (`forecasts`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from hotspot_assets.forecasting.events import Events, month_start
from hotspot_assets.hexgrid.study_areas import StudyArea
from hotspot_assets.settings import Settings
from hotspot_assets.warehouse.lake import Lake, Stamp
from hotspot_assets.warehouse.reads import delivery_clocks, ledger_mark
from hotspot_assets.workflow.knowledge import events_as_known
from hotspot_assets.workflow.models import InForce, model_in_force
from hotspot_assets.workflow.study_area import basis_of, study_area_of_month


@dataclass(frozen=True, eq=False)
class Month:
    """Study area, model in force and events of a month; `events` say of each of its days what it may know."""

    area: StudyArea
    in_force: InForce
    events: Events


_clocks: dict[tuple[object, ...], pl.DataFrame] = {}
"""The clocks read last, by the mark of the ledger they were read from: as long as it stands, they are one object."""

_months: dict[tuple[object, ...], tuple[pl.DataFrame, Month]] = {}
"""The month made ready last, with the clocks it was made with: one at a time, as events are large."""


def clocks_now(lake: Lake) -> pl.DataFrame:
    """Both clocks of all deliveries (`delivery_clocks`), held until the ledger of weights is written."""
    mark = ledger_mark(lake)  # before what it marks: what is written in between leads to another
    clocks = _clocks.get(mark)
    if clocks is None:
        _clocks.clear()
        clocks = _clocks[mark] = delivery_clocks(lake)
    return clocks


def month_ready(lake: Lake, settings: Settings, month: date, clocks: pl.DataFrame, stamp: Stamp) -> Month:
    """What the days of a month (its first day) share, with the deliveries of `clocks`, which `clocks_now` gave.

    What was found for the first time is kept in the lake: the study area, and the model where one had to be fitted.

    Raises
    ------
    NoStudyArea
        When there is neither a boundary nor an incident before the month.
    """
    made_of = month, settings.settings_hash(), basis_of(settings, month, clocks)
    made_with, ready = _months.get(made_of, (None, None))
    if ready is None or made_with is not clocks:
        _months.clear()
        ready = _made_ready(lake, settings, month, clocks, stamp)
        _months[made_of] = clocks, ready
    return ready


def _made_ready(lake: Lake, settings: Settings, month: date, clocks: pl.DataFrame, stamp: Stamp) -> Month:
    area = study_area_of_month(lake, settings, month, clocks, stamp)
    in_force = model_in_force(lake, settings, area, month, clocks, stamp)
    groups, newest = in_force.reads(settings.forecast.groups), max(clocks["delivery_seq"], default=0)
    last = month_start(month + timedelta(days=31)) - timedelta(days=1)
    return Month(area, in_force, events_as_known(lake, settings, area, groups, (month, last), newest))

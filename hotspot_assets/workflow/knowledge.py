"""What forecasts may know, and what they might have known: events as of each day's cut-off.

Belongs here: which deliveries could be read at a cut-off, and reading the ledger of weights at the cut-offs of a
range of days, as it stands, or with a reporting lag for a trial. Not here: both clocks of single forecasts (`headers`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import polars as pl

from hotspot_assets.forecasting.events import Events, build_events
from hotspot_assets.hexgrid.study_areas import StudyArea
from hotspot_assets.intake.ahead import ahead
from hotspot_assets.settings import Settings
from hotspot_assets.warehouse.lake import Lake
from hotspot_assets.warehouse.reads import groups_known, weights_as_known, weights_as_recorded
from hotspot_assets.workflow.dates import cut_offs, days_between


@dataclass(frozen=True)
class Knowledge:
    """When an incident counts as known: as the lake has it, or `lag_days` later, or once its source recorded it.

    `as_recorded` changes only incidents whose knowledge time is assumed.
    """

    lag_days: int = 0
    as_recorded: bool = False

    @property
    def name(self) -> str:
        """How a report calls it."""
        return "as recorded" if self.as_recorded else f"{self.lag_days} days"


AS_IT_STANDS = Knowledge()


def events_as_known(
    lake: Lake,
    settings: Settings,
    area: StudyArea,
    groups: tuple[str, ...],
    days: tuple[date, date],
    delivery_seq: int,
    knowledge: Knowledge = AS_IT_STANDS,
) -> Events:
    """What the forecasts for the days first..last may know of these groups, at both clocks."""
    first, last = days
    moments = cut_offs(settings, days_between(first, last)) - timedelta(days=knowledge.lag_days)
    read = weights_as_recorded if knowledge.as_recorded else weights_as_known
    ledger = read(lake, groups, last, moments[-1], delivery_seq)
    # The next part is read while this one is put into keys.
    return build_events(ahead(ledger), area, groups, first, moments)


def newest_readable(clocks: pl.DataFrame, cut_off: datetime) -> int:
    """Number of the newest delivery of which anything was known at a cut-off; 0: none."""
    readable = clocks.filter(pl.col("known_from") <= cut_off)
    return int(readable["delivery_seq"].max()) if readable.height else 0  # type: ignore[arg-type]


def source_groups(lake: Lake, settings: Settings, day: date, delivery_seq: int) -> tuple[str, ...]:
    """Offence groups that fits may learn from: those of the settings, else all that were known."""
    rules = settings.forecast
    if rules.learn_from is not None:
        return tuple(sorted({*rules.learn_from, *rules.groups}))
    moment = cut_offs(settings, [day])[0]
    return tuple(sorted({*groups_known(lake, moment, delivery_seq), *rules.groups}))

"""The header of each forecast: what it may know, whether that is enough, and what it will be called.

Belongs here: deciding that a forecast is not made and saying why, and the forecast id. Not here: reading the
lake, computing scores.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
import polars as pl

from hotspot_assets.forecasting.events import EPOCH, ONE_INCIDENT, Events, epoch_day
from hotspot_assets.forecasting.kernel import canonical_json
from hotspot_assets.hexgrid.study_areas import StudyArea
from hotspot_assets.settings import Settings
from hotspot_assets.warehouse.lake import Stamp
from hotspot_assets.warehouse.tables import TABLES
from hotspot_assets.workflow.dates import cut_offs
from hotspot_assets.workflow.models import InForce, newest_readable

CODE_VERSION = "2"
"""Version of the scoring code: raised whenever the same inputs could give other scores."""

IDENTITY = (
    "forecast_date", "model", "offence_group", "cut_off", "delivery_seq", "fitted_model_id", "study_area_id",
    "settings_hash", "code_version",
)  # fmt: skip
"""Columns that make a forecast what it is: the forecast id is their hash."""


@dataclass(frozen=True)
class DayPlan:
    """Headers of the planned days, complete but for what only computing tells."""

    planned: pl.DataFrame

    def able(self, day: date) -> list[str]:
        """Offence groups that can be forecast for a day."""
        rows = self.planned.filter(pl.col("forecast_date") == day, pl.col("not_made_because").is_null())
        return rows["offence_group"].to_list()

    def nothing_to_make(self) -> bool:
        """Whether no forecast can be made on any of the days."""
        return self.planned["not_made_because"].null_count() == 0

    def headers(self, made_at: datetime) -> pl.DataFrame:
        """Rows of `forecasts`."""
        moment = pl.lit(made_at).dt.cast_time_unit("us")
        return self.planned.with_columns(made_at=moment).select(list(TABLES["forecasts"].dtypes))


def plan_days(
    settings: Settings,
    days: Sequence[date],
    clocks: pl.DataFrame,
    stamp: Stamp,
    *,
    area: StudyArea | None = None,
    in_force: InForce | None = None,
    events: Events | None = None,
    no_area: str | None = None,
) -> DayPlan:
    """Plan each day and offence group of one month.

    `clocks` are the deliveries with both their clocks; a header names the newest delivery of which anything
    was known at the cut-off, and counts as reconstructed if that was delivered only afterwards.
    """
    moments = cut_offs(settings, list(days)).to_list()
    settings_hash = settings.settings_hash()
    memories = {group: _memories(events, group, days) for group in settings.forecast.groups}
    rows = []
    for number, (day, cut_off) in enumerate(zip(days, moments, strict=True)):
        seq = newest_readable(clocks, cut_off)
        late = clocks.filter(pl.col("delivery_seq") <= seq, pl.col("delivered_at") > cut_off).height > 0
        for group in settings.forecast.groups:
            memory = memories[group][number]
            rows.append(
                {
                    "forecast_date": day,
                    "model": settings.forecast.model,
                    "offence_group": group,
                    "cut_off": cut_off,
                    "delivery_seq": seq,
                    "fitted_model_id": in_force.fitted_model_id if in_force else None,
                    "study_area_id": area.study_area_id if area else None,
                    "settings_hash": settings_hash,
                    "code_version": CODE_VERSION,
                    "memory_from": memory.first,
                    "memory_to": memory.last,
                    "incidents_known": memory.incidents,
                    "expected_total": _expected(in_force, events, group, day),
                    "not_made_because": no_area or _too_little(settings, group, day, memory, in_force),
                    "reconstructed": late,
                    "run_id": stamp.run_id,
                }
            )
    schema = TABLES["forecasts"].dtypes
    frame = pl.DataFrame(rows, schema={name: dtype for name, dtype in schema.items() if name in rows[0]})
    return DayPlan(frame.with_columns(forecast_id=pl.Series(_ids(frame), dtype=pl.String)))


def _expected(in_force: InForce | None, events: Events | None, group: str, day: date) -> float | None:
    return in_force.expected(events, group, day) if in_force and events else None


def _ids(headers: pl.DataFrame) -> list[str]:
    identities = headers.select(pl.col(IDENTITY).cast(pl.String)).to_dicts()
    return [hashlib.sha256(canonical_json(each).encode()).hexdigest()[:32] for each in identities]


@dataclass(frozen=True)
class _Memory:
    """What a forecast may know of its own offence group."""

    first: date | None
    last: date | None
    incidents: float


def _memories(events: Events | None, group: str, days: Sequence[date]) -> list[_Memory]:
    """What each of the days, which ascend, may know."""
    nothing = _Memory(None, None, 0.0)
    if events is None:
        return [nothing] * len(days)
    own = events.slice_of(group)
    arrived = np.searchsorted([epoch_day(day) for day in days], events.known[own])
    weight = np.zeros(len(days) + 1, dtype=np.int64)
    oldest, newest = (
        np.full(len(days) + 1, np.iinfo(np.int32).max),
        np.full(len(days) + 1, -np.iinfo(np.int32).max),
    )
    np.add.at(weight, arrived, events.weight[own])
    np.minimum.at(oldest, arrived, events.day[own])
    np.maximum.at(newest, arrived, events.day[own])
    by_day = zip(
        np.minimum.accumulate(oldest),
        np.maximum.accumulate(newest),
        weight.cumsum() / ONE_INCIDENT,
        strict=True,
    )
    return [
        _Memory(EPOCH + timedelta(days=int(first)), EPOCH + timedelta(days=int(last)), float(total))
        if total > 0
        else nothing
        for first, last, total in list(by_day)[: len(days)]
    ]


def _too_little(
    settings: Settings, group: str, day: date, memory: _Memory, in_force: InForce | None
) -> str | None:
    rules = settings.forecast
    if memory.first is None:
        return f"no incident of {group} is known in the study area at the cut-off"
    history = (day - memory.first).days
    if history < rules.least_history_days:
        return f"{history} days of history of {group}; at least {rules.least_history_days} are needed"
    if memory.incidents < rules.least_incidents:
        return (
            f"{memory.incidents:.0f} incidents of {group} known; at least {rules.least_incidents} are needed"
        )
    if in_force is None or not in_force.covers(group):
        return f"the model {settings.forecast.model} could not be fitted to {group} with what was known"
    return None

"""The header of each forecast: what it may know, whether that is enough, and what it will be called.

Belongs here: deciding that a forecast is not made and saying why, and the forecast id. Not here: reading the
lake, computing scores.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property

import numpy as np
import polars as pl

from hotspot_assets.forecasting.events import EPOCH, ONE_INCIDENT, Events, epoch_day
from hotspot_assets.forecasting.kernel import canonical_json
from hotspot_assets.hexgrid.study_areas import StudyArea
from hotspot_assets.settings import Settings
from hotspot_assets.warehouse.lake import Stamp
from hotspot_assets.warehouse.tables import TABLES
from hotspot_assets.workflow.dates import cut_offs
from hotspot_assets.workflow.knowledge import newest_readable
from hotspot_assets.workflow.models import InForce

CODE_VERSION = "2"
"""Version of the scoring code: raised whenever the same inputs could give other scores."""

_BLANK = "no incident known at the cut-off is recent enough to count for {} in the model {}"

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
        return self._able.get(day, [])

    @cached_property
    def _able(self) -> dict[date, list[str]]:
        rows = self.planned.filter(pl.col("not_made_because").is_null())
        groups = rows.group_by("forecast_date", maintain_order=True).agg("offence_group")
        return dict(groups.iter_rows())

    def nothing_to_make(self) -> bool:
        """Whether no forecast can be made on any of the days."""
        return self.planned["not_made_because"].null_count() == 0

    def headers(self, made_at: datetime, blank: Collection[tuple[date, str]]) -> pl.DataFrame:
        """Rows of `forecasts`; `blank` are days and offence groups for which scoring found that nothing counts."""
        keys = self.planned.select("forecast_date", "offence_group").rows()
        is_blank = pl.Series([key in blank for key in keys], dtype=pl.Boolean)
        reason = pl.when(is_blank).then(pl.format(_BLANK, "offence_group", "model"))
        moment = pl.lit(made_at).dt.cast_time_unit("us")
        return self.planned.with_columns(
            made_at=moment, not_made_because=reason.otherwise("not_made_because")
        ).select(list(TABLES["forecasts"].dtypes))


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
    expected = {group: _expected(in_force, events, group, days) for group in settings.forecast.groups}
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
                    "expected_total": expected[group][number],
                    "not_made_because": no_area or _too_little(settings, group, day, memory, in_force),
                    "reconstructed": late,
                    "run_id": stamp.run_id,
                }
            )
    schema = TABLES["forecasts"].dtypes
    frame = pl.DataFrame(rows, schema={name: dtype for name, dtype in schema.items() if name in rows[0]})
    return DayPlan(frame.with_columns(forecast_id=pl.Series(_ids(frame), dtype=pl.String)))


def _expected(
    in_force: InForce | None, events: Events | None, group: str, days: Sequence[date]
) -> Sequence[float | None]:
    return in_force.expected(events, group, days) if in_force and events else [None] * len(days)


def _ids(headers: pl.DataFrame) -> list[str]:
    identities = headers.select(pl.col(IDENTITY).cast(pl.String)).to_dicts()
    return [hashlib.sha256(canonical_json(each).encode()).hexdigest()[:32] for each in identities]


@dataclass(frozen=True)
class _Memory:
    """What a forecast may know of its own offence group."""

    first: date | None
    last: date | None
    incidents: float


_NO_DAY = np.iinfo(np.int32)
"""Its ends stand for the first and the last day of nothing."""


def _memories(events: Events | None, group: str, days: Sequence[date]) -> list[_Memory]:
    """What each of the days, which ascend, may know."""
    nothing = _Memory(None, None, 0.0)
    if events is None:
        return [nothing] * len(days)
    own = events.slice_of(group)
    known, occurred, weight = events.known[own], events.day[own], events.weight[own]
    memories, first, last, incidents = [], _NO_DAY.max, _NO_DAY.min, 0
    for day in days:
        knows = known <= epoch_day(day)
        first = int(occurred.min(initial=first, where=knows))
        last = int(occurred.max(initial=last, where=knows))
        incidents += int(weight.sum(where=knows))
        memories.append(
            _Memory(_date(first), _date(last), incidents / ONE_INCIDENT) if incidents > 0 else nothing
        )
        left = np.flatnonzero(~knows)
        known, occurred, weight = known[left], occurred[left], weight[left]
    return memories


def _date(number: int) -> date:
    return EPOCH + timedelta(days=number)


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

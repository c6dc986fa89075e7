"""Levels: how many incidents a day brings, to set beside where they are expected.

Belongs here: the expected total of a day. Not here: its distribution over cells.

    expected(day) = factor x weekday(day) x (incidents known of the last 28 days) / 28

`factor` makes good what is reported late: it is what the held-out days brought, as known at the fit, over
what the rule without it said on each of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from hotspot_assets.forecasting.events import ONE_INCIDENT, Events, epoch_day

WINDOW_DAYS = 28
_SHRINKAGE_INCIDENTS = 50.0
"""A weekday's factor is drawn to 1 as by so many incidents that fall evenly over the week."""


@dataclass(frozen=True)
class Level:
    """Factor for late reports, and one factor per weekday, Monday first, with mean 1."""

    factor: float
    weekdays: tuple[float, ...]

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        return {"factor": self.factor, "weekdays": list(self.weekdays)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Level:
        """What `to_json` wrote."""
        return cls(value["factor"], tuple(value["weekdays"]))


def expected_totals(events: Events, group: str, days: Sequence[date], level: Level) -> list[float]:
    """Expected incidents of a group on each of `days`, in the study area, from what is known at its cut-off."""
    recent = _recent(events, group, [epoch_day(day) for day in days])
    return [
        level.factor * level.weekdays[day.weekday()] * known / WINDOW_DAYS
        for day, known in zip(days, recent, strict=True)
    ]


def fit_level(events: Events, group: str, first: date, last: date) -> Level:
    """Level of a group from the days first..last, as known at the end of the events."""
    where = events.slice_of(group)
    days = np.arange(epoch_day(first), epoch_day(last) + 1)
    offsets = events.day[where] - days[0]
    inside = (offsets >= 0) & (offsets < len(days))
    brought = np.bincount(offsets[inside], weights=events.weight[where][inside], minlength=len(days))
    weekday = (days + 3) % 7  # 1970-01-01 was a Thursday
    per_weekday = np.bincount(weekday, weights=brought / ONE_INCIDENT, minlength=7)
    rates = per_weekday / np.maximum(np.bincount(weekday, minlength=7), 1) + _SHRINKAGE_INCIDENTS / len(days)
    factors = rates / rates.mean()
    recent = _recent(events, group, days.tolist())
    said = sum(factors[weekday[n]] * known for n, known in enumerate(recent)) / WINDOW_DAYS
    factor = float(brought.sum() / ONE_INCIDENT / said) if said > 0 else 1.0
    return Level(factor, tuple(float(each) for each in factors))


def _recent(events: Events, group: str, days: Sequence[int]) -> list[float]:
    """Incidents of the window before each of `days` that are known on it."""
    where = events.slice_of(group)
    near = np.flatnonzero(
        (events.day[where] >= min(days) - WINDOW_DAYS) & (events.day[where] < max(days))
    )  # looked for once, not once a day
    dated, known, weight = (each[where][near] for each in (events.day, events.known, events.weight))
    sums = [weight[(dated >= day - WINDOW_DAYS) & (dated < day) & (known <= day)].sum() for day in days]
    return [float(each) / ONE_INCIDENT for each in sums]

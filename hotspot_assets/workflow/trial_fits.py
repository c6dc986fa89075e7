"""The fits that a trial needs, made before its lists are.

Belongs here: which models are fitted for which months, and making those of a month. Not here: the fit of a model
(`models`), the lists (`trial_lists`).

A fit depends on what was known and on nothing else, and is kept in the lake: it does not matter which process makes
it, and a trial that finds one kept does not make it again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from hotspot_assets.forecasting import catalogue
from hotspot_assets.forecasting.events import month_start
from hotspot_assets.trial.staleness import LIST_AGES_DAYS
from hotspot_assets.workflow.dates import days_between
from hotspot_assets.workflow.trial_lists import Stage

MonthOfFits = tuple[date, tuple[str, ...]]
"""The first of a month, and the models to fit on it."""


def fits_of(first: date, last: date, models: Sequence[str]) -> list[MonthOfFits]:
    """Models to fit on the first of each month: all in the months of the trial, the first for its older lists."""
    fitted = tuple(name for name in models if catalogue.model(name).needs_fit)
    wanted = dict.fromkeys(map(month_start, days_between(first, last)), fitted)
    for age in map(timedelta, LIST_AGES_DAYS[1:]):
        for month in map(month_start, days_between(first - age, last - age)):
            wanted.setdefault(month, fitted[:1] if fitted[:1] == tuple(models[:1]) else ())
    return [(month, names) for month, names in wanted.items() if names]


def fit_month(stage: Stage, wanted: MonthOfFits) -> None:
    """Make the fits of a month that are not kept yet."""
    month, names = wanted
    for each in stage.months(month, month):
        for name in names:
            each.in_force(name)

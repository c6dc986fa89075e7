"""The fits that a trial needs, made side by side before its lists are.

Belongs here: which models are fitted for which months, and making them in processes of their own. Not here: the
fit of a month (`models`), the lists (`trial_lists`).

A fit depends on what was known and on nothing else, and is kept in the lake: it does not matter which process makes
it, and a trial that finds one kept does not make it again.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from datetime import date, timedelta
from multiprocessing import get_context

from hotspot_assets.forecasting import catalogue
from hotspot_assets.forecasting.events import month_start
from hotspot_assets.settings import Settings
from hotspot_assets.trial.staleness import LIST_AGES_DAYS
from hotspot_assets.warehouse.lake import Lake, Stamp
from hotspot_assets.workflow.dates import days_between
from hotspot_assets.workflow.trial_lists import Stage

FitsByMonth = dict[date, tuple[str, ...]]

_WORTH_A_PROCESS = 4
"""Months of fits from which on the start of further processes pays."""


def fits_of(first: date, last: date, models: Sequence[str]) -> FitsByMonth:
    """Models to fit on the first of each month: all in the months of the trial, the first for its older lists."""
    fitted = tuple(name for name in models if catalogue.model(name).needs_fit)
    wanted = dict.fromkeys(map(month_start, days_between(first, last)), fitted)
    for age in map(timedelta, LIST_AGES_DAYS[1:]):
        for month in map(month_start, days_between(first - age, last - age)):
            wanted.setdefault(month, fitted[:1] if fitted[:1] == tuple(models[:1]) else ())
    return {month: names for month, names in wanted.items() if names}


def months_ahead(wanted: FitsByMonth) -> int:
    """How many months of fits are made side by side; 0 where further processes do not pay."""
    return len(wanted) if (os.cpu_count() or 1) > 1 and len(wanted) >= _WORTH_A_PROCESS else 0


def fit_side_by_side(stage: Stage, wanted: FitsByMonth, step: Callable[[int], None]) -> None:
    """Make the fits that are not kept yet, one month a task, one process a core; `step` learns of each month."""
    if not months_ahead(wanted):
        return
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        tasks = [
            pool.submit(_fit_month, stage.settings, stage.newest, stage.stamp, month, names)
            for month, names in wanted.items()
        ]
        for task in as_completed(tasks):
            task.result()
            step(0)


def _fit_month(settings: Settings, newest: int, stamp: Stamp, month: date, names: tuple[str, ...]) -> None:
    lake = Lake(settings.warehouse, settings.data_path)
    for each in Stage(lake, settings, newest, stamp).months(month, month):
        for name in names:
            each.in_force(name)
    lake.close()

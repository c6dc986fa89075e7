"""Gradient boosting: the one model of the catalogue that is no kernel (LightGBM, an optional extra).

Belongs here: its features, its fit, and its surfaces. Not here: anything that another model needs; LightGBM
is imported only when this model is used.

Features of a cell on a day, for every group that is forecast (more would cost hours): decayed counts (five
memories) in the own cell and spread by three widths, plain counts of the last 1, 7, 28, 91 and 365 days and of
all history, and the weekday and month. It learns, per target group, from all cells where something happened on
the held-out days and from a seeded sample of the others, weighted so that together they stand for all cells.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from hotspot_assets.errors import UserError
from hotspot_assets.forecasting.activity import Activity
from hotspot_assets.forecasting.engine import DaySurface
from hotspot_assets.forecasting.events import Events, epoch_day, require_covered
from hotspot_assets.forecasting.fitting import FitInput, FittedModel, incidents_of
from hotspot_assets.forecasting.profiles import Count, Decay, FloatArray, Gaussian, Memory
from hotspot_assets.forecasting.spatial import Spread
from hotspot_assets.forecasting.state import DecayedCounts, Row, daily_states, sorted_rows
from hotspot_assets.hexgrid.neighbours import Neighbours
from hotspot_assets.hexgrid.study_areas import StudyArea

TAUS_DAYS = (7.0, 30.0, 120.0, 400.0, 1200.0)
WINDOWS_DAYS = (1, 7, 28, 91, 365, None)
WIDTHS_RINGS = (1.0, 2.0, 3.5)
SAMPLED_CELLS_PER_DAY = 500
_ROUNDS = 120
_PARAMETERS: dict[str, Any] = {
    "objective": "poisson",
    "learning_rate": 0.08,
    "num_leaves": 15,
    "min_data_in_leaf": 100,
    "min_sum_hessian_in_leaf": 5.0,
    "feature_fraction": 0.4,
    "lambda_l2": 5.0,
    "max_bin": 63,
    "seed": 20140501,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,  # the offence groups go side by side: its own threads would wait for each other
    "verbosity": -1,
}


class BoostingMissingError(UserError):
    """LightGBM is not installed."""


def _lightgbm() -> Any:
    try:
        import lightgbm
    except ImportError as missing:
        raise BoostingMissingError(
            "The model 'boosting' needs LightGBM, which is not installed:"
            " install the extra with `uv sync --extra boosting`, or leave the model out of the settings."
        ) from missing
    return lightgbm


class _Features:
    """The columns, by name, and their values for some cells or for all."""

    def __init__(self, groups: Sequence[str], spacing_m: float, neighbours: Neighbours) -> None:
        memories: list[Memory] = [*(Decay(tau) for tau in TAUS_DAYS), *(Count(days) for days in WINDOWS_DAYS)]
        self.rows = sorted_rows([Row(group, memory) for group in groups for memory in memories])
        self._decays = [n for n, row in enumerate(self.rows) if isinstance(row.memory, Decay)]
        self._widths = [Spread(Gaussian(rings * spacing_m), neighbours) for rings in WIDTHS_RINGS]
        self._even = Activity(np.zeros(neighbours.ring.shape[0]))

    @property
    def names(self) -> list[str]:
        """One name per column."""
        near = [_name(self.rows[n], f"{rings}") for rings in WIDTHS_RINGS for n in self._decays]
        return [*(_name(row, "own") for row in self.rows), *near, "weekday", "month"]

    def of(
        self, state: DecayedCounts, day: date, cells: npt.NDArray[np.int32] | None
    ) -> npt.NDArray[np.float32]:
        """Values (cells, columns) for some cells, or for all."""
        today = state.values * state.scale()[:, None]
        if cells is None:
            by_cell = today.T
            near = [width.over_all(self._even, today[self._decays]).T for width in self._widths]
        else:
            by_cell = today[:, cells].T
            decays = np.ascontiguousarray(today[self._decays].T)
            near = [width.at(self._even, decays, cells) for width in self._widths]
        calendar = np.tile(np.array([day.weekday(), day.month], dtype=np.float64), (len(by_cell), 1))
        return np.concatenate([by_cell, *near, calendar], axis=1, dtype=np.float32)


def _name(row: Row, where: str) -> str:
    memory = row.memory
    kept = f"decay_{memory.tau_days:g}" if isinstance(memory, Decay) else f"count_{memory.last_age or 'all'}"
    return f"{row.group}__{kept}__{where}"


def fit_boosting(fit: FitInput) -> FittedModel:
    """Fit one booster per target group. Raises BoostingMissingError without LightGBM."""
    lightgbm = _lightgbm()
    features = _Features(fit.groups, fit.spacing_m, fit.neighbours)
    samples = _samples(fit, features)

    def booster(group: str) -> str:
        values, happened, weight = samples.pop(group)
        data = lightgbm.Dataset(values, happened, weight=weight, feature_name=features.names)
        text: str = lightgbm.train(_PARAMETERS, data, num_boost_round=_ROUNDS).model_to_string()
        return text

    with _side_by_side() as pool:
        boosters = dict(zip(fit.groups, pool.map(booster, fit.groups), strict=True))
    return FittedModel("boosting", fit.day, fit.area.study_area_id, boosters=boosters, sources=fit.groups)


def _side_by_side() -> ThreadPoolExecutor:
    """Threads for the offence groups, one a core: LightGBM works outside Python's lock."""
    return ThreadPoolExecutor(os.cpu_count())


def _samples(
    fit: FitInput, features: _Features
) -> dict[str, tuple[npt.NDArray[np.float32], FloatArray, FloatArray]]:
    """Per target: feature values, incidents and weights of the sampled cells of all held-out days."""
    days: dict[str, list[tuple[npt.NDArray[np.float32], FloatArray, FloatArray]]] = {
        g: [] for g in fit.groups
    }
    size = min(SAMPLED_CELLS_PER_DAY, fit.area.n)
    for day, state in daily_states(fit.known, features.rows, fit.area.n, *fit.held_out):
        drawn = np.sort(np.random.Generator(np.random.PCG64(epoch_day(day))).permutation(fit.area.n)[:size])
        happened = {group: incidents_of(fit.known, group, day) for group in fit.groups}
        cells = np.unique(np.concatenate([drawn, *(cell for cell, _ in happened.values())])).astype(np.int32)
        values = features.of(state, day, cells)
        for group, (cell, number) in happened.items():
            quiet = np.setdiff1d(drawn, cell)
            stands_for = (fit.area.n - len(cell)) / max(len(quiet), 1)
            used = np.searchsorted(cells, np.concatenate([cell, quiet]))
            incidents = np.concatenate([number, np.zeros(len(quiet))])
            weight = np.concatenate([np.ones(len(cell)), np.full(len(quiet), stands_for)])
            days[group].append((values[used], incidents, weight))
    return {
        group: (
            np.concatenate([values for values, _, _ in parts]),
            np.concatenate([incidents for _, incidents, _ in parts]),
            np.concatenate([weight for _, _, weight in parts]),
        )
        for group, parts in days.items()
    }


def boosted_days(
    fitted: FittedModel, events: Events, area: StudyArea, neighbours: Neighbours, first: date, last: date
) -> Iterator[DaySurface]:
    """Surfaces of the forecast dates first..last; totals are expected incidents."""
    require_covered(events, first, last)
    fit = FitInput(events, area, neighbours, fitted.groups, last)
    features = _Features(fitted.sources, fit.spacing_m, neighbours)
    lightgbm = _lightgbm()
    boosters = {group: lightgbm.Booster(model_str=fitted.boosters[group]) for group in fitted.groups}
    with _side_by_side() as pool:
        for day, state in daily_states(events, features.rows, area.n, first, last):
            predicted = partial(_predicted, features.of(state, day, None))
            expected = np.stack(list(pool.map(predicted, (boosters[group] for group in fitted.groups))))
            totals = expected.sum(axis=1)
            yield DaySurface(day, fitted.groups, expected / totals[:, None], totals)


def _predicted(values: npt.NDArray[np.float32], booster: Any) -> FloatArray:
    return np.asarray(booster.predict(values, num_threads=1), dtype=np.float64)

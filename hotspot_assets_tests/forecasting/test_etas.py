from __future__ import annotations

import numpy as np
import pytest

from hotspot_assets.forecasting.etas import _excitations, fit_self_excitation

SPAN_DAYS = 1500


def simulated(theta: float, omega: float, cells: int, per_cell: float, seed: int):
    """Continuous-time Hawkes processes by their branching structure, cut into whole days and cells."""
    rng = np.random.default_rng(seed)
    rates = rng.gamma(2.0, per_cell / 2.0, cells)
    cell = np.repeat(np.arange(cells), rng.poisson(rates))
    time = rng.uniform(0, SPAN_DAYS, len(cell))
    all_cells, all_times = [cell], [time]
    while len(cell):
        children = rng.poisson(theta, len(cell))
        cell = np.repeat(cell, children)
        time = np.repeat(time, children) + rng.exponential(1 / omega, len(cell))
        cell, time = cell[time < SPAN_DAYS], time[time < SPAN_DAYS]
        all_cells.append(cell)
        all_times.append(time)
    key = np.concatenate(all_cells) * 10_000 + np.concatenate(all_times).astype(np.int64)
    days, number = np.unique(key, return_counts=True)
    return days // 10_000, days % 10_000, number.astype(np.float64)


@pytest.mark.parametrize(("theta", "omega"), [(0.3, 0.1), (0.5, 0.05)])
def test_planted_parameters_are_recovered_within_ten_per_cent(theta: float, omega: float) -> None:
    cell, day, number = simulated(theta, omega, cells=120, per_cell=250.0, seed=4)
    found = fit_self_excitation(cell, day, number, SPAN_DAYS)
    assert found.theta == pytest.approx(theta, rel=0.1)
    assert found.omega_per_day == pytest.approx(omega, rel=0.1)
    background = found.background_per_day.sum() * SPAN_DAYS
    assert background == pytest.approx(number.sum() * (1 - theta), rel=0.1)


def test_without_triggering_little_is_found() -> None:
    rng = np.random.default_rng(1)
    key = np.unique(rng.integers(0, 200, 12_000) * 10_000 + rng.integers(0, SPAN_DAYS, 12_000))
    found = fit_self_excitation(key // 10_000, key % 10_000, np.ones(len(key)), SPAN_DAYS)
    assert found.theta < 0.05


def test_excitations_equal_the_sum_over_pairs() -> None:
    rng = np.random.default_rng(6)
    cell = np.sort(rng.integers(0, 12, 90))
    day = np.concatenate([np.sort(rng.choice(400, (cell == c).sum(), replace=False)) for c in range(12)])
    number = rng.integers(1, 4, 90).astype(np.float64)
    gap = np.where(np.concatenate([[True], cell[1:] != cell[:-1]]), np.inf, np.diff(day, prepend=0))
    near, aged = _excitations(gap, number, 0.03)
    for j in range(90):
        earlier = [i for i in range(j) if cell[i] == cell[j]]
        ages = np.array([day[j] - day[i] for i in earlier], dtype=np.float64)
        decay = number[earlier] * np.exp(-0.03 * ages)
        assert near[j] == pytest.approx(decay.sum(), rel=1e-9, abs=1e-12)
        assert aged[j] == pytest.approx((ages * decay).sum(), rel=1e-9, abs=1e-12)


def test_no_events_and_one_event() -> None:
    nothing = fit_self_excitation(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0), 100)
    assert (nothing.theta, len(nothing.cells)) == (0.0, 0)
    alone = fit_self_excitation(np.array([3]), np.array([90]), np.ones(1), 100)
    assert alone.theta == 0.0
    assert alone.background_per_day.tolist() == pytest.approx([0.1])

"""The tests behind a comparison: hand values, enumerations and simulated truths."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from hotspot_assets.trial.flags import FloatArray
from hotspot_assets.trial.statistics import (
    diebold_mariano_p,
    holm,
    moving_block_sums,
    newey_west_variance,
    wilcoxon_p,
)


def autoregressive(rng: np.random.Generator, days: int, phi: float, mean: float) -> FloatArray:
    noise = rng.normal(size=days + 50)
    series = np.empty(days + 50)
    series[0] = noise[0]
    for day in range(1, days + 50):
        series[day] = phi * series[day - 1] + noise[day]
    return series[50:] + mean


def test_blocks_are_consecutive_days() -> None:
    # Powers of two: a sum tells which days it holds. Two blocks of 2 from 4 days: starts at 0, 1 or 2.
    values = 2.0 ** np.arange(4)[:, None]
    possible = {a + b for a, b in product((3.0, 6.0, 12.0), repeat=2)}
    assert set(moving_block_sums(values, seed=1, draws=500, block_days=2).ravel()) == possible


def test_the_last_block_is_cut_to_the_length_of_the_period() -> None:
    sums = moving_block_sums(np.ones((10, 1)), seed=1, draws=50)
    assert sums.ravel().tolist() == [10.0] * 50


def test_columns_are_drawn_with_the_same_days() -> None:
    values = np.random.default_rng(0).normal(size=(40, 1))
    sums = moving_block_sums(np.hstack([values, 2 * values]), seed=3, draws=100)
    np.testing.assert_allclose(sums[:, 1], 2 * sums[:, 0])


def test_fewer_days_than_a_block_are_refused() -> None:
    with pytest.raises(ValueError, match="fewer than a block"):
        moving_block_sums(np.ones((6, 1)), seed=0, draws=1)


@pytest.mark.parametrize("phi", [0.0, 0.3])
def test_the_interval_covers_the_truth_of_a_simulated_series(phi: float) -> None:
    rng = np.random.default_rng(20140501)
    covered = 0
    for repeat in range(400):
        series = autoregressive(rng, 365, phi, mean=0.7)
        means = moving_block_sums(series[:, None], seed=repeat, draws=400).ravel() / 365
        low, high = np.quantile(means, [0.025, 0.975])
        covered += low < 0.7 < high
    # Nominal 0.95; blocks of a week lose a little with autocorrelation. 400 repeats: sampling error 0.011.
    assert 0.90 <= covered / 400 <= 0.98


def test_newey_west_by_hand() -> None:
    # Deviations 1, -1, 2, -2: g0 = 10/4, g1 = (-1 - 2 - 4)/4, weight 1/2.
    assert newey_west_variance(np.array([1.0, -1.0, 2.0, -2.0]), 0) == pytest.approx(2.5)
    assert newey_west_variance(np.array([1.0, -1.0, 2.0, -2.0]), 1) == pytest.approx(2.5 + 2 * 0.5 * -1.75)


def test_newey_west_finds_the_long_run_variance_of_a_simulated_series() -> None:
    series = autoregressive(np.random.default_rng(1), 200_000, 0.5, 0.0)
    assert newey_west_variance(series, 40) == pytest.approx(1 / (1 - 0.5) ** 2, rel=0.1)


def test_diebold_mariano_by_hand() -> None:
    # Mean 1, variance of four deviations +-1 is 1; t = 1 / sqrt(1/4) * sqrt(3/4) = sqrt(3).
    # With 3 degrees of freedom P(|T| < t) = 2/pi (atan(x) + x / (1 + x^2)), x = t / sqrt(3) = 1.
    by_hand = 1 - 2 / np.pi * (np.pi / 4 + 0.5)
    assert diebold_mariano_p(np.array([0.0, 2.0, 0.0, 2.0]), lags=0) == pytest.approx(by_hand)


def test_diebold_mariano_of_constant_differences() -> None:
    assert diebold_mariano_p(np.zeros(30)) == 1.0
    assert diebold_mariano_p(np.ones(30)) == 0.0


@pytest.mark.parametrize("phi", [0.0, 0.3])
def test_diebold_mariano_keeps_its_level_on_autocorrelated_days(phi: float) -> None:
    rng = np.random.default_rng(11)
    rejected = np.mean([diebold_mariano_p(autoregressive(rng, 365, phi, 0.0)) < 0.05 for _ in range(800)])
    assert 0.02 <= rejected <= 0.10


def test_diebold_mariano_finds_a_difference_that_is_there() -> None:
    rng = np.random.default_rng(12)
    found = np.mean([diebold_mariano_p(autoregressive(rng, 365, 0.3, 0.35)) < 0.05 for _ in range(200)])
    assert found > 0.95


def test_wilcoxon_by_enumeration_of_all_signs() -> None:
    days = np.array([1.1, -0.4, 2.3, 3.0, 0.7, -1.9])
    ranks = np.abs(days).argsort().argsort() + 1.0
    seen = min(ranks[days > 0].sum(), ranks[days < 0].sum())
    sums = [(np.array(signs) * ranks).sum() for signs in product((0, 1), repeat=6)]
    assert wilcoxon_p(days) == pytest.approx(min(1.0, 2 * np.mean([s <= seen for s in sums])))


def test_wilcoxon_leaves_out_days_without_a_difference() -> None:
    days = np.array([1.1, -0.4, 2.3, 3.0, 0.7, -1.9])
    assert wilcoxon_p(np.append(days, [0.0, 1e-13, -1e-13])) == pytest.approx(wilcoxon_p(days))
    assert wilcoxon_p(np.zeros(20)) == 1.0


def test_holm_by_hand() -> None:
    # Sorted .01, .02, .03, .04 times 4, 3, 2, 1 = .04, .06, .06, .04 -> never falling: .04, .06, .06, .06.
    assert holm(np.array([0.03, 0.01, 0.04, 0.02])).tolist() == pytest.approx([0.06, 0.04, 0.06, 0.06])


def test_holm_leaves_gaps_and_stops_at_one() -> None:
    adjusted = holm(np.array([0.5, np.nan, 0.9]))
    assert np.isnan(adjusted[1])
    assert adjusted[[0, 2]].tolist() == [1.0, 1.0]

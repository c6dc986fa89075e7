from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from hotspot_assets.forecasting.mixing import em_weights


def test_em_gives_the_likeliest_weights_and_respects_the_prior() -> None:
    ratios = np.array([[3.0, 0.0]] * 60 + [[0.0, 3.0]] * 40)
    weights = em_weights(ratios, np.ones(100))
    np.testing.assert_allclose(weights, [0.0, 0.6, 0.4], atol=1e-3)
    pulled = em_weights(ratios, np.ones(100), np.array([0.0, 0.0, 900.0]))
    assert pulled[2] > 0.9
    nothing = em_weights(np.zeros((0, 2)), np.zeros(0), np.array([1.0, 2.0, 1.0]))
    np.testing.assert_allclose(nothing, [0.25, 0.5, 0.25])
    assert em_weights(np.zeros((0, 2)), np.zeros(0)).tolist() == [1 / 3] * 3


@settings(max_examples=15)
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(1, 6), with_prior=st.booleans())
def test_no_other_optimiser_finds_likelier_weights(seed: int, count: int, with_prior: bool) -> None:
    rng = np.random.default_rng(seed)
    ratios, weight = rng.gamma(0.5, 2.0, (3000, count)).astype(np.float32), rng.uniform(0.1, 2.0, 3000)
    prior = rng.uniform(0.0, 50.0, 1 + count) if with_prior else np.zeros(1 + count)
    given_all = np.concatenate([np.ones((3000, 1)), ratios], axis=1)

    def unlikely(shares: np.ndarray) -> float:
        lost = (weight * np.log(given_all @ shares)).sum() + (prior * np.log(np.maximum(shares, 1e-12))).sum()
        return -float(lost) / float(weight.sum() + prior.sum())

    found = em_weights(ratios, weight, prior)
    np.testing.assert_allclose(found.sum(), 1.0)
    other = minimize(
        unlikely,
        np.full(1 + count, 1 / (1 + count)),
        bounds=[(0.0, 1.0)] * (1 + count),
        constraints={"type": "eq", "fun": lambda shares: shares.sum() - 1.0},
        method="SLSQP",
        options={"maxiter": 500, "ftol": 1e-12},
    )
    assert unlikely(found) <= other.fun + 1e-5

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotspot_assets.forecasting.ranking import rank, ranked_cells, tie_band, tie_seed

SCORES = st.lists(st.sampled_from([0.0, 1e-300, 0.1, 0.2, 0.5, 7.0]), min_size=1, max_size=80)


@given(SCORES, st.integers(0, 2**64 - 1))
def test_ranks_are_a_permutation_that_follows_the_scores(values: list[float], seed: int) -> None:
    scores = np.array(values)
    ranks = rank(scores, seed)
    assert sorted(ranks) == list(range(1, len(values) + 1))
    assert (np.diff(scores[np.argsort(ranks)]) <= 0).all()
    np.testing.assert_array_equal(ranks, rank(scores, seed))


def test_ties_depend_on_the_seed_and_favour_nobody() -> None:
    first = np.array([np.flatnonzero(rank(np.ones(10), seed) == 1)[0] for seed in range(5000)])
    share = np.bincount(first, minlength=10) / 5000
    assert np.abs(share - 0.1).max() < 0.02


def test_equal_scores_are_ordered_by_the_permutation_alone() -> None:
    order = ranked_cells(np.zeros(50), 3)
    part = ranked_cells(np.array([1.0] * 25 + [0.0] * 25), 3)
    assert [cell for cell in order if cell < 25] == part[:25].tolist()


@given(
    values=st.lists(st.floats(allow_nan=False) | st.sampled_from([0.0, -0.0, 1.0, 5e-324]), max_size=60),
    seed=st.integers(0, 2**64 - 1),
)
def test_order_is_by_score_then_by_the_permutation_whatever_the_bits(values: list[float], seed: int) -> None:
    """Against Python's own comparing; zeros of either sign are equal."""
    permutation = np.random.Generator(np.random.PCG64(seed)).permutation(len(values)).tolist()
    expected = sorted(permutation, key=lambda cell: -values[cell])
    assert ranked_cells(np.array(values, dtype=np.float64), seed).tolist() == expected


def test_seed_differs_by_date_group_and_model() -> None:
    seeds = {tie_seed(date(2024, 1, day), group, model) for day in (1, 2) for group in "ab" for model in "xy"}
    assert len(seeds) == 8
    assert all(0 <= seed < 2**64 for seed in seeds)


def test_tie_band_by_hand() -> None:
    scores = np.array([5.0, 3.0, 3.0, 3.0, 1.0])
    assert tie_band(scores, 1) == (1, 1)
    assert tie_band(scores, 3) == (3, 2)
    assert tie_band(scores, 5) == (1, 1)
    with pytest.raises(ValueError, match="flag"):
        tie_band(scores, 0)


def test_not_a_number_is_refused() -> None:
    with pytest.raises(ValueError, match="not a number"):
        rank(np.array([1.0, np.nan]), 1)

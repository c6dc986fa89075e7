"""The flagged set: who is in at a share of the area."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotspot_assets.trial.flags import (
    Ruler,
    flagged_fraction,
    order_of,
    tied_at_margin,
)

AREA_KM2 = np.array([1.0, 2.0, 3.0, 4.0])
RANK = np.array([2, 1, 4, 3])


def test_the_marginal_cell_is_taken_in_part() -> None:
    # 50 % of 10 km2 = 5: the cell of 2, the cell of 1, and half of the cell of 4.
    assert flagged_fraction(RANK, AREA_KM2, 0.5).tolist() == [1.0, 1.0, 0.0, 0.5]


def test_an_area_that_ends_at_a_cell_has_no_margin() -> None:
    assert flagged_fraction(RANK, AREA_KM2, 0.3).tolist() == [1.0, 1.0, 0.0, 0.0]


@given(st.integers(1, 60), st.floats(0.001, 1.0), st.integers(0, 2**32 - 1))
def test_the_flagged_area_is_the_coverage(n: int, coverage: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    area = rng.uniform(0.01, 3.0, n)
    fraction = flagged_fraction(rng.permutation(n) + 1, area, coverage)
    assert (fraction * area).sum() == pytest.approx(coverage * area.sum(), rel=1e-6)
    assert ((fraction > 0) & (fraction < 1)).sum() <= 1


@pytest.mark.parametrize("rank", [[1, 1, 2, 3], [0, 1, 2, 3], [2, 3, 4, 5]])
def test_ranks_with_ties_or_gaps_are_refused(rank: list[int]) -> None:
    with pytest.raises(ValueError, match="ranks must"):
        order_of(np.array(rank))


def test_the_tie_band_is_counted_only_where_it_crosses_the_margin() -> None:
    area = np.ones(5)
    rank = np.array([1, 2, 3, 4, 5])
    scores = np.array([0.4, 0.2, 0.2, 0.2, 0.0])
    assert tied_at_margin(scores, rank, area, 0.4) == 3  # two flagged, the second tied with two outside
    assert tied_at_margin(scores, rank, area, 0.2) == 0  # the margin lies at a score of its own
    assert tied_at_margin(scores, rank, area, 0.8) == 0  # the whole tie is in


@pytest.mark.parametrize("coverages", [(0.1, 0.05), (0.0, 0.1), (0.5, 1.5), ()])
def test_a_ruler_refuses_coverages_that_make_no_sense(coverages: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="coverages"):
        Ruler.by_area(AREA_KM2, coverages)


def test_a_ruler_refuses_cells_without_area() -> None:
    with pytest.raises(ValueError, match="sizes"):
        Ruler.by_area(np.array([1.0, 0.0]))

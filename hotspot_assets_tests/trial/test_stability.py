"""Compactness, churn and complementarity, by hand and by property."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from hotspot_assets.trial.stability import churn, compactness, complementarity


def line(n: int) -> csr_array:
    """Cells in a row: each touches the one before and the one after."""
    touching = np.eye(n, k=1) + np.eye(n, k=-1)
    return csr_array(touching)


def test_compactness_of_a_row_of_cells_by_hand() -> None:
    # Flagged 1, 2, 3 and 6 of 8 in a row. Sides: 2 each = 8; towards flagged cells: 1-2, 2-1, 2-3, 3-2 = 4.
    flagged = np.array([0, 1, 1, 1, 0, 0, 1, 0], dtype=float)
    shape = compactness(flagged, line(8), np.full(8, 0.5))
    assert shape.shared_sides == pytest.approx(0.5)
    assert shape.patches == 2
    assert shape.mean_patch_km2 == pytest.approx(1.0)


def test_a_cell_is_not_its_own_neighbour() -> None:
    with_itself = csr_array(line(4).toarray() + np.eye(4))
    flagged = np.array([1.0, 0.0, 0.0, 1.0])
    assert compactness(flagged, with_itself, np.ones(4)) == compactness(flagged, line(4), np.ones(4))


def test_the_whole_area_is_one_patch() -> None:
    shape = compactness(np.ones(6), line(6), np.ones(6))
    assert (shape.shared_sides, shape.patches, shape.mean_patch_km2) == (1.0, 1, 6.0)


def test_a_cell_without_neighbours_has_no_sides_to_share() -> None:
    assert compactness(np.ones(1), csr_array((1, 1)), np.ones(1)).shared_sides is None


def test_an_empty_set_has_no_shape() -> None:
    with pytest.raises(ValueError, match="nothing"):
        compactness(np.zeros(3), line(3), np.ones(3))


def test_churn_is_by_area() -> None:
    area = np.array([1.0, 2.0, 3.0])
    assert churn(np.array([1.0, 1.0, 0.0]), np.array([0.0, 1.0, 1.0]), area) == pytest.approx(1 - 2 / 6)
    assert churn(np.array([1.0, 0.5, 0.0]), np.array([1.0, 1.0, 0.0]), area) == pytest.approx(1 - 2 / 3)


@given(st.integers(0, 2**32 - 1))
def test_churn_is_symmetric_and_zero_for_the_same_set(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b, area = rng.integers(0, 2, 20) * 1.0, rng.integers(0, 2, 20) * 1.0, rng.uniform(0.1, 1, 20)
    assert churn(a, a, area) == pytest.approx(0.0)
    assert churn(a, b, area) == pytest.approx(churn(b, a, area))
    assert 0.0 <= churn(a, b, area) <= 1.0


def test_complementarity_by_hand() -> None:
    a = np.array([1.0, 1.0, 0.0, 0.5, 0.0])
    b = np.array([0.0, 1.0, 1.0, 0.25, 0.0])
    counts = np.array([1.0, 2.0, 4.0, 8.0, 16.0])
    parts = complementarity(a, b, counts)
    assert parts == pytest.approx((1 + 8 * 0.25, 4.0, 2 + 8 * 0.25, 16 + 8 * 0.5))
    assert sum(parts) == pytest.approx(counts.sum())

"""Rings and bells: the same to the last bit whether built or grown from those of another study area."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import random_array

from hotspot_assets.forecasting import spatial
from hotspot_assets.forecasting.activity import Activity
from hotspot_assets.forecasting.profiles import Gaussian, Quartic, RingHyperbolic, SpatialProfile
from hotspot_assets.forecasting.spatial import Spread, bell_of
from hotspot_assets.hexgrid.neighbours import neighbours
from hotspot_assets.hexgrid.study_areas import from_cells
from hotspot_assets_tests.forecasting.towns import town

PROFILES = (Gaussian(130.0), Quartic(300.0), RingHyperbolic(2))
WHOLE = town(rings=5, max_ring=3)


@given(
    st.integers(0, 2**32 - 1),
    st.integers(0, 40),
    st.integers(1, 20),
    st.sampled_from([1, 5, spatial._ONE_BY_ONE + 1, spatial._FEW + 1]),
    st.integers(2, 7),
)
def test_a_product_in_strips_is_the_product(
    seed: int, rows: int, cells: int, width: int, processors: int
) -> None:
    drawn = np.random.default_rng(seed)
    matrix = random_array((rows, cells), density=drawn.uniform(), format="csr", rng=drawn)
    weights = drawn.normal(size=(width, cells))
    expected = np.array([matrix @ row for row in weights])
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(spatial, "_WORTH_A_THREAD", 1)
        patched.setattr("os.cpu_count", lambda: processors)
        assert spatial.multiply(matrix, weights).tobytes() == expected.tobytes()
    strips = spatial._cut(matrix, processors)
    assert sum(strip.shape[0] for strip in strips) == rows
    assert all(
        np.shares_memory(strip.data, matrix.data) for strip in strips if strip.nnz
    )  # nothing is copied


@given(
    st.lists(st.booleans(), min_size=91, max_size=91),
    st.sets(st.integers(0, 90), max_size=12),
    st.sampled_from(PROFILES),
)
def test_what_is_grown_from_another_area_is_what_is_built(
    there: list[bool], changed: set[int], profile: SpatialProfile
) -> None:
    """Cells may come and go; most stay, or it is built anew."""
    first, second = np.array(there), np.array(there)
    second[list(changed)] ^= True
    if not first.any() or not second.any():
        return
    areas = [from_cells(WHOLE.area.cells[chosen], 10, "test") for chosen in (first, second)]
    near = [neighbours(area, 3) for area in areas]
    like = neighbours(areas[1], 3, like=near[0])
    for name in ("indptr", "indices", "data"):
        assert np.array_equal(getattr(like.ring, name), getattr(near[1].ring, name))
    spatial._bells.clear()
    bell_of(profile, near[0])
    grown = bell_of(profile, near[1])
    spatial._bells.clear()
    built = bell_of(profile, near[1])
    for name in ("indptr", "indices", "data"):
        assert np.array_equal(getattr(grown.weights, name), getattr(built.weights, name))
        assert (
            getattr(grown.weights, name).dtype == getattr(built.weights, name).dtype
        )  # wider ones cost room
        assert getattr(like.ring, name).dtype == getattr(near[1].ring, name).dtype
    assert (grown.weights != grown.weights.T).nnz == 0


def test_cells_that_do_not_touch_are_built_as_they_are_grown() -> None:
    """A cell, one next to it and one of its second ring; then without the one between, so that none touch."""
    ring = WHOLE.near.ring[[int(np.argmax(np.diff(WHOLE.near.ring.indptr)))]]
    three = [int(ring.indices[ring.data == number][0]) for number in (1, 2, 3)]
    areas = [from_cells(WHOLE.area.cells[chosen], 10, "test") for chosen in (three, three[::2])]
    near = [neighbours(area, 3) for area in areas]
    spatial._bells.clear()
    bell_of(Gaussian(130.0), near[0])
    grown = bell_of(Gaussian(130.0), near[1]).weights
    spatial._bells.clear()
    built = bell_of(Gaussian(130.0), near[1]).weights
    assert grown.nnz == built.nnz and np.array_equal(grown.data, built.data)


@pytest.mark.parametrize("profile", PROFILES[:2])
def test_what_is_spread_adds_up_to_what_there_was(profile: SpatialProfile) -> None:
    weights = np.random.default_rng(3).random((4, 91))
    over = Spread(profile, WHOLE.near).over_all(Activity(np.zeros(91)), weights)
    np.testing.assert_allclose(over.sum(axis=1), weights.sum(axis=1), rtol=1e-12)
    bell = bell_of(profile, WHOLE.near).weights.toarray()
    np.testing.assert_allclose(over, weights @ (bell / bell.sum(axis=1, keepdims=True)), rtol=1e-12)


def test_bells_that_are_not_asked_for_are_let_go() -> None:
    for width in range(100, 120):
        bell_of(Gaussian(float(width)), WHOLE.near)
    assert len(spatial._bells) == spatial._KEPT_BELLS

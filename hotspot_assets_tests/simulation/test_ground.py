from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from hotspot_assets.simulation.city import CitySpec
from hotspot_assets.simulation.ground import Ground, ground_of, normal_density


@pytest.fixture(scope="module")
def ground() -> Ground:
    return ground_of(CitySpec())


def grid(ground: Ground, step_m: float) -> np.ndarray:
    """Middles of squares that cover the city, from its south-west corner."""
    low, high = ground.wards_m.min(axis=(0, 1)), ground.wards_m.max(axis=(0, 1))
    axes = np.meshgrid(
        *(np.arange(a + step_m / 2, b + step_m, step_m) for a, b in zip(low, high, strict=True))
    )
    return np.column_stack([axis.ravel() for axis in axes])


def test_every_component_is_a_density_over_the_city(ground: Ground) -> None:
    density = ground.component_density(grid(ground, 50.0))
    assert np.allclose(density.sum(axis=0) * 50**2, 1.0, atol=0.01)


def test_places_are_drawn_from_that_density(ground: Ground) -> None:
    """Each component's draws, counted in squares of 160 m, against the density's sums there."""
    rng, at, corner = np.random.default_rng(5), grid(ground, 20.0), ground.wards_m.min(axis=(0, 1))
    square, index = np.unique((at - corner) // 160 @ (1, 1_000), return_inverse=True)
    density = ground.component_density(at)
    for component in (0, 17, 63, 80, 92, 103):
        place = ground.draw(np.full(20_000, component), rng)
        assert ground.inside(place).all()
        expected = np.bincount(index, weights=density[:, component] * 20**2) * 20_000
        seen = np.bincount(
            np.searchsorted(square, (place - corner) // 160 @ (1, 1_000)), minlength=len(square)
        )
        # A sum over points knows the share of a square that the outline cuts to some per cent only.
        assert (np.abs(seen - expected) < 5 * np.sqrt(expected) + 0.06 * expected + 3).mean() > 0.999


def test_shares_of_a_day_sum_to_one_and_drift_slowly(ground: Ground) -> None:
    weights = ground.weights_on(0, np.array([19_800.0, 19_801.0, 20_400.0]))
    assert np.allclose(weights.sum(axis=1), 1.0)
    assert (weights > 0).all()
    assert 0 < np.abs(weights[0] - weights[1]).sum() < 0.01
    assert np.abs(weights[0] - weights[2]).sum() > 0.05


def test_groups_share_hot_spots_as_far_as_they_are_said_to(ground: Ground) -> None:
    hot = ground.weights[:, : len(ground.centres_m)]
    likeness = np.corrcoef(hot)
    names = list(ground.names)
    alike = likeness[names.index("robbery"), names.index("violence")]
    apart = likeness[names.index("burglary"), names.index("vehicle_theft")]
    assert alike > 0.8
    assert 0.0 < apart < alike


def test_the_normal_density_is_the_textbook_one() -> None:
    got = normal_density(np.array([[3.0, 4.0]]), np.array([[1.0, 1.0]]), np.array([2.0]))[0, 0]
    assert got == pytest.approx(stats.multivariate_normal([1, 1], 4 * np.eye(2)).pdf([3, 4]))

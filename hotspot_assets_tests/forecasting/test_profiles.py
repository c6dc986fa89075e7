from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotspot_assets.forecasting.profiles import (
    Always,
    Count,
    Decay,
    Exponential,
    Gaussian,
    Hyperbolic,
    Identity,
    Quartic,
    RingHyperbolic,
    Window,
    spatial_from_json,
    temporal_from_json,
    to_json,
)

TEMPORAL = st.one_of(
    st.builds(Exponential, st.floats(0.5, 5000)),
    st.builds(Hyperbolic, st.integers(1, 30)),
    st.builds(Window, st.integers(1, 1500)),
    st.just(Always()),
)


def test_hyperbolic_falls_by_whole_weeks() -> None:
    ages = np.array([1, 6, 7, 13, 14, 55, 56, 400])
    assert Hyperbolic(8).at(ages).tolist() == [1, 1, 1 / 2, 1 / 2, 1 / 3, 1 / 8, 0, 0]


def test_window_and_always() -> None:
    assert Window(28).at(np.array([1, 28, 29])).tolist() == [1, 1, 0]
    assert Always().at(np.array([1, 9999])).tolist() == [1, 1]


def test_exponential_halves_after_its_half_life() -> None:
    assert Exponential(14 / math.log(2)).at(np.array([14, 28])).tolist() == pytest.approx([0.5, 0.25])
    assert Exponential(1.0).at(np.array([5000])).tolist() == [0.0]


def test_spatial_profiles_by_hand() -> None:
    ring = np.array([0, 1, 3, 4])
    metres = np.array([0.0, 100.0, 300.0, 400.0])
    assert Identity().at(ring, metres).tolist() == [1, 0, 0, 0]
    assert RingHyperbolic(3).at(ring, metres).tolist() == [1, 1 / 2, 1 / 4, 0]
    assert Gaussian(100.0).at(ring, metres).tolist() == pytest.approx([1, math.exp(-0.5), math.exp(-4.5), 0])
    assert Quartic(200.0).at(ring, metres).tolist() == pytest.approx([1, 0.75**2, 0, 0])


@given(TEMPORAL, st.lists(st.integers(1, 3000), min_size=1, max_size=20))
def test_memories_add_up_to_the_profile(profile: object, ages: list[int]) -> None:
    age = np.array(ages)
    total = np.zeros(len(age))
    for coefficient, memory in profile.memories():  # type: ignore[attr-defined]
        if isinstance(memory, Decay):
            total += coefficient * np.exp(-age / memory.tau_days)
        else:
            assert isinstance(memory, Count)
            total += coefficient * (age <= (memory.last_age or 10**9))
    np.testing.assert_allclose(total, profile.at(age), rtol=1e-12, atol=1e-300)  # type: ignore[attr-defined]


@given(TEMPORAL)
def test_json_round_trip_of_temporal_profiles(profile: object) -> None:
    assert temporal_from_json(to_json(profile)) == profile


@pytest.mark.parametrize("profile", [Identity(), RingHyperbolic(3), Gaussian(123.456), Quartic(0.1 + 0.2)])
def test_json_round_trip_of_spatial_profiles(profile: object) -> None:
    assert spatial_from_json(to_json(profile)) == profile


@pytest.mark.parametrize(
    "build",
    [
        lambda: Exponential(0.1),
        lambda: Exponential(math.inf),
        lambda: Window(0),
        lambda: Hyperbolic(0),
        lambda: RingHyperbolic(-1),
        lambda: Gaussian(0.0),
        lambda: Quartic(math.nan),
    ],
)
def test_parameters_out_of_bounds_are_refused(build: object) -> None:
    with pytest.raises(ValueError, match=r"\d|nan|inf"):
        build()  # type: ignore[operator]

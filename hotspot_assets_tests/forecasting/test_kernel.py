from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotspot_assets.forecasting.kernel import (
    CellBackground,
    Component,
    DecayKernel,
    canonical_json,
    rings_needed,
)
from hotspot_assets.forecasting.profiles import Exponential, Gaussian, Identity, RingHyperbolic, Window

COMPONENTS = st.builds(
    Component,
    st.one_of(st.builds(Exponential, st.floats(1, 5000)), st.builds(Window, st.integers(1, 999))),
    st.one_of(st.just(Identity()), st.builds(Gaussian, st.floats(1, 5000))),
    st.floats(0, 1e6),
    st.one_of(st.none(), st.sampled_from(["burglary", "theft"])),
)


@given(
    st.lists(COMPONENTS, max_size=5),
    st.floats(0, 10),
    st.lists(st.integers(1, 2**63), unique=True, max_size=4),
)
def test_json_round_trip_is_exact(components: list[Component], uniform: float, cells: list[int]) -> None:
    kernel = DecayKernel(
        tuple(components),
        False,
        uniform,
        CellBackground(tuple(sorted(cells)), tuple(1 / (n + 3) for n in range(len(cells)))),
    )
    text = canonical_json(kernel.to_json())
    assert DecayKernel.from_json(json.loads(text)) == kernel
    assert canonical_json(json.loads(text)) == text


def test_source_groups_name_the_target_where_the_source_is_its_own() -> None:
    kernel = DecayKernel((Component(Window(1), Identity()), Component(Window(1), Identity(), 1.0, "theft")))
    assert kernel.source_groups("robbery") == ("robbery", "theft")


def test_rings_needed_reaches_the_flat_side_of_a_ring() -> None:
    near = DecayKernel((Component(Window(1), RingHyperbolic(3)),))
    wide = DecayKernel((Component(Window(1), Gaussian(100.0)),))
    assert rings_needed({"a": near}, 100.0) == 3
    assert rings_needed({"a": wide}, 100.0) == 3  # 300 m; ring 4 begins at 346 m
    assert rings_needed({"a": wide, "b": near}, 80.0) == 4  # ring 4 begins at 277 m, ring 5 at 346 m


def test_weights_and_backgrounds_out_of_bounds_are_refused() -> None:
    with pytest.raises(ValueError, match="weight"):
        Component(Window(1), Identity(), -0.1)
    with pytest.raises(ValueError, match="background"):
        DecayKernel((), uniform=-1.0)
    with pytest.raises(ValueError, match="uniform"):
        DecayKernel((), mixture=True, cells=CellBackground((1,), (1.0,)))

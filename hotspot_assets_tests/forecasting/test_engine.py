from __future__ import annotations

import random
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hotspot_assets.forecasting.engine import score_days
from hotspot_assets.forecasting.kernel import CellBackground, Component, DecayKernel
from hotspot_assets.forecasting.profiles import (
    Always,
    Dasymetric,
    Exponential,
    Gaussian,
    Hyperbolic,
    Identity,
    Quartic,
    RingHyperbolic,
    Window,
)
from hotspot_assets.intake.offences import SETTINGS
from hotspot_assets_tests.forecasting.towns import (
    GROUPS,
    Town,
    at,
    events_of,
    ledger,
    naive_surface,
    random_ledger,
    town,
)

START = date(2023, 11, 3)
DAYS = 100
LAST = START + timedelta(days=DAYS - 1)


@pytest.fixture(scope="module")
def place() -> Town:
    return town()


@pytest.fixture(scope="module")
def frame(place: Town):
    return random_ledger(place, START, DAYS, per_day=4.0, seed=11)


TEMPORAL = st.one_of(
    st.builds(Exponential, st.floats(0.5, 2000)),
    st.builds(Hyperbolic, st.integers(1, 12)),
    st.builds(Window, st.integers(1, 120)),
    st.just(Always()),
)
SPATIAL = st.one_of(
    st.just(Identity()),
    st.builds(RingHyperbolic, st.integers(0, 4)),
    st.builds(Gaussian, st.floats(20, 180)),
    st.builds(Quartic, st.floats(50, 500)),
    st.builds(Dasymetric, st.floats(20, 180)),
)
COMPONENT = st.builds(
    Component,
    TEMPORAL,
    SPATIAL,
    st.floats(0.01, 10),
    st.one_of(st.none(), st.sampled_from(GROUPS)),
    st.one_of(st.none(), st.sampled_from(SETTINGS)),
)


@st.composite
def kernels(draw: st.DrawFn, place: Town) -> dict[str, DecayKernel]:
    built = {}
    active = draw(st.sampled_from([GROUPS, GROUPS[1:]]))
    for group in GROUPS[: draw(st.integers(1, 3))]:
        mixture = draw(st.booleans())
        cells = None
        if not mixture and draw(st.booleans()):
            cells = CellBackground(tuple(int(c) for c in place.area.cells[:3]), (0.5, 0.25, 2.0))
        components = tuple(draw(st.lists(COMPONENT, min_size=1, max_size=4)))
        built[group] = DecayKernel(components, mixture, draw(st.sampled_from([0.0, 0.3])), cells, active)
    return built


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_scores_equal_the_naive_loop(data: st.DataObject, place: Town, frame) -> None:
    chosen = data.draw(kernels(place))
    day = START + timedelta(days=data.draw(st.integers(0, DAYS - 1)))
    (surface,) = score_days(events_of(frame, place, day, day), place.area, place.near, chosen, day, day)
    for group, kernel in chosen.items():
        expected = naive_surface(frame, place, kernel, group, day, at(day, 5))
        total = expected.sum()
        np.testing.assert_allclose(surface.totals[surface.groups.index(group)], total, rtol=1e-6)
        if total > 0:
            np.testing.assert_allclose(surface.of(group), expected / total, rtol=1e-6, atol=1e-12)


EVERYTHING = {
    group: DecayKernel(
        (
            Component(Exponential(3.0), Gaussian(120.0), 0.2),
            Component(Exponential(400.0), Identity(), 0.4, "theft"),
            Component(Hyperbolic(8), RingHyperbolic(3), 0.1),
            Component(Window(28), Quartic(300.0), 0.2, "robbery"),
            Component(Always(), Identity(), 0.1),
            Component(Exponential(30.0), Dasymetric(150.0), 0.2, "robbery", "dwelling"),
        ),
        mixture,
        0.01,
        activity=GROUPS,
    )
    for group, mixture in zip(GROUPS, (True, False, True), strict=True)
}


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=st.integers(0, DAYS - 1), length=st.integers(1, 60))
def test_a_range_equals_its_days_bit_for_bit(first: int, length: int, place: Town, frame) -> None:
    begin = START + timedelta(days=first)
    end = min(LAST, begin + timedelta(days=length - 1))
    span = list(
        score_days(events_of(frame, place, begin, end), place.area, place.near, EVERYTHING, begin, end)
    )
    assert [surface.date for surface in span] == [
        begin + timedelta(days=n) for n in range((end - begin).days + 1)
    ]
    for surface in random.Random(first).sample(span, min(4, len(span))):
        events = events_of(frame, place, surface.date, surface.date)
        (alone,) = score_days(events, place.area, place.near, EVERYTHING, surface.date, surface.date)
        assert alone.shares.tobytes() == surface.shares.tobytes()
        assert alone.totals.tobytes() == surface.totals.tobytes()


def test_the_order_of_rows_and_of_groups_changes_nothing(place: Town, frame) -> None:
    day = START + timedelta(days=70)
    plain = list(
        score_days(events_of(frame, place, day, LAST), place.area, place.near, EVERYTHING, day, LAST)
    )
    mixed = events_of(frame.sample(fraction=1.0, shuffle=True, seed=5), place, day, LAST, GROUPS[::-1])
    backwards = dict(reversed(EVERYTHING.items()))
    again = list(score_days(mixed, place.area, place.near, backwards, day, LAST))
    assert [each.shares.tobytes() for each in again] == [each.shares.tobytes() for each in plain]


def test_what_is_taken_back_leaves_exactly_nothing(place: Town) -> None:
    cells = [int(cell) for cell in place.area.cells]
    kept = [(date(2024, 1, 2), cells[5], "theft", at(date(2024, 1, 3)), 1_000_000)]
    taken = [
        (date(2024, 1, 4), cells[80], "theft", at(date(2024, 1, 5)), 1_000_000),
        (date(2024, 1, 6), cells[80], "theft", at(date(2024, 1, 9)), 700_001),
        (date(2024, 1, 4), cells[80], "theft", at(date(2024, 1, 11)), -1_000_000),
        (date(2024, 1, 6), cells[80], "theft", at(date(2024, 1, 20)), -700_001),
        (date(2023, 5, 6), cells[5], "theft", at(date(2023, 5, 7)), 3_000_000),
        (date(2023, 5, 6), cells[5], "theft", at(date(2024, 1, 21)), -3_000_000),
    ]
    kernel = {
        "theft": DecayKernel(
            (
                Component(Exponential(1.0), Identity()),
                Component(Exponential(9.0), Gaussian(90.0)),
                Component(Window(10), Identity()),
                Component(Hyperbolic(3), RingHyperbolic(2)),
            )
        )
    }
    first, last = date(2024, 1, 1), date(2024, 2, 10)
    with_both = events_of(ledger(kept + taken), place, first, last)
    without = events_of(ledger(kept), place, first, last)
    for both, only in zip(
        score_days(with_both, place.area, place.near, kernel, date(2024, 1, 22), last),
        score_days(without, place.area, place.near, kernel, date(2024, 1, 22), last),
        strict=True,
    ):
        assert both.shares.tobytes() == only.shares.tobytes()
        assert ((both.shares > 0) == (only.shares > 0)).all()


def test_a_correction_of_a_cell_leaves_no_trace_beside_old_incidents(place: Town) -> None:
    """With a short memory the old incident is worth 1e-13 of the one taken back: rounding would drown it."""
    cell = int(place.area.cells[40])
    old = (date(2024, 1, 1), cell, "theft", at(date(2024, 1, 2)), 1_000_000)
    wrong = (date(2024, 2, 4), cell, "theft", at(date(2024, 2, 5)), 1_000_000)
    back = (date(2024, 2, 4), cell, "theft", at(date(2024, 2, 6)), -1_000_000)
    kernel = {"theft": DecayKernel((Component(Exponential(1.0), Identity()),))}
    day = date(2024, 2, 6)
    (surface,) = score_days(
        events_of(ledger([old, wrong, back]), place, day, day), place.area, place.near, kernel, day, day
    )
    assert surface.totals[0] == pytest.approx(np.exp(-36.0), rel=1e-12)


def test_nothing_known_gives_a_total_of_zero(place: Town) -> None:
    day = date(2024, 1, 5)
    kernel = {"theft": DecayKernel((Component(Window(28), Gaussian(90.0)),))}
    events = events_of(ledger([]), place, day, day)
    (surface,) = score_days(events, place.area, place.near, kernel, day, day)
    assert surface.totals.tolist() == [0.0]
    assert not surface.shares.any()


def test_a_kernel_of_nothing_but_a_background_is_even(place: Town) -> None:
    first, last = date(2024, 1, 5), date(2024, 1, 20)
    events = events_of(ledger([]), place, first, last)
    found = list(
        score_days(events, place.area, place.near, {"theft": DecayKernel((), uniform=3.0)}, first, last)
    )
    assert len(found) == 16
    for surface in found:
        assert surface.totals == pytest.approx([3.0])
        assert surface.shares == pytest.approx(np.full((1, place.area.n), 1 / place.area.n))


def test_what_does_not_belong_together_is_refused(place: Town, frame) -> None:
    day = date(2024, 1, 5)
    events = events_of(frame, place, day, day)
    other = town(rings=2, max_ring=1)
    kernel = {"theft": DecayKernel((Component(Window(28), Gaussian(900.0)),))}
    with pytest.raises(ValueError, match="study area"):
        list(score_days(events, other.area, other.near, kernel, day, day))
    with pytest.raises(ValueError, match="anchor"):
        list(score_days(events, place.area, place.near, kernel, date(2023, 12, 1), day))
    with pytest.raises(ValueError, match="reaches"):
        list(score_days(events, place.area, place.near, kernel, day, day))

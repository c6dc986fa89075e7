"""What is remembered, on few cells where much arrives and much is taken back."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from hotspot_assets.forecasting.events import ONE_INCIDENT, epoch_day
from hotspot_assets.forecasting.profiles import Count, Decay
from hotspot_assets.forecasting.state import DecayedCounts, Row
from hotspot_assets_tests.forecasting.towns import GROUPS, events_of, random_ledger, town

PLACE = town(rings=1)
FIRST, LAST = date(2024, 3, 1), date(2024, 3, 31)
MEMORIES = (Decay(2.7), Decay(40.0), Count(6), Count(13), Count(45), Count(None))
ROWS = [Row(group, memory) for group in GROUPS for memory in MEMORIES]


@settings(max_examples=30)
@given(seed=st.integers(0, 10_000), days=st.integers(0, 30))
def test_a_state_begun_on_a_day_is_the_one_that_stepped_there(seed: int, days: int) -> None:
    frame = random_ledger(PLACE, FIRST - timedelta(days=40), 70, per_day=6.0, seed=seed)
    events, day = events_of(frame, PLACE, FIRST, LAST), FIRST + timedelta(days=days)
    stepped = DecayedCounts(events, ROWS, PLACE.area.n, FIRST)
    stepped.advance_to(day)
    begun = DecayedCounts(events, ROWS, PLACE.area.n, day)
    assert begun.values.tobytes() == stepped.values.tobytes()


@settings(max_examples=30)
@given(seed=st.integers(0, 10_000), days=st.integers(0, 30))
def test_each_row_is_the_sum_over_what_is_known(seed: int, days: int) -> None:
    frame = random_ledger(PLACE, FIRST - timedelta(days=40), 70, per_day=6.0, seed=seed)
    day = FIRST + timedelta(days=days)
    events = events_of(frame, PLACE, day, day)
    state = DecayedCounts(events, ROWS, PLACE.area.n, day)
    for row, values in zip(state.rows, state.values * state.scale()[:, None], strict=True):
        own = events.slice_of(row.group)
        age = (epoch_day(day) - events.day[own]).astype(float)
        memory = row.memory
        if isinstance(memory, Decay):
            worth = np.exp(-age / memory.tau_days)
        else:
            worth = age <= (np.inf if memory.last_age is None else memory.last_age)
        known = events.known[own] <= epoch_day(day)
        expected = np.bincount(
            events.cell[own][known], (events.weight[own] * worth)[known] / ONE_INCIDENT, PLACE.area.n
        )
        np.testing.assert_allclose(values, expected, rtol=1e-9, atol=1e-9)

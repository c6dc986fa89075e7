"""Activity, and what dasymetric profiles make of it, on seven cells worked out by hand."""

from __future__ import annotations

from datetime import date, timedelta

import h3
import numpy as np
import pytest

from hotspot_assets.forecasting.activity import Activity, activity_of_month
from hotspot_assets.forecasting.events import ONE_INCIDENT
from hotspot_assets.forecasting.kernel import Component, DecayKernel
from hotspot_assets.forecasting.profiles import Dasymetric, Exponential
from hotspot_assets.forecasting.spatial import Spread
from hotspot_assets_tests.forecasting.towns import at, events_of, ledger, town

DAY = date(2024, 3, 10)
PROFILE = Dasymetric(80.0)
COUNTS = np.array([3.0, 8.0, 0.0, 15.0, 0.0, 0.0, 0.0])
ROOTS = np.array([2.0, 3.0, 1.0, 4.0, 1.0, 1.0, 1.0])
"""Of one more than each."""


def test_an_incident_is_spread_over_where_things_happen() -> None:
    place = town(rings=1, max_ring=2)
    given = np.zeros((7, 7))
    for source, hexagon in enumerate(place.hexes):
        for target, other in enumerate(place.hexes):
            metres = h3.great_circle_distance(h3.cell_to_latlng(hexagon), h3.cell_to_latlng(other), unit="m")
            given[source, target] = ROOTS[target] * np.exp(-0.5 * (metres / 80.0) ** 2) * (metres <= 240.0)
        given[source] /= given[source].sum()
    activity, cells, spread = Activity(COUNTS), np.arange(7), Spread(PROFILE, place.near)
    np.testing.assert_allclose(spread.over_all(activity, np.eye(7)), given, rtol=1e-6)
    np.testing.assert_allclose(spread.received(activity, cells).toarray(), given.T, rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(spread.given_by(activity, cells).toarray(), given, rtol=1e-6, atol=1e-12)


def test_activity_is_what_was_known_on_the_first_of_the_month() -> None:
    place = town(rings=1, max_ring=2)
    first, here = DAY.replace(day=1), int(place.area.cells[4])
    before = first - timedelta(days=9)
    rows = [
        (before, here, "theft", at(before + timedelta(days=1)), 3 * ONE_INCIDENT),
        (before, here, "theft", at(first, 6), 5 * ONE_INCIDENT),  # known an hour after the cut-off
        (before, here, "robbery", at(before + timedelta(days=1)), 12 * ONE_INCIDENT),
    ]
    events = events_of(ledger(rows), place, first, DAY)
    expected = np.ones(7)
    expected[4] = 2.0
    np.testing.assert_allclose(activity_of_month(events, ("theft",), DAY, 7).by_cell, expected)
    expected[4] = 4.0
    np.testing.assert_allclose(activity_of_month(events, ("robbery", "theft"), DAY, 7).by_cell, expected)


def test_a_kernel_over_activity_names_whose() -> None:
    with pytest.raises(ValueError, match="spread over"):
        DecayKernel((Component(Exponential(7.0), PROFILE),))
    kernel = DecayKernel(
        (Component(Exponential(7.0), PROFILE, 1.0, "theft", "street"),), activity=("robbery",)
    )
    assert DecayKernel.from_json(kernel.to_json()) == kernel
    assert kernel.source_groups("burglary") == ("robbery", "theft")

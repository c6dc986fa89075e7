from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from hotspot_assets.forecasting.events import ONE_INCIDENT
from hotspot_assets.forecasting.fitting import (
    HELD_OUT_DAYS,
    Candidates,
    FitInput,
    FittedModel,
    events_needed_from,
    observe,
)
from hotspot_assets.forecasting.kernel import CellBackground, Component, DecayKernel
from hotspot_assets.forecasting.levels import Level, expected_totals, fit_level
from hotspot_assets.forecasting.profiles import Count, Decay, Exponential, Gaussian, Identity, Window
from hotspot_assets.forecasting.state import Row, sorted_rows
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

DAY = date(2024, 3, 1)
START = DAY - timedelta(days=HELD_OUT_DAYS + 60)


@pytest.fixture(scope="module")
def place() -> Town:
    return town(rings=4, max_ring=4)


@pytest.fixture(scope="module")
def frame(place: Town):
    return random_ledger(place, START, HELD_OUT_DAYS + 60, per_day=2.0, seed=2)


def fit_input(frame, place: Town) -> FitInput:
    events = events_of(frame, place, events_needed_from(DAY), DAY)
    return FitInput(events, place.area, place.near, GROUPS, DAY)


def test_ratios_are_what_a_forecast_of_the_day_gave(place: Town, frame) -> None:
    rows = sorted_rows([Row("theft", Decay(30.0)), Row("robbery", Count(28))])
    spatials = (Identity(), Gaussian(100.0))
    observed = observe(fit_input(frame, place), Candidates(rows, spatials))["burglary"]
    temporal = {"theft": Exponential(30.0), "robbery": Window(28)}
    expected, weights = [], []
    known = frame.filter(frame["known_from"] <= at(DAY, 5), frame["offence_group"] == "burglary")
    for n in range(HELD_OUT_DAYS):
        day = DAY - timedelta(days=HELD_OUT_DAYS - n)
        happened = known.filter(known["day"] == day).group_by("cell").agg(pl.col("weight").sum())
        for cell, weight in sorted(happened.select("cell", "weight").iter_rows()):
            if weight > 0:
                where = int(place.area.index_of(np.array([cell], dtype=np.uint64))[0])
                given = []
                for spatial in spatials:
                    for row in rows:
                        kernel = DecayKernel((Component(temporal[row.group], spatial, 1.0, row.group),))
                        surface = naive_surface(frame, place, kernel, "burglary", day, at(day, 5))
                        total = surface.sum()
                        given.append(surface[where] / total * place.area.n if total > 0 else 0.0)
                expected.append(given)
                weights.append(weight / ONE_INCIDENT)
        if n > 40:
            break
    assert len(weights) > 15
    np.testing.assert_allclose(observed.weight[: len(weights)], weights)
    np.testing.assert_allclose(observed.ratios[: len(weights)], expected, rtol=1e-6, atol=1e-9)


def test_an_artefact_comes_back_with_the_same_id() -> None:
    model = FittedModel(
        "etas",
        DAY,
        "abc",
        {
            "theft": DecayKernel(
                (Component(Exponential(9.1), Identity(), 1 / 3),), cells=CellBackground((5, 9), (0.1, 0.2))
            )
        },
        {"theft": Level(1.1, (1.0,) * 7)},
        {"robbery": "tree\n"},
    )
    again = FittedModel.from_artefact(model.artefact)
    assert again == model
    assert again.fitted_model_id == model.fitted_model_id
    assert again.groups == ("robbery", "theft")
    other = FittedModel("etas", DAY + timedelta(days=1), "abc", model.kernels, model.levels, model.boosters)
    assert other.fitted_model_id != model.fitted_model_id


def test_spacing_is_that_of_the_grid(place: Town, frame) -> None:
    assert 115 <= fit_input(frame, place).spacing_m <= 140


def test_a_level_makes_good_weekdays_and_late_reports(place: Town) -> None:
    """Four a day, eight on Saturdays, every second one reported two months late."""
    rows = []
    cell = int(place.area.cells[0])
    for n in range(400):
        day = date(2023, 2, 1) + timedelta(days=n)
        for copy in range(8 if day.weekday() == 5 else 4):
            rows.append((day, cell, "theft", at(day + timedelta(days=1 + 60 * (copy % 2))), ONE_INCIDENT))
    events = events_of(ledger(rows), place, date(2023, 3, 1), date(2024, 3, 2))
    last = date(2023, 12, 25)
    level = fit_level(events, "theft", last - timedelta(days=239), last)
    assert level.factor == pytest.approx(2.0, abs=0.05)
    assert level.weekdays[5] / level.weekdays[0] == pytest.approx(2.0, abs=0.15)
    saturday, monday = date(2024, 3, 2), date(2024, 2, 26)
    assert expected_totals(events, "theft", [saturday], level) == [pytest.approx(8.0, abs=0.4)]
    assert expected_totals(events, "theft", [monday], level) == [pytest.approx(4.0, abs=0.2)]
    assert expected_totals(events, "theft", [saturday, monday], level) == [
        *expected_totals(events, "theft", [saturday], level),
        *expected_totals(events, "theft", [monday], level),
    ]


def test_a_level_without_incidents_expects_none(place: Town) -> None:
    events = events_of(ledger([]), place, DAY, DAY)
    level = fit_level(events, "theft", DAY - timedelta(days=30), DAY - timedelta(days=1))
    assert level.factor == 1.0
    assert level.weekdays == pytest.approx((1.0,) * 7)
    assert expected_totals(events, "theft", [DAY], level) == [0.0]

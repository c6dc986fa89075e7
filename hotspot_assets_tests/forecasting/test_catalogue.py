from __future__ import annotations

import subprocess
import sys
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hotspot_assets.forecasting.catalogue import DEFAULT_MODEL, MODELS, UnknownModelError, model, surfaces
from hotspot_assets.forecasting.fitting import FitInput, FittedModel, events_needed_from
from hotspot_assets_tests.forecasting.towns import GROUPS, Town, at, events_of, ledger, random_ledger, town

DAY = date(2024, 3, 1)
FORECAST = date(2024, 3, 9)
START = DAY - timedelta(days=300)


@pytest.fixture(scope="module")
def place() -> Town:
    return town(rings=3, max_ring=13)


@pytest.fixture(scope="module")
def past(place: Town) -> pl.DataFrame:
    """All that is known on 9 March at five; and later rows are nobody's business."""
    frame = random_ledger(place, START, (FORECAST - START).days, per_day=2.0, seed=7)
    return frame.filter(pl.col("known_from") <= at(FORECAST, 5))


def run(name: str, frame: pl.DataFrame, place: Town, last: date = FORECAST) -> tuple[FittedModel, bytes]:
    events = events_of(frame, place, events_needed_from(DAY), last)
    fitted = model(name).fitted(FitInput(events, place.area, place.near, GROUPS, DAY))
    (surface,) = surfaces(fitted, events, place.area, place.near, FORECAST, FORECAST)
    return fitted, surface.shares.tobytes() + surface.totals.tobytes()


_undisturbed: dict[str, tuple[str, bytes]] = {}

LATER = st.lists(
    st.tuples(
        st.integers(-200, 30),  # day of occurrence from the forecast date
        st.integers(0, 36),  # cell
        st.sampled_from(GROUPS),
        st.integers(1, 40 * 24 * 60),  # minutes from the cut-off to knowledge
        st.sampled_from([-1_000_000, 1_000_000, 50_000_000]),
    ),
    min_size=1,
    max_size=60,
)


@pytest.mark.parametrize("name", sorted(MODELS))
@settings(max_examples=3, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(later=LATER, shuffle=st.integers(0, 1000))
def test_nothing_after_the_cut_off_changes_a_fit_or_a_score(
    name: str, later: list[tuple[int, int, str, int, int]], shuffle: int, place: Town, past: pl.DataFrame
) -> None:
    """Added, altered and taken back after the cut-off; also in another order, and with more days at hand."""
    if name not in _undisturbed:
        fitted, scores = run(name, past, place)
        _undisturbed[name] = fitted.fitted_model_id, scores
    rows = [
        (
            FORECAST + timedelta(days=offset),
            int(place.area.cells[cell % place.area.n]),
            group,
            at(FORECAST, 5) + timedelta(minutes=minutes),
            weight,
        )
        for offset, cell, group, minutes, weight in later
    ]
    both = pl.concat([past, ledger(rows)]).sample(fraction=1.0, shuffle=True, seed=shuffle)
    fitted, scores = run(name, both, place, FORECAST + timedelta(days=20))
    assert (fitted.fitted_model_id, scores) == _undisturbed[name]


@pytest.mark.parametrize("name", sorted(MODELS))
def test_a_fit_knows_nothing_after_its_own_day(name: str, place: Town, past: pl.DataFrame) -> None:
    fitted, _ = run(name, past, place)
    until_then = past.filter(pl.col("known_from") <= at(DAY, 5))
    again, _ = run(name, until_then, place)
    assert again.fitted_model_id == fitted.fitted_model_id


@pytest.mark.parametrize("name", sorted(MODELS))
def test_a_stored_model_scores_like_the_one_that_was_stored(
    name: str, place: Town, past: pl.DataFrame
) -> None:
    fitted, scores = run(name, past, place)
    events = events_of(past, place, FORECAST, FORECAST)
    again = FittedModel.from_artefact(fitted.artefact)
    (surface,) = surfaces(again, events, place.area, place.near, FORECAST, FORECAST)
    assert surface.shares.tobytes() + surface.totals.tobytes() == scores
    assert surface.groups == GROUPS
    np.testing.assert_allclose(surface.shares.sum(axis=1), 1.0)


def test_every_model_says_what_it_is() -> None:
    assert list(MODELS) == [
        "count_28",
        "count_365",
        "count_all",
        "kde",
        "promap",
        "exponential",
        "etas",
        "learned",
        "boosting",
    ]
    assert DEFAULT_MODEL in MODELS
    for name, each in MODELS.items():
        assert each.name == name
        assert each.title and each.how and each.source
        assert (each.kernel is None) == each.needs_fit
        assert (each.stands_in_for is None) == (each.not_known_of_original is None)


def test_unknown_names_are_refused_with_the_known_ones() -> None:
    with pytest.raises(UnknownModelError, match="learned"):
        model("oracle")


def test_a_model_to_fit_is_not_used_unfitted(place: Town) -> None:
    assert model("promap").unfitted(GROUPS, DAY, place.area).groups == GROUPS
    with pytest.raises(ValueError, match="must be fitted"):
        model("learned").unfitted(GROUPS, DAY, place.area)


def test_importing_the_catalogue_loads_nothing_heavy() -> None:
    script = (
        "import sys, hotspot_assets.forecasting.catalogue\n"
        "print([m for m in ('scipy', 'lightgbm', 'geopandas', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

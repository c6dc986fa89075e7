from __future__ import annotations

import subprocess
import sys
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from hotspot_assets.forecasting.boosting import boosted_days, fit_boosting
from hotspot_assets.forecasting.events import ONE_INCIDENT
from hotspot_assets.forecasting.fitting import FitInput, FittedModel, events_needed_from
from hotspot_assets_tests.forecasting.towns import Town, at, events_of, ledger, town

pytest.importorskip("lightgbm", reason="the extra 'boosting' is not installed")

DAY = date(2024, 3, 1)
LAST = date(2024, 3, 20)
GROUPS = ("burglary", "theft")


@pytest.fixture(scope="module")
def place() -> Town:
    return town(rings=6, max_ring=13)


@pytest.fixture(scope="module")
def frame(place: Town) -> pl.DataFrame:
    """Uneven places that stay as they are."""
    rng = np.random.default_rng(1)
    weights = rng.dirichlet(np.full(place.area.n, 0.2))
    rows = []
    for offset in range(340):
        day = LAST - timedelta(days=339 - offset)
        for group, cell in zip(rng.choice(GROUPS, 6), rng.choice(place.area.n, 6, p=weights), strict=True):
            known = at(day + timedelta(days=1))
            rows.append((day, int(place.area.cells[cell]), str(group), known, ONE_INCIDENT))
    return ledger(rows)


@pytest.fixture(scope="module")
def fitted(place: Town, frame: pl.DataFrame) -> FittedModel:
    events = events_of(frame, place, events_needed_from(DAY), DAY, GROUPS)
    return fit_boosting(FitInput(events, place.area, place.near, GROUPS, DAY))


def test_it_finds_the_places_and_the_level(place: Town, frame: pl.DataFrame, fitted: FittedModel) -> None:
    events = events_of(frame, place, DAY, LAST, GROUPS)
    caught, total, expected = 0.0, 0.0, 0.0
    for surface in boosted_days(fitted, events, place.area, place.near, DAY, LAST):
        assert surface.shares.sum(axis=1) == pytest.approx([1.0, 1.0])
        happened = frame.filter(pl.col("day") == surface.date, pl.col("offence_group") == "theft")
        top = np.argsort(-surface.of("theft"))[: place.area.n // 5]
        caught += np.isin(place.area.index_of(happened["cell"].to_numpy()), top).sum()
        total += happened.height
        expected += surface.totals[1]
    assert caught / total > 0.5
    assert expected == pytest.approx(total, rel=0.35)


def test_a_range_equals_its_days(place: Town, frame: pl.DataFrame, fitted: FittedModel) -> None:
    events = events_of(frame, place, DAY, LAST, GROUPS)
    *_, last = boosted_days(fitted, events, place.area, place.near, DAY, LAST)
    alone_events = events_of(frame, place, LAST, LAST, GROUPS)
    (alone,) = boosted_days(fitted, alone_events, place.area, place.near, LAST, LAST)
    assert alone.shares.tobytes() == last.shares.tobytes()


def test_fitting_twice_gives_the_same_id(place: Town, frame: pl.DataFrame, fitted: FittedModel) -> None:
    events = events_of(frame.reverse(), place, events_needed_from(DAY), DAY, GROUPS)
    again = fit_boosting(FitInput(events, place.area, place.near, GROUPS, DAY))
    assert again.fitted_model_id == fitted.fitted_model_id


def test_groups_it_was_not_fitted_on_change_nothing(
    place: Town, frame: pl.DataFrame, fitted: FittedModel
) -> None:
    assert fitted.reads == GROUPS
    others = frame.with_columns(offence_group=pl.lit("robbery"))
    more = events_of(pl.concat([frame, others]), place, DAY, LAST, (*GROUPS, "robbery"))
    known = events_of(frame, place, DAY, LAST, GROUPS)
    with_more, without = (
        next(boosted_days(fitted, events, place.area, place.near, DAY, LAST)) for events in (more, known)
    )
    assert with_more.shares.tobytes() == without.shares.tobytes()


def test_without_lightgbm_it_says_what_to_do_and_the_rest_works() -> None:
    script = (
        "import sys; sys.modules['lightgbm'] = None\n"
        "from hotspot_assets.forecasting import catalogue, boosting\n"
        "assert catalogue.model('learned').needs_fit\n"
        "try: boosting._lightgbm()\n"
        "except boosting.BoostingMissingError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "--extra boosting" in done.stdout

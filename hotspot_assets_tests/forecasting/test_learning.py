from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from hotspot_assets.forecasting.engine import score_days
from hotspot_assets.forecasting.events import ONE_INCIDENT
from hotspot_assets.forecasting.fitting import FitInput, FittedModel, events_needed_from
from hotspot_assets.forecasting.kernel import rings_needed
from hotspot_assets.forecasting.learning import decay_curve, fit_learned, similarity
from hotspot_assets.forecasting.profiles import Exponential, Gaussian, Identity
from hotspot_assets.forecasting.spatial import bell_of
from hotspot_assets.forecasting.tuning import fit_exponential, fit_kde
from hotspot_assets_tests.forecasting.towns import Town, at, events_of, ledger, town

DAY = date(2024, 3, 1)
DAYS = 420
GROUPS = ("burglary", "rare", "robbery")
BACKGROUND, OWN_CELL, AROUND_ROBBERY = 0.2, 0.4, 0.4


def simulated(
    place: Town, per_day: dict[str, float], seed: int
) -> tuple[pl.DataFrame, dict[str, np.ndarray]]:
    """Incidents drawn day by day from a known mixture; and the last day's true surface of each group.

    Burglary: own cell with tau 30 days, around robberies (2 rings, over where things happen) with tau 7, even
    background. Robbery and
    the rare group: own cell with tau 7 days and a little background. Short memories keep the places moving:
    where they stand still, a long count of the own cell explains everything, and nothing can be told apart.
    """
    rng = np.random.default_rng(seed)
    spacing = float(np.round(np.median(place.near.next_door_m)))
    around = bell_of(Gaussian(2 * spacing), place.near).weights
    n = place.area.n
    start = {group: rng.gamma(0.05, 1.0, n) for group in GROUPS}
    states = {
        (group, tau): per_day[group] * tau * start[group] / start[group].sum()
        for group in GROUPS
        for tau in (7.0, 30.0)
    }
    rows, truth = [], {}
    happened, activity = np.zeros(n), np.ones(n)
    for offset in range(DAYS + 1):
        day = DAY - timedelta(days=DAYS - offset)
        share = {key: state / state.sum() for key, state in states.items()}
        truth = {group: 0.95 * share[group, 7.0] + 0.05 / n for group in ("robbery", "rare")}
        if day.day == 1:
            activity = np.sqrt(1 + happened)
        near_robbery = activity * (around @ (share["robbery", 7.0] / (around.T @ activity)))
        truth["burglary"] = (
            OWN_CELL * share["burglary", 30.0] + AROUND_ROBBERY * near_robbery + BACKGROUND / n
        )
        if day == DAY:
            break
        for group in GROUPS:
            cells = rng.choice(n, size=rng.poisson(per_day[group]), p=truth[group] / truth[group].sum())
            rows += [
                (day, int(place.area.cells[c]), group, at(day + timedelta(days=1)), ONE_INCIDENT)
                for c in cells
            ]
            happened += np.bincount(cells, minlength=n)
            for tau in (7.0, 30.0):
                states[group, tau] = (states[group, tau] + np.bincount(cells, minlength=n)) * np.exp(-1 / tau)
    return ledger(rows), truth


@pytest.fixture(scope="module")
def place() -> Town:
    return town(rings=11, max_ring=14)


@pytest.fixture(scope="module")
def data(place: Town) -> tuple[pl.DataFrame, dict[str, np.ndarray]]:
    return simulated(place, {"burglary": 40.0, "robbery": 15.0, "rare": 0.1}, seed=3)


@pytest.fixture(scope="module")
def fit(place: Town, data) -> FitInput:
    events = events_of(data[0], place, events_needed_from(DAY), DAY, GROUPS)
    return FitInput(events, place.area, place.near, GROUPS, DAY)


@pytest.fixture(scope="module")
def learned(fit: FitInput) -> FittedModel:
    return fit_learned(fit)


def test_a_planted_mixture_is_recovered(learned: FittedModel) -> None:
    """Stated tolerance: 0.1 of the surface for each part; of memories, the right order of magnitude."""
    kernel = learned.kernels["burglary"]
    parts: dict[tuple[str | None, bool], float] = {}
    days: dict[tuple[str | None, bool], float] = {}
    for component in kernel.components:
        assert isinstance(component.temporal, Exponential)
        part = component.source_group, isinstance(component.spatial, Identity)
        parts[part] = parts.get(part, 0.0) + component.weight
        days[part] = days.get(part, 0.0) + component.weight * np.log(component.temporal.tau_days)
    assert parts[None, True] == pytest.approx(OWN_CELL, abs=0.1)
    assert parts["robbery", False] == pytest.approx(AROUND_ROBBERY, abs=0.1)
    assert kernel.uniform == pytest.approx(BACKGROUND, abs=0.1)
    assert 10 < np.exp(days[None, True] / parts[None, True]) < 60
    assert np.exp(days["robbery", False] / parts["robbery", False]) == pytest.approx(7, rel=0.4)


def test_the_learned_surface_is_close_to_the_truth(
    place: Town, data, fit: FitInput, learned: FittedModel
) -> None:
    (surface,) = score_days(fit.events, place.area, place.near, learned.kernels, DAY, DAY)
    truth = data[1]["burglary"] / data[1]["burglary"].sum()
    lost = (truth * np.log(truth / surface.of("burglary"))).sum()
    even = (truth * np.log(truth * place.area.n)).sum()
    assert lost < 0.1 * even


def test_weights_are_shares(learned: FittedModel) -> None:
    for kernel in learned.kernels.values():
        assert kernel.uniform + sum(c.weight for c in kernel.components) == pytest.approx(1.0, abs=1e-4)
    table = similarity(learned)
    sums = table.group_by("target").agg(pl.col("share").sum())["share"]
    assert sums.to_list() == pytest.approx([1.0] * 3)
    assert table.height == 3 * 4


def test_a_rare_group_leans_on_the_others(fit: FitInput, learned: FittedModel) -> None:
    """With 24 incidents its own fit is noise; the prior keeps it near the own cell with a long memory."""
    table = similarity(learned).filter(pl.col("target") == "rare")
    share = dict(table.select("source", "share").iter_rows())
    assert share["rare"] > 0.3


def test_decay_curves_fall_from_one(learned: FittedModel) -> None:
    curve = decay_curve(learned, np.array([1, 7, 30, 365])).filter(pl.col("target") == "burglary")
    total = (curve["own_cell"] + curve["around"]).to_list()
    assert total[0] == pytest.approx(1.0)
    assert total == sorted(total, reverse=True)


def test_a_setting_that_repeats_is_told_from_one_that_does_not(place: Town) -> None:
    """Homes are broken into where homes were; what happens in the open falls anywhere, and rarely at all indoors."""
    rng = np.random.default_rng(8)
    rows, settings = [], []
    homes = rng.choice(place.area.n, size=20, replace=False)
    for offset in range(400):
        day = DAY - timedelta(days=400 - offset)
        for cell, setting in (
            *((int(homes[rng.integers(20)]), "dwelling") for _ in range(5)),
            *((int(rng.integers(place.area.n)), "street") for _ in range(5)),
            *((int(rng.integers(place.area.n)), "indoor") for _ in range(int(rng.random() < 0.1))),
        ):
            known = at(day + timedelta(days=1))
            rows.append((day, int(place.area.cells[cell]), "burglary", known, ONE_INCIDENT))
            settings.append(setting)
    events = events_of(ledger(rows, settings), place, events_needed_from(DAY), DAY, ("burglary",))
    kernel = fit_learned(FitInput(events, place.area, place.near, ("burglary",), DAY)).kernels["burglary"]
    shares: dict[str | None, float] = {}
    for each in kernel.components:
        shares[each.source_setting] = shares.get(each.source_setting, 0.0) + each.weight
    assert shares["dwelling"] == pytest.approx(0.5, abs=0.07)
    assert shares.get("street", 0.0) + kernel.uniform == pytest.approx(0.5, abs=0.07)
    assert set(shares) <= {"dwelling", "street"}, "a hundredth of the group is no source"


def test_tuning_finds_a_short_memory(place: Town) -> None:
    """Two weeks in one spot, then two in the next: only a memory of days can follow."""
    rng = np.random.default_rng(5)
    rows = []
    for offset in range(300):
        day = DAY - timedelta(days=300 - offset)
        if offset % 14 == 0:
            spots = rng.choice(place.area.n, 6)
        for cell in rng.choice(spots, 6):
            rows.append(
                (day, int(place.area.cells[cell]), "burglary", at(day + timedelta(days=1)), ONE_INCIDENT)
            )
    events = events_of(ledger(rows), place, events_needed_from(DAY), DAY, ("burglary",))
    fit = FitInput(events, place.area, place.near, ("burglary",), DAY)
    (component,) = fit_exponential(fit).kernels["burglary"].components
    assert isinstance(component.temporal, Exponential)
    assert component.temporal.tau_days < 15
    assert isinstance(component.spatial, Identity)
    (component,) = fit_kde(fit).kernels["burglary"].components
    assert isinstance(component.spatial, Gaussian)
    assert rings_needed(fit_kde(fit).kernels, fit.spacing_m) >= 2

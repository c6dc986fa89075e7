from __future__ import annotations

import time
from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest
from scipy import stats

from hotspot_assets.simulation.city import GROUPS, CitySpec
from hotspot_assets.simulation.process import (
    City,
    day_factor,
    days_since_1970,
    hour_density,
    simulate,
)
from hotspot_assets_tests.simulation.conftest import DAYS, START


def test_equal_specifications_give_equal_cities_and_another_seed_another(city: City) -> None:
    assert simulate(CitySpec(), START, 100).events.equals(simulate(CitySpec(), START, 100).events)
    other = simulate(CitySpec(seed=1), START, 100).events
    assert not other.equals(simulate(CitySpec(), START, 100).events)


def test_a_city_simulated_for_longer_has_the_same_past(city: City) -> None:
    shorter = simulate(CitySpec(), START, 200).events
    longer = city.events.with_row_index("row")
    past = longer.filter(pl.col("day") < 200)
    assert past.drop("row", "parent").equals(shorter.drop("parent"))
    parents = city.events["reference"].gather(past["parent"].clip(0))
    assert parents.equals(shorter["reference"].gather(shorter["parent"].clip(0)))


@pytest.mark.parametrize("theta", [0.0, 0.25, 0.6])
def test_counts_are_those_a_branching_process_expects(theta: float) -> None:
    """Each background incident at time t brings 1 + theta (1 - e^-w(1-theta)(T-t)) / (1-theta) in all."""
    # Offspring fall close by, so that next to none is lost over the city's edge.
    burglary = replace(GROUPS["burglary"], per_day=400.0, theta=theta, sigma_m=0.5)
    spec = CitySpec(groups={"burglary": burglary})
    events = simulate(spec, date(2024, 1, 1), 120).events
    day = np.arange(120)
    mu = burglary.per_day * (1 - theta) * day_factor(burglary, day + days_since_1970(date(2024, 1, 1)))
    hours = np.arange(0.05, 24, 0.1)
    left = 120 - day[:, None] - hours / 24
    slowed = burglary.omega_per_day * (1 - theta)
    family = 1 + theta / (1 - theta) * (1 - np.exp(-slowed * left))
    expected = (mu[:, None] * family * hour_density(burglary, hours) * 0.1).sum()
    assert (
        stats.norm.sf(abs(events.filter(pl.col("parent") < 0).height - mu.sum()) / np.sqrt(mu.sum())) > 1e-3
    )
    # A family of Poisson branching has variance at most 1 / (1 - theta)^3 per background incident.
    spread = np.sqrt(mu.sum() / (1 - theta) ** 3)
    assert abs(events.height - expected) < 3.3 * spread
    assert expected >= mu.sum() * (1 + 0.8 * theta)


def test_offspring_come_when_and_where_they_are_said_to(city: City) -> None:
    for name, group in GROUPS.items():
        events = city.events.with_row_index("row").with_columns(pl.col("row").cast(pl.Int64))
        # Parents whose offspring all lie before the end and, but for one in a million, inside the city.
        edge = city.ground.outline.boundary
        import shapely

        early = events.filter(pl.col("group") == name, pl.col("day") < DAYS - 15 / group.omega_per_day)
        away = (
            shapely.distance(edge, shapely.points(early.select("x_m", "y_m").to_numpy())) > 5 * group.sigma_m
        )
        parents = early.filter(pl.Series(away))
        children = events.filter(pl.col("parent") >= 0).join(
            parents, left_on="parent", right_on="row", suffix="_p"
        )
        lag = (children["day"] - children["day_p"]).to_numpy()
        assert stats.kstest(lag, "expon", args=(0, 1 / group.omega_per_day)).pvalue > 1e-3
        metres = np.hypot(
            *(children.select(pl.col("x_m") - pl.col("x_m_p"), pl.col("y_m") - pl.col("y_m_p")).to_numpy().T)
        )
        assert stats.kstest(metres, "rayleigh", args=(0, group.sigma_m)).pvalue > 1e-3
        mean = group.theta * parents.height
        assert abs(children.height - mean) < 3.5 * np.sqrt(mean)
        numbers = np.bincount(children.group_by("parent").len()["len"].to_numpy(), minlength=3)
        assert numbers[2] == pytest.approx(parents.height * stats.poisson.pmf(2, group.theta), rel=0.25)


def test_the_background_keeps_its_weeks_and_hours(city: City) -> None:
    for name, group in GROUPS.items():
        background = city.events.filter(pl.col("group") == name, pl.col("parent") < 0)
        day = background["day"].to_numpy()
        absolute = np.floor(day).astype(np.int64) + days_since_1970(START)
        weekend = ((absolute + 3) % 7 >= 5).mean()
        whole = day_factor(group, np.arange(DAYS) + days_since_1970(START))
        friday_to = (np.arange(DAYS) + days_since_1970(START) + 3) % 7 >= 5
        share = whole[friday_to].sum() / whole.sum()
        assert abs(weekend - share) < 3.5 * np.sqrt(share * (1 - share) / len(day))
        hours = np.arange(0.05, 24, 0.1)
        expected = (hour_density(group, hours) * 0.1).reshape(24, 10).sum(axis=1)
        assert expected.sum() == pytest.approx(1.0)
        counts = np.bincount(((day % 1) * 24).astype(int), minlength=24)
        assert stats.chisquare(counts, expected * len(day)).pvalue > 1e-3


def test_days_of_the_clock_and_of_the_city_are_the_same(city: City) -> None:
    local = city.events["occurred_at"].dt.convert_time_zone("Europe/London").dt.date()
    expected = pl.select(
        pl.lit(START) + pl.duration(days=city.events["day"].floor().cast(pl.Int64))
    ).to_series()
    assert local.equals(expected, check_names=False)


def test_incidents_lie_in_the_city_and_their_parents_before_them(city: City) -> None:
    assert city.ground.inside(city.events.select("x_m", "y_m").to_numpy()).all()
    assert city.events["reference"].is_unique().all()
    children = city.events.filter(pl.col("parent") >= 0)
    parents = city.events[children["parent"]]
    assert (parents["day"] < children["day"]).all()
    assert (parents["group"] == children["group"]).all()


def test_a_million_incidents_are_a_matter_of_seconds() -> None:
    """Bounded as a multiple of drawing as many normal numbers, twenty times over."""
    groups = {name: replace(group, per_day=group.per_day * 12) for name, group in GROUPS.items()}
    clock = time.process_time()
    rng = np.random.default_rng(1)
    for _ in range(20):
        rng.normal(size=1_000_000)
    trivial = time.process_time() - clock
    clock = time.process_time()
    events = simulate(CitySpec(groups=groups), date(2023, 1, 1), 425).events
    taken = time.process_time() - clock
    assert events.height > 900_000
    assert taken < 40 * trivial

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
import shapely
from scipy import stats

from hotspot_assets.hexgrid.cells import with_cells
from hotspot_assets.hexgrid.study_areas import StudyArea, from_boundary
from hotspot_assets.simulation.city import GROUPS, CitySpec
from hotspot_assets.simulation.process import City, simulate
from hotspot_assets.simulation.truth import Truth, true_intensity
from hotspot_assets_tests.simulation.conftest import START


def counts(city: City, area: StudyArea, first: int, days: int, group: str) -> np.ndarray:
    """Incidents per day and cell: float64[days, n]."""
    events = city.events.filter(
        pl.col("group") == group, pl.col("day") >= first, pl.col("day") < first + days
    )
    cell = area.index_of(with_cells(events, area.resolution)["cell"].to_numpy())
    assert (cell >= 0).all()
    day = events["day"].to_numpy().astype(int) - first
    return np.bincount(day * area.n + cell, minlength=days * area.n).reshape(days, area.n)


@pytest.mark.parametrize(("group", "factor"), [("burglary", 3.0), ("violence", 2.0)])
def test_counts_are_what_the_truth_expected_day_by_day_and_cell_by_cell(
    area: StudyArea, group: str, factor: float
) -> None:
    """Given the past, each day's counts scatter about the truth: in all, and from low to high cells."""
    lively = replace(GROUPS[group], per_day=GROUPS[group].per_day * factor, theta=0.5)
    city = simulate(CitySpec(groups={group: lively}), START, 88)
    truth = Truth(city, area)
    first, days = 80, 8
    expected = np.array([truth.intensity(START + timedelta(first + i), group) for i in range(days)])
    seen = counts(city, area, first, days, group)
    assert abs(seen.sum() - expected.sum()) < 3.3 * np.sqrt(expected.sum()) * 1.05
    order = np.argsort(expected.ravel())
    tenths = np.array_split(order, 10)
    low_to_high = np.array([expected.ravel()[part].sum() for part in tenths])
    in_tenths = np.array([seen.ravel()[part].sum() for part in tenths])
    enough = low_to_high > 5
    distance = ((in_tenths - low_to_high)[enough] ** 2 / low_to_high[enough]).sum()
    assert stats.chi2.sf(distance, enough.sum()) > 1e-3
    # The part that was set off is really where incidents follow: without it the fit is worse by far.
    background = np.array([truth.background(START + timedelta(first + i), group) for i in range(days)])
    scaled = background * expected.sum() / background.sum()
    there = seen > 0
    gain = (seen[there] * np.log(expected[there] / scaled[there])).sum()
    assert gain > 0.01 * seen.sum()


def test_the_city_keeps_the_whole_of_its_intensity(city: City, area: StudyArea) -> None:
    truth = Truth(city, area)
    for name, group in GROUPS.items():
        days = [START + timedelta(200 + i) for i in range(7)]
        week = sum(truth.background(day, name).sum() for day in days) / 7
        assert week == pytest.approx(group.per_day * (1 - group.theta), rel=0.25)
        assert (truth.excited(days[0], name) >= 0).all()


def test_one_incident_is_followed_by_its_offspring_nearby(area: StudyArea) -> None:
    """By hand: theta (1 - e^-w) on the next day if nothing else is set off on that day, around the place."""
    group = replace(GROUPS["burglary"], theta=0.25, omega_per_day=1 / 12)
    city = simulate(CitySpec(groups={"burglary": group}), START, 30)
    at = shapely.union_all(shapely.polygons(city.ground.wards_m)).centroid
    lone = city.events.head(1).with_columns(day=pl.lit(9.0), x_m=pl.lit(at.x), y_m=pl.lit(at.y))
    alone = replace(city, events=lone)
    excited = Truth(alone, area).excited(START + timedelta(10), "burglary")
    slowed = group.omega_per_day * 0.75
    direct = 0.25 * (np.exp(-1 / 12) - np.exp(-2 / 12))
    cascade = 0.25 / 12 * np.exp(-1 / 12) * (1 - np.exp(-slowed)) / slowed
    assert excited.sum() == pytest.approx(cascade, rel=1e-3)
    assert direct < cascade < direct * 1.02
    placed = with_cells(city.events.head(1).with_columns(latitude=pl.lit(46.0), longitude=pl.lit(-30.0)), 9)
    assert placed["cell"].dtype == pl.UInt64
    touched = np.flatnonzero(excited > excited.max() * 1e-3)
    assert len(touched) < 15
    assert Truth(alone, area).excited(START + timedelta(9), "burglary").sum() == 0


def test_finer_cells_tell_the_same_truth(
    city: City, area: StudyArea, ward_shapes: list[shapely.Polygon]
) -> None:
    fine = from_boundary(shapely.union_all(ward_shapes).buffer(0.005), 10)
    day = date(2024, 12, 24)
    one, other = true_intensity(city, area, day, "robbery"), true_intensity(city, fine, day, "robbery")
    assert one.sum() == pytest.approx(other.sum(), rel=2e-3)

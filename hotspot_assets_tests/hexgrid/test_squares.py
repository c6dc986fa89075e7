"""Squares of 250 m: whole multiples of local metres, and every share kept."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from pyproj import Geod, Transformer
from shapely.geometry import Polygon

from hotspot_assets.hexgrid.cells import cell_polygons
from hotspot_assets.hexgrid.squares import NoLocalMetres, squares_over
from hotspot_assets.hexgrid.study_areas import StudyArea, from_cells
from hotspot_assets_tests.forecasting.towns import town


@pytest.fixture(scope="module")
def area() -> StudyArea:
    return town(rings=6, max_ring=1).area


def test_the_zone_is_that_of_the_place_and_names_the_grid(area: StudyArea) -> None:
    assert squares_over(area).grid_id == "squares-250m-EPSG:32630"  # 0.1 W: zone 30, from 6 W to 0
    assert squares_over(area, "EPSG:27700").grid_id == "squares-250m-EPSG:27700"


def test_corners_are_multiples_and_sides_are_250_metres_on_the_ground(area: StudyArea) -> None:
    grid = squares_over(area, "EPSG:27700")
    assert (grid.east % 250 == 0).all() and (grid.north % 250 == 0).all()
    (a, b, *_) = grid.outlines()[0]
    _, _, metres = Geod(ellps="WGS84").inv(*a, *b)
    assert metres == pytest.approx(250, rel=1e-3)


def test_shares_move_by_overlap(area: StudyArea) -> None:
    """One cell's share against the overlap of its true hexagon with each square, by polygons."""
    grid = squares_over(area, "EPSG:27700")
    to_metres = Transformer.from_crs("EPSG:4326", "EPSG:27700", always_xy=True)
    number = area.n // 2
    hexagon = Polygon([to_metres.transform(*point) for point in cell_polygons(area.cells[[number]])[0]])
    shares = np.zeros(area.n)
    shares[number] = 1.0
    for share, east, north in zip(grid.moved(shares), grid.east, grid.north, strict=True):
        square = Polygon([(east, north), (east + 250, north), (east + 250, north + 250), (east, north + 250)])
        assert share == pytest.approx(hexagon.intersection(square).area / hexagon.area, abs=0.06)


def test_the_sum_stays_and_a_pile_stays_in_its_place(area: StudyArea) -> None:
    grid = squares_over(area)
    shares = np.random.default_rng(1).dirichlet(np.ones(area.n))
    assert grid.moved(shares).sum() == pytest.approx(1.0, abs=1e-12)
    assert grid.parts.group_by("cell").agg(pl.col("part").sum())["part"].to_numpy() == pytest.approx(1.0)


def test_a_square_belongs_to_the_unit_of_most_of_it(area: StudyArea) -> None:
    grid = squares_over(area)
    half = area.n // 2
    units = pl.Series(["west"] * half + [None] * (area.n - half))
    names = grid.most_of(units)
    touched = set(grid.parts.filter(pl.col("cell") < half)["square"])
    assert set(np.flatnonzero(names.is_not_null().to_numpy())) == touched


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:2263", "somewhere"])
def test_what_is_not_in_metres_is_refused(area: StudyArea, crs: str) -> None:
    """Degrees, New York's feet, and no system at all."""
    with pytest.raises(NoLocalMetres):
        squares_over(from_cells(area.cells[:3], 10, "test", None), crs)

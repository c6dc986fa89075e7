from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from hotspot_assets.hexgrid.boundaries import read_boundaries
from hotspot_assets.simulation.city import (
    CENTRE,
    CitySpec,
    extent,
    to_degrees,
    to_metres,
    ward_outlines_m,
    write_wards,
)


@settings(max_examples=30)
@given(seed=st.integers(0, 2**31))
def test_wards_tile_the_city_without_gap_or_overlap(seed: int) -> None:
    shapes = shapely.polygons(ward_outlines_m(CitySpec(seed=seed)))
    city = shapely.union_all(shapes)
    assert shapely.is_valid(shapes).all()
    assert city.geom_type == "Polygon"
    assert len(city.interiors) == 0
    assert city.area == pytest.approx(sum(shape.area for shape in shapes), rel=1e-9)
    assert 0.6 * 14 * 9 < city.area / 1e6 < 14 * 9


@settings(max_examples=30)
@given(seed=st.integers(0, 2**31))
def test_every_ward_is_seen_whole_from_its_middle(seed: int) -> None:
    """Places in a ward are drawn from triangles about its middle: these may not overlap or stick out."""
    outlines = ward_outlines_m(CitySpec(seed=seed))
    arm = outlines - outlines.mean(axis=1, keepdims=True)
    following = np.roll(arm, -1, axis=1)
    assert (arm[..., 0] * following[..., 1] - arm[..., 1] * following[..., 0] > 0).all()


def test_the_ward_file_is_a_boundary_file_that_says_it_is_synthetic(tmp_path: Path) -> None:
    path = write_wards(CitySpec(), tmp_path / "reference" / "wards.geojson")
    units = read_boundaries(path).set_crs(None, allow_override=True)
    assert units["unit"].is_unique
    assert len(units) == 24
    whole = units.union_all()
    assert whole.geom_type == "Polygon"
    assert whole.area == pytest.approx(units.area.sum(), rel=1e-6)
    text = json.loads(path.read_text(encoding="utf-8"))
    assert "SYNTHETIC" in text["name"]
    assert {feature["properties"]["note"] for feature in text["features"]} == {"SYNTHETIC"}


def test_metres_and_degrees_are_two_names_of_one_place() -> None:
    places = np.random.default_rng(1).uniform(0, 9_000, size=(100, 2))
    back = to_metres(*to_degrees(places, CitySpec()), CitySpec())
    assert np.abs(back - places).max() < 0.12  # a millionth of a degree is 0.11 m
    centre = to_degrees(np.array([[7_000.0, 4_500.0]]), CitySpec())
    assert np.concatenate(centre).tolist() == list(CENTRE)


def test_a_kilometre_east_is_a_kilometre_on_the_ellipsoid() -> None:
    from pyproj import Geod

    lat, lng = to_degrees(np.array([[6_500.0, 4_500.0], [7_500.0, 4_500.0]]), CitySpec())
    metres = Geod(ellps="WGS84").inv(lng[0], lat[0], lng[1], lat[1])[2]
    assert metres == pytest.approx(1_000, rel=0.005)


def test_the_extent_holds_the_wards(ward_shapes: list[shapely.Polygon]) -> None:
    south, west, north, east = extent(CitySpec())
    assert shapely.box(west, south, east, north).contains(shapely.union_all(ward_shapes))

"""Named places and streets from files of a user, in another projection and with faults."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pytest
from shapely import LineString, Point, Polygon

from hotspot_assets.patrol.layers import LayerError, read_places, read_streets


def test_places_are_points_in_degrees(tmp_path: Path) -> None:
    """The foot of Nelson's Column in the British National Grid, and a park by a point within it."""
    park = Polygon([(530000, 180400), (530100, 180400), (530100, 180500), (530000, 180500)])
    layer = gpd.GeoDataFrame(
        {"Name": ["Column ", "Park", None]},
        geometry=[Point(530010, 180410), park, Point(530000, 180000)],
        crs="EPSG:27700",
    )
    layer.to_file(tmp_path / "places.gpkg")
    places = read_places(tmp_path / "places.gpkg")
    assert places["name"].to_list() == ["Column", "Park"]
    assert places["latitude"][0] == pytest.approx(51.5077, abs=0.0003)
    assert places["longitude"][0] == pytest.approx(-0.1279, abs=0.0003)


def test_streets_are_lines(tmp_path: Path) -> None:
    lines = [LineString([(0, 51), (0.1, 51)]), Point(0, 51)]
    gpd.GeoDataFrame({"a": [1, 2]}, geometry=lines, crs="EPSG:4326").to_file(tmp_path / "streets.geojson")
    assert read_streets(tmp_path / "streets.geojson").geom_type.to_list() == ["LineString"]


def test_layers_that_cannot_be_used(tmp_path: Path) -> None:
    points = gpd.GeoDataFrame({"a": [1]}, geometry=[Point(0, 51)], crs="EPSG:4326")
    points.to_file(tmp_path / "points.geojson")
    with pytest.raises(LayerError, match="no field 'name'"):
        read_places(tmp_path / "points.geojson")
    with pytest.raises(LayerError, match="no lines"):
        read_streets(tmp_path / "points.geojson")
    with pytest.raises(LayerError, match="cannot be read"):
        read_streets(tmp_path / "absent.gpkg")
    points.set_crs(None, allow_override=True).to_file(tmp_path / "bare.gpkg")
    with pytest.raises(LayerError, match="projection"):
        read_places(tmp_path / "bare.gpkg")

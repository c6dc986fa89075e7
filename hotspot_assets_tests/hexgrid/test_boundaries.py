from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from hotspot_assets.hexgrid.boundaries import BoundaryError, assign_units, read_boundaries, read_outline
from hotspot_assets.hexgrid.cells import cell_polygons
from hotspot_assets.hexgrid.study_areas import from_cells
from hotspot_assets_tests.hexgrid.areas import disk

WEST, EAST = shapely.box(-0.12, 51.49, -0.10, 51.51), shapely.box(-0.10, 51.49, -0.08, 51.51)


def wards(**columns: list[object]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(columns, geometry=[WEST, EAST], crs="EPSG:4326")


@pytest.mark.parametrize("suffix", ["geojson", "gpkg", "shp"])
def test_files_of_any_kind_and_projection_come_in_degrees(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"wards.{suffix}"
    crs = "EPSG:4326" if suffix == "geojson" else "EPSG:27700"
    wards(NAME=["West", "East"]).to_crs(crs).to_file(path)
    units = read_boundaries(path)
    assert units["unit"].tolist() == ["East", "West"]
    assert units.crs.to_epsg() == 4326
    # A metre, in degrees: the two transformations between the datums do not cancel to the millimetre.
    assert units.geometry.iloc[1].hausdorff_distance(WEST) < 1e-5


def test_the_field_of_names_may_be_stated_and_parts_of_one_name_are_one_unit(tmp_path: Path) -> None:
    path = tmp_path / "wards.geojson"
    wards(name=["a", "b"], beat_group=["7", "7"]).to_file(path)
    units = read_boundaries(path, "BEAT_GROUP")
    assert units["unit"].tolist() == ["7"]
    assert units.geometry.iloc[0].area == pytest.approx(WEST.area + EAST.area)


def test_a_polygon_that_crosses_itself_is_mended_and_one_without_a_name_left_out(tmp_path: Path) -> None:
    path = tmp_path / "wards.geojson"
    bow = shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])
    gpd.GeoDataFrame({"name": ["bow", None]}, geometry=[bow, WEST], crs="EPSG:4326").to_file(path)
    units = read_boundaries(path)
    assert units["unit"].tolist() == ["bow"]
    assert units.geometry.iloc[0].is_valid
    assert units.geometry.iloc[0].area == pytest.approx(0.5)


def test_an_outline_is_all_of_a_file_with_names_or_without(tmp_path: Path) -> None:
    path = tmp_path / "outline.gpkg"
    gpd.GeoDataFrame(geometry=[WEST, EAST], crs="EPSG:4326").to_crs("EPSG:3857").to_file(path)
    assert read_outline(path).area == pytest.approx(WEST.area + EAST.area)
    wards(name=["West", None]).to_file(path)
    assert read_outline(path).hausdorff_distance(shapely.union(WEST, EAST)) < 1e-9
    with pytest.raises(BoundaryError, match=r"missing\.gpkg cannot be read"):
        read_outline(tmp_path / "missing.gpkg")


@pytest.mark.filterwarnings("ignore:'crs' was not provided")
def test_what_cannot_be_used_is_said_with_the_file_and_the_fields(tmp_path: Path) -> None:
    with pytest.raises(BoundaryError, match=r"missing\.gpkg cannot be read"):
        read_boundaries(tmp_path / "missing.gpkg")
    path = tmp_path / "wards.geojson"
    wards(colour=["red", "blue"]).to_file(path)
    with pytest.raises(BoundaryError, match=r"no obvious field .* It has: colour"):
        read_boundaries(path)
    with pytest.raises(BoundaryError, match="no field 'ward'; it has: colour"):
        read_boundaries(path, "ward")
    points = tmp_path / "points.geojson"
    gpd.GeoDataFrame({"name": ["p"]}, geometry=[shapely.Point(0, 0)], crs="EPSG:4326").to_file(points)
    with pytest.raises(BoundaryError, match="holds no polygon"):
        read_boundaries(points)
    bare = tmp_path / "bare.shp"
    wards(name=["a", "b"]).set_crs(None, allow_override=True).to_file(bare)
    with pytest.raises(BoundaryError, match="does not state its projection"):
        read_boundaries(bare)


@settings(max_examples=20)
@given(seed=st.integers(0, 10_000))
def test_cells_go_to_the_unit_of_largest_overlap(seed: int) -> None:
    rng = np.random.default_rng(seed)
    points = shapely.multipoints(rng.uniform((-0.13, 51.485), (-0.07, 51.515), size=(8, 2)))
    pieces = shapely.get_parts(shapely.voronoi_polygons(points, extend_to=WEST))
    frame = shapely.box(-0.125, 51.49, -0.08, 51.51).difference(shapely.box(-0.105, 51.498, -0.1, 51.502))
    units = gpd.GeoDataFrame(
        {"unit": [f"u{i}" for i in range(len(pieces))]},
        geometry=shapely.intersection(pieces, frame),
        crs="EPSG:4326",
    )
    area = from_cells(disk(51.5, -0.1, 9, 9), 9, "disk")
    got = {cell: (unit, share) for cell, unit, share in assign_units(area, units).iter_rows()}
    for cell, ring in zip(area.cells.tolist(), cell_polygons(area.cells), strict=True):
        hexagon = shapely.Polygon(ring)
        shares = {
            unit: hexagon.intersection(shape).area / hexagon.area
            for unit, shape in zip(units["unit"], units.geometry, strict=True)
        }
        most = max(shares.values())
        if most == 0:
            assert cell not in got
        else:
            unit, share = got[cell]
            assert share == pytest.approx(most, abs=1e-9)
            assert shares[unit] == pytest.approx(most, abs=1e-9)


def test_a_tie_goes_to_the_first_name_and_touching_is_not_overlap() -> None:
    area = from_cells(disk(51.5, -0.1, 9, 0), 9, "cell")
    ring = shapely.Polygon(cell_polygons(area.cells)[0])
    beside = shapely.box(ring.bounds[2], 51.4, ring.bounds[2] + 0.1, 51.6)
    both = gpd.GeoDataFrame({"unit": ["b", "a"]}, geometry=[WEST.union(EAST)] * 2, crs="EPSG:4326")
    assert assign_units(area, both).rows() == [(int(area.cells[0]), "a", 1.0)]
    assert assign_units(
        area, gpd.GeoDataFrame({"unit": ["x"]}, geometry=[beside], crs="EPSG:4326")
    ).is_empty()

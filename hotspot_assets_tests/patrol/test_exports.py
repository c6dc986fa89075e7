"""Exports, read back by readers that did not write them: equal geometry, equal area, nothing half-written."""

from __future__ import annotations

import csv
import json
import re
import sqlite3
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import polars as pl
import pytest
import shapely

from hotspot_assets.hexgrid.cells import hex_to_cell
from hotspot_assets.patrol.areas import patrol_areas
from hotspot_assets.patrol.budgets import Budget
from hotspot_assets.patrol.exports import WARNING, write_exports
from hotspot_assets_tests.patrol.towns import DAY, ground_of, halves, surface_of, town

KML = "{http://www.opengis.net/kml/2.2}"


@pytest.fixture(scope="module")
def areas() -> pl.DataFrame:
    """Areas of two units, with a name that needs escaping."""
    area = town(5)
    prizes = np.random.default_rng(2).gamma(0.4, size=area.n)
    found = patrol_areas(surface_of(area, prizes), ground_of(area, Budget(0.15), halves(area)), DAY, "theft")
    return found.with_columns(
        name=pl.when(pl.col("rank") == 1).then(pl.lit('<Mill> & "Quay", Łódź')).otherwise("name"),
        forecast_id=pl.lit("f1"),
    )


@pytest.fixture(scope="module")
def folder(areas: pl.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("day") / "2014-06-02"
    paths = write_exports(areas, folder, "draft", synthetic=True)
    assert sorted(path.name for path in folder.iterdir()) == sorted(path.name for path in paths)
    return folder


def _outlines(areas: pl.DataFrame) -> dict[str, shapely.Geometry]:
    return dict(zip(areas["area_id"], shapely.from_wkt(areas["geometry"].to_list()), strict=True))


def _same(read: dict[str, shapely.Geometry], areas: pl.DataFrame) -> None:
    written = _outlines(areas)
    assert read.keys() == written.keys()
    for area_id, outline in read.items():
        assert outline.equals(written[area_id]), area_id
        assert outline.area == pytest.approx(written[area_id].area, rel=1e-12)


def test_geojson(areas: pl.DataFrame, folder: Path) -> None:
    read = json.loads((folder / "patrol_areas.geojson").read_text(encoding="utf-8"))
    assert "crs" not in read, "RFC 7946 knows one projection"
    _same({each["id"]: shapely.geometry.shape(each["geometry"]) for each in read["features"]}, areas)
    for each in read["features"]:
        assert each["properties"]["warning"] == WARNING
        assert (each["properties"]["status"], each["properties"]["data"]) == ("draft", "synthetic")
        outer = shapely.LinearRing(each["geometry"]["coordinates"][0])
        assert outer.is_ccw, "RFC 7946: outer rings run counter-clockwise"
        cells = hex_to_cell(each["properties"]["cells"])
        row = areas.row(by_predicate=pl.col("area_id") == each["id"], named=True)
        assert cells.tolist() == row["cells"]


def test_geopackage_by_sqlite_alone(areas: pl.DataFrame, folder: Path) -> None:
    connection = sqlite3.connect(folder / "patrol_areas.gpkg")
    rows = connection.execute("SELECT area_id, geom, area_km2 FROM patrol_areas").fetchall()
    (style,) = connection.execute(
        "SELECT styleQML FROM layer_styles WHERE f_table_name = 'patrol_areas'"
    ).fetchone()
    (srs,) = connection.execute("SELECT srs_id FROM gpkg_geometry_columns").fetchone()
    connection.close()
    assert srs == 4326
    assert ElementTree.fromstring(re.sub(r"<!DOCTYPE[^>]*>", "", style)).tag == "qgis"
    envelope_doubles = [0, 4, 6, 6, 8]
    read = {}
    for area_id, blob, _ in rows:
        header = 8 + 8 * envelope_doubles[blob[3] >> 1 & 7]
        read[area_id] = shapely.from_wkb(blob[header:])
    _same(read, areas)
    assert {area_id: km2 for area_id, _, km2 in rows} == dict(
        zip(areas["area_id"], areas["area_km2"], strict=True)
    )


def test_kml(areas: pl.DataFrame, folder: Path) -> None:
    root = ElementTree.parse(folder / "patrol_areas.kml").getroot()
    read, names = {}, set()
    for mark in root.iter(f"{KML}Placemark"):
        fields = {each.get("name"): each.findtext(f"{KML}value") for each in mark.iter(f"{KML}Data")}
        names.add(mark.findtext(f"{KML}name"))
        polygons = [
            shapely.Polygon(
                _ring(each.find(f"{KML}outerBoundaryIs")),
                [_ring(hole) for hole in each.iter(f"{KML}innerBoundaryIs")],
            )
            for each in mark.iter(f"{KML}Polygon")
        ]
        read[fields["area_id"]] = shapely.union_all(polygons)
    _same(read, areas)
    assert '<Mill> & "Quay", Łódź' in names


def _ring(element: ElementTree.Element | None) -> list[tuple[float, float]]:
    assert element is not None
    text = element.findtext(f"{KML}LinearRing/{KML}coordinates") or ""
    return [(float(lng), float(lat)) for lng, lat in (point.split(",") for point in text.split())]


def test_csv(areas: pl.DataFrame, folder: Path) -> None:
    with (folder / "patrol_areas.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    _same({row["area_id"]: shapely.from_wkt(row["outline_wkt"]) for row in rows}, areas)
    assert all(len(row["cells"].split()[0]) == 15 for row in rows)


def test_a_failed_write_leaves_the_old_file_and_no_rest(areas: pl.DataFrame, tmp_path: Path) -> None:
    write_exports(areas, tmp_path, "draft", synthetic=False)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(shapely.errors.GEOSException):
        write_exports(
            areas.with_columns(geometry=pl.lit("POLYGON ((1 2")), tmp_path, "draft", synthetic=False
        )
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_day_without_areas_has_files_too(areas: pl.DataFrame, tmp_path: Path) -> None:
    paths = write_exports(areas.clear(), tmp_path, "draft", synthetic=False)
    assert json.loads(paths[0].read_text())["features"] == []
    assert paths[3].read_text().startswith("forecast_date,shift,unit")
    assert sqlite3.connect(paths[1]).execute("SELECT count(*) FROM patrol_areas").fetchone() == (0,)

"""Exports: patrol areas as files for other programs.

Belongs here: GeoJSON (RFC 7946), GeoPackage with its style, KML and CSV, each written whole or not at all.
Not here: pictures and sheets (`maps`, `briefing`), and whether the areas may be handed out (`review`).
Cells leave as hexadecimal text: as numbers they exceed what JavaScript and spreadsheets can hold.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape, quoteattr

import polars as pl

from hotspot_assets.hexgrid.cells import cell_to_hex

if TYPE_CHECKING:
    import geopandas as gpd

LAYER = "patrol_areas"
EXPORTS = tuple(f"{LAYER}.{kind}" for kind in ("geojson", "gpkg", "kml", "csv"))
"""Names of the files, in the order in which they are written."""

WARNING = "A place list. Not grounds to stop, search or suspect anyone."
"""Stands on everything that leaves the system."""


def write_exports(areas: pl.DataFrame, folder: Path, status: str, synthetic: bool) -> list[Path]:
    """Write patrol areas as the files of `EXPORTS`; each appears complete or not at all.

    Parameters
    ----------
    areas
        Columns of patrol areas; may be empty.
    status
        "draft", "issued", ...: stands on each feature, as a file outlives its folder.

    Returns
    -------
    The paths, in that order. Equal areas give equal bytes of GeoJSON, KML and CSV.
    """
    table = _table(areas, status, "synthetic" if synthetic else "recorded incidents")
    folder.mkdir(parents=True, exist_ok=True)
    writers: tuple[Callable[[pl.DataFrame, Path], None], ...] = (
        _write_geojson,
        _write_geopackage,
        _write_kml,
        _write_csv,
    )
    return [_whole(folder / name, table, write) for name, write in zip(EXPORTS, writers, strict=True)]


def _table(areas: pl.DataFrame, status: str, data: str) -> pl.DataFrame:
    """One row per area in a fixed order, cells as text, with what must stand on each."""
    ordered = areas.sort("forecast_date", "shift", "unit", "offence_group", "rank")
    cells = [" ".join(cell_to_hex(cells)) for cells in ordered["cells"]]
    return ordered.with_columns(
        cells=pl.Series(cells, dtype=pl.String),
        status=pl.lit(status),
        data=pl.lit(data),
        warning=pl.lit(WARNING),
    )


def _whole(path: Path, table: pl.DataFrame, write: Callable[[pl.DataFrame, Path], None]) -> Path:
    """Write beside, then move into place; readers see the old file or the new one."""
    part = path.with_name(f".{os.getpid()}.part.{path.name}")
    try:
        write(table, part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return path


def _properties(row: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value.isoformat() if hasattr(value, "isoformat") else value
        for name, value in row.items()
        if name != "geometry"
    }


def _write_geojson(table: pl.DataFrame, path: Path) -> None:
    import shapely

    features = []
    for row in table.iter_rows(named=True):
        outline = shapely.orient_polygons(shapely.from_wkt(row["geometry"]))  # RFC 7946: right-hand rule
        properties = _properties(row) | {"cells": row["cells"].split()}
        geometry = json.loads(shapely.to_geojson(outline))
        features.append(
            {"type": "Feature", "id": row["area_id"], "geometry": geometry, "properties": properties}
        )
    collection = {"type": "FeatureCollection", "features": features}
    path.write_text(json.dumps(collection, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _write_csv(table: pl.DataFrame, path: Path) -> None:
    path.write_bytes(table.rename({"geometry": "outline_wkt"}).write_csv().encode())


def _write_kml(table: pl.DataFrame, path: Path) -> None:
    import shapely

    marks = []
    for row in table.iter_rows(named=True):
        outline = shapely.from_wkt(row["geometry"])
        polygons = "".join(_kml_polygon(part) for part in getattr(outline, "geoms", [outline]))
        fields = "".join(
            f"<Data name={quoteattr(name)}><value>{escape(str(value))}</value></Data>"
            for name, value in _properties(row).items()
        )
        marks.append(
            f"<Placemark><name>{escape(row['name'])}</name><description>{escape(row['why'])}</description>"
            f"<styleUrl>#area</styleUrl><ExtendedData>{fields}</ExtendedData>"
            f"<MultiGeometry>{polygons}</MultiGeometry></Placemark>\n"
        )
    style = (
        '<Style id="area"><LineStyle><color>ff000000</color><width>2</width></LineStyle>'
        "<PolyStyle><color>6666b8c8</color></PolyStyle></Style>"
    )
    head = '<?xml version="1.0" encoding="UTF-8"?>\n<kml xmlns="http://www.opengis.net/kml/2.2"><Document>'
    name = f"<name>{LAYER}</name><description>{escape(WARNING)}</description>"
    path.write_text(f"{head}{name}{style}\n{''.join(marks)}</Document></kml>\n", encoding="utf-8")


def _kml_polygon(polygon: Any) -> str:
    def ring(coordinates: Any) -> str:
        points = " ".join(f"{lng!r},{lat!r}" for lng, lat in coordinates)
        return f"<LinearRing><coordinates>{points}</coordinates></LinearRing>"

    inner = "".join(f"<innerBoundaryIs>{ring(hole.coords)}</innerBoundaryIs>" for hole in polygon.interiors)
    return f"<Polygon><outerBoundaryIs>{ring(polygon.exterior.coords)}</outerBoundaryIs>{inner}</Polygon>"


def _write_geopackage(table: pl.DataFrame, path: Path) -> None:
    """A GeoPackage that QGIS opens in the project's colours."""
    frame = _geo_frame(table)
    frame.to_file(
        path,
        driver="GPKG",
        layer=LAYER,
        engine="pyogrio",
        geometry_type="MultiPolygon",
        promote_to_multi=True,
    )
    connection = sqlite3.connect(path)
    try:
        with connection:
            connection.execute(_STYLE_TABLE)
            connection.execute(
                "INSERT INTO gpkg_contents (table_name, data_type, identifier)"
                " VALUES ('layer_styles', 'attributes', 'layer_styles')"
            )
            connection.execute(
                "INSERT INTO layer_styles"
                " (f_table_name, f_geometry_column, styleName, styleQML, useAsDefault)"
                " VALUES (?, 'geom', 'patrol areas', ?, 1)",
                (LAYER, _STYLE),
            )
    finally:
        connection.close()


def _geo_frame(table: pl.DataFrame) -> gpd.GeoDataFrame:
    import geopandas as gpd

    columns = table.drop("geometry").to_dict(as_series=False)
    outlines = gpd.GeoSeries.from_wkt(table["geometry"].to_list())
    return gpd.GeoDataFrame(columns, geometry=outlines, crs="EPSG:4326")


_STYLE_TABLE = """
CREATE TABLE layer_styles (
  id INTEGER PRIMARY KEY AUTOINCREMENT, f_table_catalog TEXT DEFAULT '', f_table_schema TEXT DEFAULT '',
  f_table_name TEXT, f_geometry_column TEXT, styleName TEXT, styleQML TEXT, styleSLD TEXT,
  useAsDefault BOOLEAN, description TEXT, owner TEXT, ui TEXT, update_time DATETIME DEFAULT CURRENT_TIMESTAMP)
"""

_STYLE = """<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>
<qgis version="3.28" styleCategories="Symbology|Labeling" labelsEnabled="1">
 <renderer-v2 type="singleSymbol"><symbols><symbol type="fill" name="0" alpha="1">
  <layer class="SimpleFill" enabled="1"><Option type="Map">
   <Option type="QString" name="color" value="200,184,102,110"/>
   <Option type="QString" name="outline_color" value="0,0,0,255"/>
   <Option type="QString" name="outline_width" value="0.6"/>
  </Option></layer></symbol></symbols></renderer-v2>
 <labeling type="simple"><settings>
  <text-style fieldName="rank" fontSize="10" textColor="0,0,0,255"/>
 </settings></labeling>
</qgis>
"""

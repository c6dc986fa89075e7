"""Boundaries: polygons from any boundary file, and the cells that belong to each.

Belongs here: reading outlines and units (wards, beats, boroughs) and assigning cells to units by true overlap. Not
here: what a unit may patrol (patrol).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from hotspot_assets.errors import UserError
from hotspot_assets.hexgrid.cells import cell_polygons
from hotspot_assets.hexgrid.study_areas import StudyArea

if TYPE_CHECKING:
    import geopandas as gpd

_NAME_FIELDS = ("name", "unit", "ward", "beat_num", "beat", "district", "community", "borough")


class BoundaryError(UserError):
    """A boundary file that cannot be used."""


def read_boundaries(path: Path, name_field: str | None = None) -> gpd.GeoDataFrame:
    """Polygons of a boundary file (GeoJSON, GeoPackage, Shapefile) in degrees, with their names in `unit`.

    Parts of one name are one unit; polygons without a name are left out. Without `name_field` an obvious one
    is taken (name, ward, beat, ...).

    Raises
    ------
    BoundaryError
        When the file, the field or the polygons are missing, or the projection is not stated.
    """
    polygons = _read_polygons(path)
    field = _name_field(polygons, name_field, path)
    named = polygons[polygons[field].notna()]
    named = named.assign(unit=named[field].astype(str).str.strip())[["unit", "geometry"]]
    return named.dissolve("unit", as_index=False)


def read_outline(path: Path) -> Any:
    """All polygons of a boundary file as one (multi)polygon in degrees, whether they have names or not.

    Raises
    ------
    BoundaryError
        When the file or the polygons are missing, or the projection is not stated.
    """
    return _read_polygons(path).union_all()


def _read_polygons(path: Path) -> gpd.GeoDataFrame:
    import geopandas as gpd
    import shapely

    try:
        frame = gpd.read_file(path)
    except Exception as error:  # pyogrio raises many kinds for a bad file
        raise BoundaryError(f"Boundary file {path} cannot be read: {error}") from error
    if frame.crs is None:
        raise BoundaryError(f"Boundary file {path} does not state its projection; save it again with one.")
    polygons = frame[frame.geometry.notna() & frame.geom_type.isin(["Polygon", "MultiPolygon"])]
    if polygons.empty:
        raise BoundaryError(f"Boundary file {path} holds no polygon.")
    shapes = shapely.make_valid(polygons.geometry.to_numpy(), method="structure", keep_collapsed=False)
    return polygons.set_geometry(gpd.GeoSeries(shapes, polygons.index, frame.crs)).to_crs("EPSG:4326")


def _name_field(frame: gpd.GeoDataFrame, wanted: str | None, path: Path) -> str:
    fields = {str(name).lower(): str(name) for name in frame.columns if name != "geometry"}
    found = next((name for name in ([wanted.lower()] if wanted else _NAME_FIELDS) if name in fields), None)
    if found is not None:
        return fields[found]
    there = ", ".join(fields.values()) or "none"
    if wanted is not None:
        raise BoundaryError(f"Boundary file {path} has no field {wanted!r}; it has: {there}.")
    raise BoundaryError(
        f"Boundary file {path} has no obvious field for names; state it in the settings. It has: {there}."
    )


def assign_units(area: StudyArea, boundaries: gpd.GeoDataFrame) -> pl.DataFrame:
    """Assign each cell to the unit that covers most of it.

    Parameters
    ----------
    area
        Study area that does not reach across the 180th meridian.
    boundaries
        As from `read_boundaries`.

    Returns
    -------
    pl.DataFrame
        `cell` UInt64, `unit` String, `share` Float64 of the cell's own area, by cell. Cells that overlap no
        unit are absent; a tie goes to the first name. Shares are taken in degrees within one cell, where a
        degree has one size to better than one in a thousand.
    """
    import shapely

    cells = np.array([shapely.Polygon(ring) for ring in cell_polygons(area.cells)], dtype=object)
    units: Any = boundaries.geometry.to_numpy()
    shapely.prepare(units)
    unit, cell = shapely.STRtree(cells).query(units, predicate="intersects")
    cut = ~shapely.contains_properly(units[unit], cells[cell])
    share = np.ones(len(cell))
    overlap = shapely.intersection(units[unit[cut]], cells[cell[cut]])
    share[cut] = shapely.area(overlap) / shapely.area(cells[cell[cut]])
    names = boundaries["unit"].to_numpy().astype(str)
    return (
        pl.DataFrame({"cell": area.cells[cell], "unit": names[unit], "share": share})
        .filter(pl.col("share") > 0)
        .sort("cell", "share", "unit", descending=[False, True, False])
        .unique("cell", keep="first", maintain_order=True)
    )

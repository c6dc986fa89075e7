"""Boundaries: polygons from any boundary file, and the cells that belong to each.

Belongs here: reading units (wards, beats, boroughs) and assigning cells to them by true overlap. Not here:
what a unit may patrol (patrol).
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

    Parts of one name are one unit. Without `name_field` an obvious one is taken (name, ward, beat, ...).

    Raises
    ------
    BoundaryError
        When the file, the field or the polygons are missing, or the projection is not stated.
    """
    import geopandas as gpd

    try:
        frame = gpd.read_file(path)
    except Exception as error:  # pyogrio raises many kinds for a bad file
        raise BoundaryError(f"Boundary file {path} cannot be read: {error}") from error
    if frame.crs is None:
        raise BoundaryError(f"Boundary file {path} does not state its projection; save it again with one.")
    polygons = frame[frame.geometry.notna() & frame.geom_type.isin(["Polygon", "MultiPolygon"])]
    if polygons.empty:
        raise BoundaryError(f"Boundary file {path} holds no polygon.")
    names = polygons[_name_field(polygons, name_field, path)].astype(str).str.strip()
    named = gpd.GeoDataFrame({"unit": names.to_numpy()}, geometry=polygons.geometry.make_valid().to_numpy(), crs=frame.crs)
    return named.to_crs("EPSG:4326").dissolve("unit", as_index=False)


def _name_field(frame: gpd.GeoDataFrame, wanted: str | None, path: Path) -> str:
    fields = {str(name).lower(): str(name) for name in frame.columns if name != "geometry"}
    if wanted is not None:
        if wanted.lower() not in fields:
            raise BoundaryError(f"Boundary file {path} has no field {wanted!r}; it has: {', '.join(fields.values())}.")
        return fields[wanted.lower()]
    for name in _NAME_FIELDS:
        if name in fields:
            return fields[name]
    raise BoundaryError(f"Boundary file {path}: name the field of the units' names in the settings; it has: {', '.join(fields.values())}.")


def assign_units(area: StudyArea, boundaries: gpd.GeoDataFrame) -> pl.DataFrame:
    """`cell, unit, share`: each cell with the unit that covers most of it, and how much (of the cell's area).

    Cells that touch no unit are absent; a tie goes to the first name. Shares are taken in degrees within one
    cell, where a degree has one size to better than one in a thousand.
    """
    import shapely

    polygons = np.array([shapely.Polygon(ring) for ring in cell_polygons(area.cells)], dtype=object)
    units: Any = boundaries.geometry.to_numpy()
    tree = shapely.STRtree(units)
    cell, unit = tree.query(polygons, predicate="intersects")
    whole = np.array(shapely.contains_properly(units[unit], polygons[cell]))
    share = np.ones(len(cell))
    cut = ~whole
    share[cut] = shapely.area(shapely.intersection(units[unit[cut]], polygons[cell[cut]])) / shapely.area(polygons[cell[cut]])
    names = boundaries["unit"].to_numpy().astype(str)
    overlaps = pl.DataFrame({"cell": area.cells[cell], "unit": names[unit], "share": share}).filter(pl.col("share") > 0)
    return overlaps.sort("cell", pl.col("share"), "unit", descending=[False, True, False]).unique("cell", keep="first", maintain_order=True)

"""Layers that make areas and sheets readable: named places and streets, from a user's files.

Belongs here: reading them in any format and projection. Not here: exclusions (`exclusions`), boundaries (hexgrid).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from hotspot_assets.errors import UserError

if TYPE_CHECKING:
    import geopandas as gpd


class LayerError(UserError):
    """A layer that cannot be used."""


def read_places(path: Path) -> pl.DataFrame:
    """Named places (points, or other shapes by a point within them): name, latitude, longitude.

    Raises
    ------
    LayerError
        When the file cannot be read, or has no field `name`.
    """
    layer = _read(path)
    field = next((str(each) for each in layer.columns if str(each).lower() == "name"), None)
    if field is None:
        raise LayerError(f"Layer {path} has no field 'name' to call places by.")
    named = layer[layer[field].notna() & layer.geometry.notna()]
    points = named.geometry.representative_point()
    names = named[field].astype(str).str.strip().to_list()
    return pl.DataFrame({"name": names, "latitude": points.y.to_list(), "longitude": points.x.to_list()})


def read_streets(path: Path) -> gpd.GeoDataFrame:
    """The lines of a layer, in degrees. Raises LayerError when it cannot be read or holds none."""
    layer = _read(path)
    lines = layer[layer.geom_type.isin(["LineString", "MultiLineString"])]
    if lines.empty:
        raise LayerError(f"Layer {path} holds no lines to draw as streets.")
    return lines


def _read(path: Path) -> Any:
    import geopandas as gpd

    try:
        layer = gpd.read_file(path)
    except Exception as error:  # pyogrio raises many kinds for a bad file
        raise LayerError(f"Layer {path} cannot be read: {error}") from error
    if layer.crs is None:
        raise LayerError(f"Layer {path} does not state its projection; save it again with one.")
    return layer.to_crs("EPSG:4326")

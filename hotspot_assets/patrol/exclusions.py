"""Exclusions: ground that is not patrolled, with a reason and the days on which that holds.

Belongs here: reading a layer of exclusions and finding the cells it takes out on a day. Not here: leaving
them out (`ground`) and what that costs (`ground.exclusion_effect`).
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from hotspot_assets.errors import UserError
from hotspot_assets.hexgrid.boundaries import assign_units
from hotspot_assets.hexgrid.study_areas import StudyArea

if TYPE_CHECKING:
    import geopandas as gpd

LEAST_SHARE = 0.5
"""A cell is left out when at least this share of it lies in an excluded polygon."""


class ExclusionError(UserError):
    """A layer of exclusions that cannot be used."""


def read_exclusions(path: Path) -> gpd.GeoDataFrame:
    """Read a layer of polygons (any format, any projection) with the fields reason, valid_from, valid_to.

    Dates are ISO 8601; an empty one leaves that end open.

    Returns
    -------
    Columns unit (the reason), valid_from, valid_to (date or None), geometry in degrees.

    Raises
    ------
    ExclusionError
        When the file or a field is missing, a reason is empty, or a date is none.
    """
    import geopandas as gpd

    try:
        layer = gpd.read_file(path)
    except Exception as error:  # pyogrio raises many kinds for a bad file
        raise ExclusionError(f"Exclusions {path} cannot be read: {error}") from error
    missing = [name for name in ("reason", "valid_from", "valid_to") if name not in layer.columns]
    if missing or layer.crs is None:
        raise ExclusionError(f"Exclusions {path} lack {', '.join(missing) or 'their projection'}.")
    reasons = ["" if each is None else str(each).strip() for each in layer["reason"]]
    if not all(reasons):
        raise ExclusionError(f"Exclusions {path}: each polygon needs a reason.")
    fields = {
        "unit": reasons,
        "valid_from": [_date(each, path) for each in layer["valid_from"]],
        "valid_to": [_date(each, path) for each in layer["valid_to"]],
    }
    made = gpd.GeoDataFrame(fields, geometry=layer.geometry.make_valid().to_numpy(), crs=layer.crs)
    return made.to_crs("EPSG:4326")


def _date(value: Any, path: Path) -> date | None:
    text = "" if value is None else str(value).strip()
    if text in {"", "None", "NaT", "nan"}:
        return None
    try:
        return date.fromisoformat(text[:10])
    except ValueError as error:
        raise ExclusionError(f"Exclusions {path}: {text!r} is no date; write 2014-06-02.") from error


def in_force(layer: gpd.GeoDataFrame, day: date) -> tuple[bool, ...]:
    """Which polygons hold on a day; the last day of validity is included."""
    return tuple(
        (begins is None or begins <= day) and (ends is None or day <= ends)
        for begins, ends in zip(layer["valid_from"], layer["valid_to"], strict=True)
    )


def excluded_cells(layer: gpd.GeoDataFrame, area: StudyArea, day: date) -> pl.DataFrame:
    """Cells left out on a day: cell (UInt64), reason (String)."""
    valid = layer[list(in_force(layer, day))]
    if valid.empty:
        return pl.DataFrame(schema={"cell": pl.UInt64, "reason": pl.String})
    found = assign_units(area, valid[["unit", "geometry"]].dissolve("unit", as_index=False))
    return found.filter(pl.col("share") >= LEAST_SHARE).select("cell", reason="unit")

"""Cells: coordinates to H3 cells and back, on columns.

Belongs here: assigning cells, their centres, outlines, true areas and text form. Not here: which cells belong
together (`study_areas`) and which lie beside each other (`neighbours`).
"""

from __future__ import annotations

from collections.abc import Sequence

import h3
import numpy as np
import numpy.typing as npt
import polars as pl
import polars_h3 as plh3

CellArray = npt.NDArray[np.uint64]


def with_cells(frame: pl.DataFrame, resolution: int) -> pl.DataFrame:
    """The frame with a column `cell` (UInt64) from `latitude` and `longitude`; null where either is null."""
    placed = pl.col("latitude").is_not_null() & pl.col("longitude").is_not_null()
    cell = plh3.latlng_to_cell("latitude", "longitude", resolution, return_dtype=pl.UInt64)
    return frame.with_columns(cell=pl.when(placed).then(cell))


def cell_to_hex(cells: Sequence[int] | CellArray) -> list[str]:
    """Cells as hexadecimal text: their form everywhere outside the lake, as they exceed 2^53."""
    return [f"{int(cell):x}" for cell in cells]


def hex_to_cell(texts: Sequence[str]) -> CellArray:
    """Cells from their hexadecimal text. Raises ValueError for text that is no H3 cell."""
    for text in texts:
        if not h3.is_valid_cell(text):
            raise ValueError(f"{text!r} is no H3 cell; write it as 15 hexadecimal digits")
    return np.array([int(text, 16) for text in texts], dtype=np.uint64)


def centres(cells: CellArray) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Latitudes and longitudes of cell centres, degrees."""
    frame = pl.DataFrame({"cell": cells}).select(lat=plh3.cell_to_lat("cell"), lng=plh3.cell_to_lng("cell"))
    return frame["lat"].to_numpy(), frame["lng"].to_numpy()


def cell_polygons(cells: Sequence[int] | CellArray) -> list[list[tuple[float, float]]]:
    """Outline of each cell as a closed ring of (longitude, latitude)."""
    rings = []
    for cell in cell_to_hex(cells):
        ring = [(lng, lat) for lat, lng in h3.cell_to_boundary(cell)]
        rings.append([*ring, ring[0]])
    return rings


def corners(cells: CellArray) -> pl.DataFrame:
    """Corners of cells in order, a row each: `at` (position in `cells`), `lng`, `lat` (degrees)."""
    frame = pl.DataFrame({"cell": cells}).with_row_index("at")
    points = frame.select("at", point=plh3.cell_to_boundary("cell")).explode("point", empty_as_null=False)
    return points.select("at", lng=pl.col("point").list.get(1), lat=pl.col("point").list.get(0))


def cell_areas_km2(cells: CellArray) -> npt.NDArray[np.float64]:
    """True area of each cell; the resolution's average can be 10 % off."""
    return pl.DataFrame({"cell": cells}).select(plh3.cell_area("cell", "km^2")).to_series().to_numpy()

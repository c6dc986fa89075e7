"""Study areas: the cells that forecasts cover, named by what they contain.

Belongs here: a set of cells of one resolution with their true areas, and the ways of finding one. Not here:
which incidents may be used to find it (the caller's point in time).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import polars_h3 as plh3
from h3.api import numpy_int

from hotspot_assets.errors import UserError
from hotspot_assets.hexgrid.cells import CellArray, cell_areas_km2, centres, corners

MARGIN_RINGS = 1
"""Rings around the cells with incidents that belong to a study area too."""


class EmptyStudyAreaError(UserError):
    """A study area without cells."""


@dataclass(frozen=True, eq=False)
class StudyArea:
    """Cells of one resolution, ascending, with their true areas; everything per cell is aligned with `cells`.

    `study_area_id` is a hash of resolution and cells, so the same cells are the same study area however
    they were found.
    """

    study_area_id: str
    resolution: int
    cells: CellArray
    area_km2: npt.NDArray[np.float64]
    method: str
    as_of: date | None

    @property
    def n(self) -> int:
        """Number of cells."""
        return len(self.cells)

    @cached_property
    def total_area_km2(self) -> float:
        """Sum of the true areas."""
        return float(self.area_km2.sum())

    @cached_property
    def least_spacing_m(self) -> float:
        """No centres of adjacent cells lie closer: as in a regular grid of the smallest cell, less a tenth.

        The tenth is for the distortion of the grid.
        """
        return float(1000.0 * np.sqrt(self.area_km2.min() * 2 / np.sqrt(3)) / 1.1)

    @cached_property
    def centres(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Latitudes and longitudes of the cells' centres, degrees."""
        return centres(self.cells)

    @cached_property
    def corners(self) -> pl.DataFrame:
        """The cells' corners, see `cells.corners`: pictures of a day all need them."""
        return corners(self.cells)

    def index_of(self, cells: CellArray) -> npt.NDArray[np.int64]:
        """Position of each cell in `self.cells`; -1 outside."""
        wanted = pl.DataFrame({"cell": np.asarray(cells, dtype=np.uint64)})
        found = wanted.join(self._positions, on="cell", how="left", maintain_order="left")
        return found["at"].fill_null(-1).to_numpy()

    @cached_property
    def _positions(self) -> pl.DataFrame:
        return pl.DataFrame({"cell": self.cells, "at": np.arange(self.n)})


def from_cells(cells: CellArray, resolution: int, method: str, as_of: date | None = None) -> StudyArea:
    """A study area of the given cells, in any order and with repeats.

    Raises
    ------
    EmptyStudyAreaError
        When there is no cell.
    """
    distinct = np.unique(np.asarray(cells, dtype=np.uint64))
    if len(distinct) == 0:
        raise EmptyStudyAreaError(
            "The study area has no cell: give a boundary that holds the centre of one, or placed incidents."
        )
    digest = hashlib.sha256(f"h3 {resolution}\n".encode() + distinct.astype("<u8").tobytes()).hexdigest()
    return StudyArea(digest[:16], resolution, distinct, cell_areas_km2(distinct), method, as_of)


def from_boundary(geometry: Any, resolution: int) -> StudyArea:
    """The cells whose centre lies inside a (multi)polygon given in degrees (EPSG:4326)."""
    cells = numpy_int.h3shape_to_cells(numpy_int.geo_to_h3shape(geometry), resolution)
    return from_cells(cells, resolution, "boundary")


def from_incidents(cells: CellArray, resolution: int, as_of: date) -> StudyArea:
    """Occupied cells and those within `MARGIN_RINGS` of them.

    The caller gives only cells of incidents before `as_of`.
    """
    occupied = pl.DataFrame({"cell": np.unique(np.asarray(cells, dtype=np.uint64))})
    disk = occupied.select(plh3.grid_disk("cell", MARGIN_RINGS).explode())
    method = f"cells with incidents before {as_of}, and {MARGIN_RINGS} ring(s) around them"
    return from_cells(disk.to_series().drop_nulls().to_numpy(), resolution, method, as_of)

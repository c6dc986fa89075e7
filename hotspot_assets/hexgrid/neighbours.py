"""Neighbours: which cells of a study area lie how far from each other, built once and kept.

Belongs here: ring distances and metres between cell centres as sparse matrices. Not here: weights by
distance (forecasting). Pairs that would leave the study area are absent.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import h3
import numpy as np
import numpy.typing as npt
import polars as pl
import polars_h3 as plh3

from hotspot_assets.hexgrid.cells import CellArray, cell_to_hex, centres, hex_to_cell
from hotspot_assets.hexgrid.study_areas import StudyArea

if TYPE_CHECKING:
    from scipy.sparse import csr_array

EARTH_RADIUS_M = 6_371_007.180918475
"""Authalic radius of WGS 84, the sphere H3 lies on."""

_PAIRS_AT_A_TIME = 1 << 16
"""So few that what is computed of them stays in the processor's cache."""


@dataclass(frozen=True, eq=False)
class Neighbours:
    """Pairs of cells within `max_ring` rings of each other.

    `ring` (int8, CSR) holds the ring plus one, so that the own cell is stored too; `distance_m` has the same
    pairs in the same order. Rows and columns are aligned with the study area's cells, indices ascend.
    """

    study_area_id: str
    max_ring: int
    ring: csr_array[np.int8]
    distance_m: csr_array[np.float64]


def neighbours(area: StudyArea, max_ring: int) -> Neighbours:
    """All pairs of the area's cells within `max_ring` rings.

    The twelve pentagons of a resolution lie at sea; around one the rings have five sides, and come from the
    official binding, cell by cell, because rings on columns fail there.
    """
    pairs = [*_pairs_on_columns(area, max_ring), *_pairs_near_pentagons(area, max_ring)]
    row, column, value = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
    order = np.lexsort((column, row))
    ends = np.searchsorted(row[order], np.arange(area.n + 1)).astype(np.int32)
    return _of(area, max_ring, value[order], column[order].astype(np.int32), ends)


def at_edge(area: StudyArea) -> npt.NDArray[np.bool_]:
    """Which cells touch a cell outside the study area, aligned with `area.cells`.

    What happens beyond the edge is not counted, so scores near it lean on half a neighbourhood.
    """
    inside = np.diff(neighbours(area, 1).ring.indptr) - 1
    pentagon = pl.DataFrame({"cell": area.cells}).select(plh3.is_pentagon("cell")).to_series().to_numpy()
    return inside < np.where(pentagon, 5, 6)


_Pairs = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int8]]


def _pairs_on_columns(area: StudyArea, max_ring: int) -> Iterator[_Pairs]:
    rows = np.flatnonzero(~_near_pentagon(area, max_ring))
    cells = pl.DataFrame({"row": rows, "cell": area.cells[rows]})
    for ring in range(max_ring + 1):
        near = cells.select("row", plh3.grid_ring("cell", ring).alias("near"))
        around = near.explode("near", empty_as_null=False, keep_nulls=False)
        yield _inside(area, around["row"].to_numpy(), around["near"].to_numpy(), ring)


def _pairs_near_pentagons(area: StudyArea, max_ring: int) -> Iterator[_Pairs]:
    for row in np.flatnonzero(_near_pentagon(area, max_ring)):
        cell = cell_to_hex(area.cells[row : row + 1])[0]
        for ring in range(max_ring + 1):
            near = hex_to_cell(h3.grid_ring(cell, ring))
            yield _inside(area, np.full(len(near), row), near, ring)


def _near_pentagon(area: StudyArea, max_ring: int) -> npt.NDArray[np.bool_]:
    pentagons = pl.DataFrame({"cell": hex_to_cell(h3.get_pentagons(area.resolution))})
    disks = pentagons.select(plh3.grid_disk("cell", max_ring).explode()).to_series().drop_nulls()
    return np.isin(area.cells, disks.to_numpy())


def _inside(area: StudyArea, rows: npt.NDArray[np.int64], near: CellArray, ring: int) -> _Pairs:
    columns = area.index_of(near)
    inside = columns >= 0
    return rows[inside], columns[inside], np.full(int(inside.sum()), ring + 1, dtype=np.int8)


def _of(
    area: StudyArea,
    max_ring: int,
    ring: npt.NDArray[np.int8],
    columns: npt.NDArray[np.int32],
    ends: npt.NDArray[np.int32],
) -> Neighbours:
    from scipy.sparse import csr_array

    rows = np.repeat(np.arange(area.n), np.diff(ends))
    metres = _metres(area, rows, columns)
    shape = (area.n, area.n)
    return Neighbours(
        area.study_area_id,
        max_ring,
        csr_array((ring, columns, ends), shape=shape),
        csr_array((metres, columns, ends), shape=shape),
    )


def _metres(
    area: StudyArea, rows: npt.NDArray[np.int64], columns: npt.NDArray[np.int32]
) -> npt.NDArray[np.float64]:
    """Great-circle distance between centres, by the chord through the sphere; some pairs at a time."""
    lat, lng = (np.radians(values) for values in centres(area.cells))
    on_unit_sphere = (np.cos(lat) * np.cos(lng), np.cos(lat) * np.sin(lng), np.sin(lat))
    metres = np.empty(len(rows))
    for start in range(0, len(rows), _PAIRS_AT_A_TIME):
        pairs = slice(start, start + _PAIRS_AT_A_TIME)
        row, column = rows[pairs], columns[pairs]
        squares = sum((along[row] - along[column]) ** 2 for along in on_unit_sphere)
        metres[pairs] = 2 * EARTH_RADIUS_M * np.arcsin(np.minimum(np.sqrt(squares) / 2, 1.0))
    return metres


def save(near: Neighbours, path: Path) -> None:
    """Write to an .npz file; it appears complete or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    with part.open("wb") as file:
        np.savez(
            file,
            study_area_id=np.array(near.study_area_id),
            max_ring=np.array(near.max_ring),
            ring=near.ring.data,
            columns=near.ring.indices,
            ends=near.ring.indptr,
        )
    part.replace(path)


def load(path: Path, area: StudyArea) -> Neighbours:
    """Read what `save` wrote. Raises ValueError if it was made for another study area."""
    with np.load(path, allow_pickle=False) as stored:
        if str(stored["study_area_id"]) != area.study_area_id:
            raise ValueError(f"{path} was made for another study area")
        return _of(area, int(stored["max_ring"]), stored["ring"], stored["columns"], stored["ends"])

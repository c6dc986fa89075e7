"""Neighbours: which cells of a study area lie how far from each other, built once and kept.

Belongs here: ring distances and metres between cell centres as sparse matrices. Not here: weights by
distance (forecasting). Pairs that would leave the study area are absent.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

import h3
import numpy as np
import numpy.typing as npt
import polars as pl
import polars_h3 as plh3

from hotspot_assets.hexgrid.carrying import carried
from hotspot_assets.hexgrid.cells import CellArray, cell_to_hex, hex_to_cell
from hotspot_assets.hexgrid.study_areas import StudyArea

if TYPE_CHECKING:
    from scipy.sparse import csr_array

EARTH_RADIUS_M = 6_371_007.180918475
"""Authalic radius of WGS 84, the sphere H3 lies on."""

_ROWS_AT_A_TIME = 2048
"""Cells whose rings are drawn together: enough that the calls themselves cost little."""

_PAIRS_AT_A_TIME = 1 << 16
"""So few that what is computed of them stays in the processor's cache."""


@dataclass(frozen=True, eq=False)
class Neighbours:
    """Pairs of cells within `max_ring` rings of each other; rows and columns aligned with the area's `cells`.

    `ring` (int8, CSR, indices ascend) holds the ring plus one, so that the own cell is stored too.
    `points_m` (axes, cells) are the centres in space: on a sphere of `radius_m`, or on a plane if that is
    infinite. Distances follow from them when asked for: stored, they would take twice the room of the rings.
    The same cell has the same centre in every study area of a process: what is made of pairs is carried from one
    area to the next by their cells.
    """

    study_area_id: str
    cells: CellArray
    max_ring: int
    ring: csr_array[np.int8]
    points_m: npt.NDArray[np.float64]
    radius_m: float = EARTH_RADIUS_M

    def metres(
        self, row: npt.NDArray[np.integer], column: npt.NDArray[np.integer]
    ) -> npt.NDArray[np.float64]:
        """Distance between centres along the surface, pair by pair."""
        squares = sum((along[row] - along[column]) ** 2 for along in self.points_m)
        chord = np.sqrt(squares)
        if math.isinf(self.radius_m):
            return np.asarray(chord)
        return np.asarray(2 * self.radius_m * np.arcsin(np.minimum(chord / (2 * self.radius_m), 1.0)))

    def pairs(self, within: int) -> Iterator[Pairs]:
        """Pairs within so many rings, some rows at a time, in the order of `ring`."""
        ends, cells = self.ring.indptr, self.ring.shape[0]
        rows = max(1, _PAIRS_AT_A_TIME * cells // max(self.ring.nnz, 1))
        for start in range(0, cells, rows):
            stop = min(start + rows, cells)
            where = slice(ends[start], ends[stop])
            row = np.repeat(np.arange(start, stop), np.diff(ends[start : stop + 1]))
            pairs = Pairs(row, self.ring.indices[where], self.ring.data[where].astype(np.int64) - 1)
            if within < self.max_ring:
                kept = np.flatnonzero(pairs.ring <= within)
                pairs = Pairs(pairs.row[kept], pairs.column[kept], pairs.ring[kept])
            yield pairs

    @cached_property
    def next_door_m(self) -> npt.NDArray[np.float64]:
        """Distances between the centres of cells that touch; each pair counts in both directions."""
        where = np.flatnonzero(self.ring.data == 2)
        row = np.searchsorted(self.ring.indptr, where, side="right") - 1
        return self.metres(row, self.ring.indices[where])


@dataclass(frozen=True, eq=False)
class Pairs:
    """Some pairs of cells: positions of both, and the ring of one around the other."""

    row: npt.NDArray[np.int64]
    column: npt.NDArray[np.int32]
    ring: npt.NDArray[np.int64]


def neighbours(area: StudyArea, max_ring: int, like: Neighbours | None = None) -> Neighbours:
    """All pairs of the area's cells within `max_ring` rings; quicker from those of an area much `like` it.

    The twelve pentagons of a resolution lie at sea; around one the rings have five sides, and come from the
    official binding, cell by cell, because rings on columns fail there.
    """
    pentagonal = _near_pentagon(area, max_ring)
    rings = None
    if like is not None and like.max_ring == max_ring:
        rings = carried(like.ring, like.cells, area.cells, partial(_rings_of, area, pentagonal, max_ring))
    return _of(
        area, max_ring, _rings_of(area, pentagonal, max_ring, np.arange(area.n)) if rings is None else rings
    )


def _rings_of(
    area: StudyArea, pentagonal: npt.NDArray[np.bool_], max_ring: int, rows: npt.NDArray[np.int64]
) -> csr_array[np.int8]:
    """Rows of the matrix of rings, plus one; `rows` ascend."""
    from scipy.sparse import csr_array

    blocks = [
        _block(area, rows[start : start + _ROWS_AT_A_TIME], pentagonal, max_ring)
        for start in range(0, len(rows), _ROWS_AT_A_TIME)
    ]
    nothing = (np.zeros(0, np.int64), np.zeros(0, np.int32), np.zeros(0, np.int8))
    lengths, columns, rings = (np.concatenate(parts) for parts in zip(nothing, *blocks, strict=True))
    ends = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    return csr_array((rings, columns, ends), shape=(len(rows), area.n))


def at_edge(area: StudyArea) -> npt.NDArray[np.bool_]:
    """Which cells touch a cell outside the study area, aligned with `area.cells`.

    What happens beyond the edge is not counted, so scores near it lean on half a neighbourhood.
    """
    inside = np.diff(neighbours(area, 1).ring.indptr) - 1
    pentagon = pl.DataFrame({"cell": area.cells}).select(plh3.is_pentagon("cell")).to_series().to_numpy()
    return inside < np.where(pentagon, 5, 6)


def _block(
    area: StudyArea, rows: npt.NDArray[np.int64], pentagonal: npt.NDArray[np.bool_], max_ring: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32], npt.NDArray[np.int8]]:
    """Of some rows: how many pairs each has, their columns, and their rings plus one."""
    parts = [
        *_pairs_on_columns(area, rows[~pentagonal[rows]], max_ring),
        *_pairs_near_pentagons(area, rows[pentagonal[rows]], max_ring),
    ]
    keys, values = (np.concatenate(each) for each in zip(*parts, strict=True))
    order = np.argsort(keys)
    keys = keys[order]
    lengths = np.searchsorted(keys, (rows + 1) * area.n) - np.searchsorted(keys, rows * area.n)
    return lengths, (keys % area.n).astype(np.int32), values[order]


_Keyed = tuple[npt.NDArray[np.int64], npt.NDArray[np.int8]]
"""Row times the number of cells plus column, and the ring plus one."""


def _pairs_on_columns(area: StudyArea, rows: npt.NDArray[np.int64], max_ring: int) -> Iterator[_Keyed]:
    cells = pl.DataFrame({"row": rows, "cell": area.cells[rows]})
    for ring in range(max_ring + 1):
        near = cells.select("row", plh3.grid_ring("cell", ring).alias("near"))
        around = near.explode("near", empty_as_null=False, keep_nulls=False)
        yield _inside(area, around["row"].to_numpy(), around["near"].to_numpy(), ring)


def _pairs_near_pentagons(area: StudyArea, rows: npt.NDArray[np.int64], max_ring: int) -> Iterator[_Keyed]:
    for row in rows:
        cell = cell_to_hex(area.cells[row : row + 1])[0]
        for ring in range(max_ring + 1):
            near = hex_to_cell(h3.grid_ring(cell, ring))
            yield _inside(area, np.full(len(near), row), near, ring)


def _near_pentagon(area: StudyArea, max_ring: int) -> npt.NDArray[np.bool_]:
    pentagons = pl.DataFrame({"cell": hex_to_cell(h3.get_pentagons(area.resolution))})
    disks = pentagons.select(plh3.grid_disk("cell", max_ring).explode()).to_series().drop_nulls()
    return np.isin(area.cells, disks.to_numpy())


def _inside(area: StudyArea, rows: npt.NDArray[np.int64], near: CellArray, ring: int) -> _Keyed:
    columns = area.index_of(near)
    inside = columns >= 0
    return (rows * area.n + columns)[inside], np.full(int(inside.sum()), ring + 1, dtype=np.int8)


def _of(area: StudyArea, max_ring: int, rings: csr_array[np.int8]) -> Neighbours:
    lat, lng = (np.radians(values) for values in area.centres)
    on_unit_sphere = np.stack([np.cos(lat) * np.cos(lng), np.cos(lat) * np.sin(lng), np.sin(lat)])
    return Neighbours(area.study_area_id, area.cells, max_ring, rings, on_unit_sphere * EARTH_RADIUS_M)


def save(near: Neighbours, path: Path) -> None:
    """Write arrays in NumPy's format, one after the other; the file appears complete or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    with part.open("wb") as file:
        for array in (
            np.array(near.study_area_id),
            np.array(near.max_ring),
            near.ring.data,
            near.ring.indices,
            near.ring.indptr,
        ):
            np.save(file, array, allow_pickle=False)
    try:
        part.replace(path)
    except PermissionError:  # Windows, where another process reads what it has written meanwhile
        part.unlink(missing_ok=True)
        if not path.exists():
            raise


def load(path: Path, area: StudyArea) -> Neighbours:
    """Read what `save` wrote. Raises ValueError if it was made for another study area."""
    from scipy.sparse import csr_array

    with path.open("rb") as file:
        if str(np.load(file, allow_pickle=False)) != area.study_area_id:
            raise ValueError(f"{path} was made for another study area")
        max_ring, ring, columns, ends = (np.load(file, allow_pickle=False) for _ in range(4))
    return _of(area, int(max_ring), csr_array((ring, columns, ends), shape=(area.n, area.n)))

"""Neighbours: which cells of a study area lie how far from each other, built once and kept.

Belongs here: ring distances and metres between cell centres as sparse matrices. Not here: weights by
distance (forecasting). Pairs that would leave the study area are absent.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import polars as pl
import polars_h3 as plh3

from hotspot_assets.hexgrid.cells import centres
from hotspot_assets.hexgrid.study_areas import StudyArea

if TYPE_CHECKING:
    from scipy.sparse import csr_array

EARTH_RADIUS_M = 6_371_007.180918475
"""Authalic radius of WGS 84, the sphere H3 lies on."""


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
    """All pairs of the area's cells within `max_ring` rings."""
    rows, columns, rings = [], [], []
    for ring in range(max_ring + 1):
        pairs = _pairs(area, ring)
        rows.append(pairs[0])
        columns.append(pairs[1])
        rings.append(np.full(len(pairs[0]), ring + 1, dtype=np.int8))
    row, column, value = np.concatenate(rows), np.concatenate(columns), np.concatenate(rings)
    order = np.lexsort((column, row))
    row, column, value = row[order], column[order], value[order]
    ends = np.searchsorted(row, np.arange(area.n + 1)).astype(np.int32)
    return _of(area, max_ring, value, column.astype(np.int32), ends)


def _pairs(area: StudyArea, ring: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    around = (
        pl.DataFrame({"row": np.arange(area.n), "cell": area.cells})
        .select("row", plh3.grid_ring("cell", ring).alias("near"))
        .explode("near")
        .drop_nulls()
    )
    column = area.index_of(around["near"].to_numpy())
    inside = column >= 0
    return around["row"].to_numpy()[inside], column[inside]


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
    """Great-circle distance between centres (haversine)."""
    lat, lng = (np.radians(values) for values in centres(area.cells))
    half_lat = np.sin((lat[rows] - lat[columns]) / 2) ** 2
    half_lng = np.sin((lng[rows] - lng[columns]) / 2) ** 2
    chord = half_lat + np.cos(lat[rows]) * np.cos(lat[columns]) * half_lng
    metres: npt.NDArray[np.float64] = 2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.minimum(chord, 1.0)))
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
    os.replace(part, path)


def load(path: Path, area: StudyArea) -> Neighbours:
    """Read what `save` wrote. Raises ValueError if it was made for another study area."""
    with np.load(path, allow_pickle=False) as stored:
        if str(stored["study_area_id"]) != area.study_area_id:
            raise ValueError(f"{path} was made for another study area")
        return _of(area, int(stored["max_ring"]), stored["ring"], stored["columns"], stored["ends"])

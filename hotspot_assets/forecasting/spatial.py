"""Spreading over space: a spatial profile as a sparse matrix over the cells of a study area.

Belongs here: building the matrix from rings and distances, normalising it, and multiplying many columns at
once. Not here: which cells are neighbours (`hexgrid.neighbours`), and what is known to happen in them (`activity`).

A **bell** is a profile between all cells of an area before it is normalised. It depends on the two cells only: it is
symmetric, and the bell of the next month's area is that of the last with the rows and columns of a few cells more.

Products are scipy's single-threaded CSR products: each output is one sum in the order of the columns, and a
column's result does not depend on the columns beside it, so a batch of days equals the days one by one.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from hotspot_assets.forecasting.activity import Activity
from hotspot_assets.forecasting.kernel import reached_rings
from hotspot_assets.forecasting.profiles import Dasymetric, FloatArray, Identity, SpatialProfile
from hotspot_assets.hexgrid.cells import CellArray
from hotspot_assets.hexgrid.neighbours import Neighbours

if TYPE_CHECKING:
    from scipy.sparse import csc_array, csr_array

_KEPT_BELLS = 6
"""Bells kept at a time: they are large, and the models of a day need no more."""

_MOST_GROWTH = 0.2
"""Share of new cells from which on a bell is built anew."""


@dataclass(frozen=True, eq=False)
class Bell:
    """Weights between the cells of an area, before normalisation: `weights` (cells, cells), symmetric."""

    cells: CellArray
    weights: csr_array[np.float64]

    @cached_property
    def mass(self) -> FloatArray:
        """What an incident in each cell gives to the whole area."""
        return multiply(self.weights, np.ones(len(self.cells)))


_bells: OrderedDict[SpatialProfile, tuple[str, int, Bell]] = OrderedDict()
"""The last bell of each profile, with study area and rings of neighbours it was made for."""


def bell_of(profile: SpatialProfile, neighbours: Neighbours) -> Bell:
    """The bell of a profile; kept for the next call, and for the study area of the next month.

    Raises ValueError if the neighbours do not reach as far as the profile does.
    """
    place = neighbours.study_area_id, neighbours.max_ring
    area, rings, last = _bells.get(profile, ("", 0, None))
    if last is None or (area, rings) != place:
        within = _reach(profile, neighbours)
        last = (last and _grown(last, profile, neighbours)) or _built(profile, neighbours, within)
        _bells[profile] = (*place, last)
        while len(_bells) > _KEPT_BELLS:
            _bells.popitem(last=False)
    _bells.move_to_end(profile)
    return last


def _built(profile: SpatialProfile, neighbours: Neighbours, within: int) -> Bell:
    from scipy.sparse import csr_array

    shape = neighbours.ring.shape
    lengths = np.zeros(shape[0] + 1, dtype=np.int64)
    found: list[tuple[FloatArray, npt.NDArray[np.int32]]] = []
    for pairs in neighbours.pairs(within):
        weights = profile.at(pairs.ring, neighbours.metres(pairs.row, pairs.column))
        kept = np.flatnonzero(weights)
        found.append((weights[kept], pairs.column[kept]))
        counts = np.bincount(pairs.row[kept] - pairs.row[0])
        lengths[pairs.row[0] + 1 :][: len(counts)] = counts
    weights, columns = (np.concatenate(parts) for parts in zip(*found, strict=True))
    bell = csr_array((weights, columns, np.cumsum(lengths).astype(np.int32)), shape=shape)
    return Bell(neighbours.cells, bell)


def _grown(last: Bell, profile: SpatialProfile, neighbours: Neighbours) -> Bell | None:
    """The bell of an area from that of another; None where they have too little in common for that to pay."""
    from scipy.sparse import csr_array

    cells = neighbours.cells
    place = np.minimum(np.searchsorted(cells, last.cells), len(cells) - 1)
    stay = cells[place] == last.cells
    added = np.ones(len(cells), dtype=np.bool_)
    added[place[stay]] = False
    if added.mean() > _MOST_GROWTH:
        return None
    weights = last.weights if stay.all() else last.weights[stay][:, stay]
    place, n = place[stay].astype(np.int32), len(cells)
    lengths = np.zeros(n, dtype=np.int64)
    lengths[place] = np.diff(weights.indptr)
    columns = place[weights.indices]
    row, column, weight = _pairs_of(np.flatnonzero(added), profile, neighbours)
    at = np.searchsorted(np.repeat(np.arange(n), lengths) * n + columns, row * n + column)
    lengths += np.bincount(row, minlength=n)
    ends = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    grown = (np.insert(weights.data, at, weight), np.insert(columns, at, column.astype(np.int32)), ends)
    return Bell(cells, csr_array(grown, shape=(n, n)))


def _pairs_of(
    cells: npt.NDArray[np.int64], profile: SpatialProfile, neighbours: Neighbours
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], FloatArray]:
    """Row, column and weight of every pair in which one of these cells stands, in the order of the bell."""
    rows = _rows(profile, neighbours, cells)
    own, other = np.repeat(cells, np.diff(rows.indptr)), rows.indices.astype(np.int64)
    others = ~np.isin(other, cells)  # a pair of two of them is there in both directions
    row, column = np.append(own, other[others]), np.append(other, own[others])
    order = np.lexsort((column, row))
    return row[order], column[order], np.append(rows.data, rows.data[others])[order]


def _rows(
    profile: SpatialProfile, neighbours: Neighbours, cells: npt.NDArray[np.int64]
) -> csr_array[np.float64]:
    """Rows of the bell."""
    from scipy.sparse import csr_array

    ring = neighbours.ring[cells]
    row = np.repeat(cells, np.diff(ring.indptr))
    weights = profile.at(ring.data.astype(np.int64) - 1, neighbours.metres(row, ring.indices))
    rows = csr_array((weights, ring.indices, ring.indptr), shape=ring.shape)
    rows.eliminate_zeros()
    return rows


def _reach(profile: SpatialProfile, neighbours: Neighbours) -> int:
    needed = reached_rings(profile, float(neighbours.next_door_m.min(initial=math.inf)))
    if needed > neighbours.max_ring:
        raise ValueError(f"{profile} reaches {needed} rings, but the neighbours only {neighbours.max_ring}")
    return needed


def received(
    profile: SpatialProfile, neighbours: Neighbours, activity: Activity, cells: npt.NDArray[np.integer]
) -> csr_array[np.float64]:
    """What `cells` get of one incident in each cell: rows = these cells, columns = the incidents' cells."""
    from scipy.sparse import csr_array

    rows = _bell_under(profile, neighbours).weights[cells]
    weights = rows.data
    if profile.unit_mass:
        weights = weights / _given(profile, neighbours, activity)[rows.indices]
    if isinstance(profile, Dasymetric):
        weights = weights * np.repeat(activity.by_cell[cells], np.diff(rows.indptr))
    return csr_array((weights, rows.indices, rows.indptr), shape=rows.shape)


def given_by(
    profile: SpatialProfile, neighbours: Neighbours, activity: Activity, cells: npt.NDArray[np.int64]
) -> csr_array[np.float64]:
    """What one incident in each of `cells` gives to all: rows = these cells, columns = receiving cells."""
    rows = _rows(profile, neighbours, cells)
    if isinstance(profile, Dasymetric):
        rows.data *= activity.by_cell[rows.indices]
    if profile.unit_mass:
        row = np.repeat(np.arange(len(cells)), np.diff(rows.indptr))
        rows.data /= np.bincount(row, weights=rows.data, minlength=len(cells))[row]
    return rows


def spread(
    profile: SpatialProfile, neighbours: Neighbours, activity: Activity, columns: FloatArray
) -> FloatArray:
    """Spread columns of weights (cells, k) over the cells around each; shape (cells, k), rows contiguous."""
    if isinstance(profile, Identity):
        return columns
    if profile.unit_mass:
        columns = columns / _given(profile, neighbours, activity)[:, None]
    over = multiply(_bell_under(profile, neighbours).weights, columns)
    if isinstance(profile, Dasymetric):
        over *= activity.by_cell[:, None]
    return over


def _bell_under(profile: SpatialProfile, neighbours: Neighbours) -> Bell:
    return bell_of(profile.bell if isinstance(profile, Dasymetric) else profile, neighbours)


def _given(profile: SpatialProfile, neighbours: Neighbours, activity: Activity) -> FloatArray:
    """What an incident in each cell would give in all: divided by it, it gives one."""
    bell = _bell_under(profile, neighbours)
    if not isinstance(profile, Dasymetric):
        return bell.mass
    return activity.under(profile, lambda: multiply(bell.weights, activity.by_cell))


def multiply(matrix: csr_array[np.float64] | csc_array[np.float64], columns: FloatArray) -> FloatArray:
    """Sparse (m, n) times dense (n, k) or (n,): dense, each number one sum in the order of the matrix."""
    return np.asarray(matrix @ columns)


def masses(profile: SpatialProfile, neighbours: Neighbours) -> FloatArray | None:
    """What one incident in each cell gives to the whole area; none: exactly one in every cell."""
    return None if profile.unit_mass else bell_of(profile, neighbours).mass

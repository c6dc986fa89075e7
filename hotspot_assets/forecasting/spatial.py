"""Spatial operators: a spatial profile as a sparse matrix over the cells of a study area.

Belongs here: building the matrix from rings and distances, normalising it, and multiplying many columns at
once. Not here: which cells are neighbours (`hexgrid.neighbours`), and what is known to happen in them (`activity`).

Products are scipy's single-threaded CSR products: each output is one sum in the order of the columns, and a
column's result does not depend on the columns beside it, so a batch of days equals the days one by one.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from hotspot_assets.forecasting.activity import Activity
from hotspot_assets.forecasting.kernel import reached_rings
from hotspot_assets.forecasting.profiles import Dasymetric, FloatArray, Identity, SpatialProfile
from hotspot_assets.hexgrid.neighbours import Neighbours

if TYPE_CHECKING:
    from scipy.sparse import csc_array, csr_array

_KEPT_OPERATORS = 12
_operators: OrderedDict[tuple[str, int, SpatialProfile], csr_array[np.float64]] = OrderedDict()


def operator(profile: SpatialProfile, neighbours: Neighbours) -> csr_array[np.float64]:
    """Matrix with rows = receiving cells, columns = the incidents' cells; kept for the next call.

    Profiles with `unit_mass` have columns that add up to one. Raises ValueError if the neighbours do not
    reach as far as the profile does.
    """
    key = (neighbours.study_area_id, neighbours.max_ring, profile)
    if key not in _operators:
        _operators[key] = _built(profile, neighbours)
        while len(_operators) > _KEPT_OPERATORS:
            _operators.popitem(last=False)
    _operators.move_to_end(key)
    return _operators[key]


def _built(profile: SpatialProfile, neighbours: Neighbours) -> csr_array[np.float64]:
    from scipy.sparse import csr_array

    within = _reach(profile, neighbours)
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
    if profile.unit_mass:
        weights /= np.bincount(columns, weights=weights, minlength=shape[1])[columns]
    return csr_array((weights, columns, np.cumsum(lengths).astype(np.int32)), shape=shape)


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

    if not isinstance(profile, Dasymetric):
        return operator(profile, neighbours)[cells]
    rows = operator(profile.bell, neighbours)[cells]
    share = rows.data / _reached(profile, neighbours, activity)[rows.indices]
    weights = share * np.repeat(activity.by_cell[cells], np.diff(rows.indptr))
    return csr_array((weights, rows.indices, rows.indptr), shape=rows.shape)


def given_by(
    profile: SpatialProfile, neighbours: Neighbours, activity: Activity, cells: npt.NDArray[np.int64]
) -> csr_array[np.float64]:
    """What one incident in each of `cells` gives to all: rows = these cells, columns = receiving cells."""
    from scipy.sparse import csr_array

    ring = neighbours.ring[cells]
    row = np.repeat(np.arange(len(cells)), np.diff(ring.indptr))
    weights = profile.at(ring.data.astype(np.int64) - 1, neighbours.metres(cells[row], ring.indices))
    if isinstance(profile, Dasymetric):
        weights = weights * activity.by_cell[ring.indices]
    if profile.unit_mass:
        weights = weights / np.bincount(row, weights=weights, minlength=len(cells))[row]
    given = csr_array((weights, ring.indices, ring.indptr), shape=ring.shape)
    given.eliminate_zeros()
    return given


def spread(
    profile: SpatialProfile, neighbours: Neighbours, activity: Activity, columns: FloatArray
) -> FloatArray:
    """Spread columns of weights (cells, k) over the cells around each; shape (cells, k), rows contiguous."""
    if isinstance(profile, Identity):
        return columns
    if isinstance(profile, Dasymetric):
        even = columns / _reached(profile, neighbours, activity)[:, None]
        return multiply(operator(profile.bell, neighbours), even) * activity.by_cell[:, None]
    return multiply(operator(profile, neighbours), columns)


def _reached(profile: Dasymetric, neighbours: Neighbours, activity: Activity) -> FloatArray:
    """The activity under the bell around each cell: an incident there is divided by it, to give one in all."""
    return activity.under(profile, lambda: multiply(operator(profile.bell, neighbours).T, activity.by_cell))


def multiply(matrix: csr_array[np.float64] | csc_array[np.float64], columns: FloatArray) -> FloatArray:
    """Sparse (m, n) times dense (n, k) or (n,): dense, each number one sum in the order of the matrix."""
    return np.asarray(matrix @ columns)


def masses(profile: SpatialProfile, neighbours: Neighbours) -> FloatArray | None:
    """What one incident in each cell gives to the whole area; none: exactly one in every cell."""
    if profile.unit_mass:
        return None
    matrix = operator(profile, neighbours)
    return np.asarray(np.bincount(matrix.indices, weights=matrix.data, minlength=matrix.shape[1]), np.float64)

"""Spreading over space: a spatial profile as a sparse matrix over the cells of a study area.

Belongs here: building the matrix from rings and distances, normalising it, and multiplying many rows of weights
by it. Not here: which cells are neighbours (`hexgrid.neighbours`), and what is known to happen in them (`activity`).

A **bell** is a profile between all cells of an area before it is normalised. It depends on the two cells only: it is
symmetric, and the bell of the next month's area is that of the last with the rows and columns of a few cells more.

Products are scipy's CSR products, those of a day alone in strips of the matrix side by side: each output is one sum
in the order of the matrix, and depends neither on what is multiplied beside it nor on the strip, so a batch of days
equals the days one by one.
"""

from __future__ import annotations

import math
import os
import threading
from collections import OrderedDict
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from hotspot_assets.forecasting.activity import Activity
from hotspot_assets.forecasting.kernel import reached_rings
from hotspot_assets.forecasting.profiles import Dasymetric, FloatArray, Identity, SpatialProfile
from hotspot_assets.hexgrid.carrying import carried
from hotspot_assets.hexgrid.cells import CellArray
from hotspot_assets.hexgrid.neighbours import Neighbours
from hotspot_assets.intake.ahead import in_threads

if TYPE_CHECKING:
    from scipy.sparse import csr_array

_WORTH_A_THREAD = 1 << 20
"""Multiplications (a millisecond) that a strip of a product should at least have."""

_FEW = 16
"""Rows of weights up to which a product is made in strips: more come from ranges, which keep all processors busy."""

_ONE_BY_ONE = 6
"""Up to as many are multiplied one after the other: scipy takes six times as long for two at once as for one."""

_TURNED = 1024
"""Rows or columns turned at a time."""

_KEPT_BELLS = 6
"""Bells kept at a time: they are large, and the models of a day need no more."""


@dataclass(frozen=True, eq=False)
class Bell:
    """Weights between the cells of an area, before normalisation: `weights` (cells, cells), symmetric."""

    cells: CellArray
    weights: csr_array[np.float64]

    @cached_property
    def mass(self) -> FloatArray:
        """What an incident in each cell gives to the whole area."""
        return multiply(self.weights, np.ones((1, len(self.cells)))).ravel()


_bells: OrderedDict[SpatialProfile, tuple[str, int, Bell]] = OrderedDict()
"""The last bell of each profile, with study area and rings of neighbours it was made for."""
_one_at_a_time = threading.Lock()


def bell_of(profile: SpatialProfile, neighbours: Neighbours) -> Bell:
    """The bell of a profile; kept for the next call, and for the study area of the next month.

    Raises ValueError if the neighbours do not reach as far as the profile does.
    """
    if isinstance(profile, Identity):
        return _own_cells(neighbours.cells)
    place = neighbours.study_area_id, neighbours.max_ring
    with _one_at_a_time:
        area, rings, last = _bells.get(profile, ("", 0, None))
        if last is None or (area, rings) != place:
            _require_reach(profile, neighbours)
            last = (last and _grown(last, profile, neighbours)) or _built(profile, neighbours)
            _bells[profile] = (*place, last)
            while len(_bells) > _KEPT_BELLS:
                _bells.popitem(last=False)
        _bells.move_to_end(profile)
    return last


def _own_cells(cells: CellArray) -> Bell:
    from scipy.sparse import csr_array, eye_array

    return Bell(cells, csr_array(eye_array(len(cells), format="csr")))


def _built(profile: SpatialProfile, neighbours: Neighbours) -> Bell:
    """All pairs of the neighbours are looked at, as when it grows: rings are no exact bound of metres on H3."""
    from scipy.sparse import csr_array

    shape = neighbours.ring.shape
    lengths = np.zeros(shape[0] + 1, dtype=np.int64)
    found: list[tuple[FloatArray, npt.NDArray[np.int32]]] = []
    for pairs in neighbours.pairs(neighbours.max_ring):
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
    rows_of = partial(_rows, profile, neighbours)
    weights = carried(last.weights, last.cells, neighbours.cells, rows_of)
    return None if weights is None else Bell(neighbours.cells, weights)


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


def _require_reach(profile: SpatialProfile, neighbours: Neighbours) -> None:
    needed = reached_rings(profile, float(neighbours.next_door_m.min(initial=math.inf)))
    if needed > neighbours.max_ring:
        raise ValueError(f"{profile} reaches {needed} rings, but the neighbours only {neighbours.max_ring}")


class Spread:
    """A spatial profile laid over the cells of an area: from what lies in each cell to what each cell gets of it.

    It holds on to its bell, so that work on another study area at the same time costs it nothing. Raises ValueError
    if the neighbours do not reach as far as the profile does.
    """

    def __init__(self, profile: SpatialProfile, neighbours: Neighbours) -> None:
        self.profile = profile
        self._dasymetric = isinstance(profile, Dasymetric)
        self._bell = bell_of(profile.bell if isinstance(profile, Dasymetric) else profile, neighbours)

    @property
    def masses(self) -> FloatArray | None:
        """What one incident in each cell gives to the whole area; none: exactly one in every cell."""
        return None if self.profile.unit_mass else self._bell.mass

    def over_all(self, activity: Activity, rows: FloatArray) -> FloatArray:
        """Rows of weights (k, cells), each spread over the cells around; shape (k, cells)."""
        if isinstance(self.profile, Identity):
            return rows
        if self.profile.unit_mass:
            rows = rows / self._given(activity)
        spread = multiply(self._bell.weights, rows)
        if self._dasymetric:
            spread *= activity.by_cell
        return spread

    def at(self, activity: Activity, columns: FloatArray, cells: npt.NDArray[np.integer]) -> FloatArray:
        """As `over_all`, to rounding, of columns (cells, k) and in some cells only: shape (len(cells), k)."""
        if isinstance(self.profile, Identity):
            return np.asarray(columns[cells])
        return np.asarray(self.received(activity, cells) @ columns)

    def received(self, activity: Activity, cells: npt.NDArray[np.integer]) -> csr_array[np.float64]:
        """What `cells` get of one incident in each cell: rows = these cells, columns = the incidents' cells."""
        from scipy.sparse import csr_array

        rows = self._bell.weights[cells]
        weights = rows.data
        if self.profile.unit_mass:
            weights = weights / self._given(activity)[rows.indices]
        if self._dasymetric:
            weights = weights * np.repeat(activity.by_cell[cells], np.diff(rows.indptr))
        return csr_array((weights, rows.indices, rows.indptr), shape=rows.shape)

    def given_by(self, activity: Activity, cells: npt.NDArray[np.int64]) -> csr_array[np.float64]:
        """What one incident in each of `cells` gives to all: rows = these cells, columns = receiving cells."""
        rows = self._bell.weights[cells]  # symmetric: what they give is what they get
        if self._dasymetric:
            rows.data *= activity.by_cell[rows.indices]
        if self.profile.unit_mass:
            row = np.repeat(np.arange(len(cells)), np.diff(rows.indptr))
            rows.data /= np.bincount(row, weights=rows.data, minlength=len(cells))[row]
        return rows

    def _given(self, activity: Activity) -> FloatArray:
        """What an incident in each cell would give in all: divided by it, it gives one."""
        if not self._dasymetric:
            return self._bell.mass
        return activity.under(
            self.profile, lambda: multiply(self._bell.weights, activity.by_cell[None]).ravel()
        )


def multiply(matrix: csr_array[np.float64], rows: FloatArray) -> FloatArray:
    """Sparse (m, n) times each row of dense (k, n): dense (k, m), each number one sum in the order of the matrix."""
    product = np.empty((len(rows), matrix.shape[0]))
    columns = None if len(rows) <= _ONE_BY_ONE else _turn(rows, np.empty(rows.shape[::-1]))

    def fill(part: tuple[csr_array[np.float64], FloatArray]) -> None:
        strip, target = part
        if columns is not None:
            _turn(np.asarray(strip @ columns), target)
        else:
            for number, row in enumerate(rows):
                target[number] = strip @ row

    worth = matrix.nnz * len(rows) // _WORTH_A_THREAD if len(rows) <= _FEW else 1
    strips = _cut(matrix, max(1, min(worth, os.cpu_count() or 1)))
    ends = np.cumsum([strip.shape[0] for strip in strips])
    parts = list(zip(strips, np.split(product, ends[:-1], axis=1), strict=True))
    if len(parts) == 1:
        fill(parts[0])
    else:
        in_threads(fill, parts)
    return product


def _turn(values: FloatArray, turned: FloatArray) -> FloatArray:
    """Write the transpose of the one array into the other, in strips that the processor's cache holds."""
    for start in range(0, max(values.shape), _TURNED):
        strip = slice(start, start + _TURNED)
        if values.shape[1] > values.shape[0]:
            turned[strip] = values[:, strip].T
        else:
            turned[:, strip] = values[strip].T
    return turned


def _cut(matrix: csr_array[np.float64], number: int) -> list[csr_array[np.float64]]:
    """The rows of a matrix in so many strips of about as many entries."""
    from scipy.sparse import csr_array

    cuts = np.searchsorted(matrix.indptr, np.linspace(0, matrix.nnz, number + 1)[1:-1])
    strips = []
    for first, last in pairwise([0, *cuts, matrix.shape[0]]):
        strip = csr_array((last - first, matrix.shape[1]))
        start, end = matrix.indptr[[first, last]]
        # Set one by one: the constructor would copy them.
        strip.data, strip.indices = matrix.data[start:end], matrix.indices[start:end]
        strip.indptr = matrix.indptr[first : last + 1] - start
        strips.append(strip)
    return strips

"""Symmetric matrices over the cells of a study area, carried over to the study area of another month.

Belongs here: moving, dropping and inserting rows and columns. Not here: what the entries are (`neighbours`,
`forecasting.spatial`); they must depend on nothing but the two cells they stand between.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt

from hotspot_assets.hexgrid.cells import CellArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array

_MOST_GROWTH = 0.2
"""Share of new cells from which on making all of the matrix anew is as quick."""

_ROWS_AT_A_TIME = 1024

Number = TypeVar("Number", bound=np.number[Any])
Positions = npt.NDArray[np.int64]


def carried(
    matrix: csr_array[Number],
    before: CellArray,
    cells: CellArray,
    rows_of: Callable[[Positions], csr_array[Number]],
) -> csr_array[Number] | None:
    """The matrix over `cells`, from that over the cells `before` (both ascending); `rows_of` makes some of its rows.

    It is what making all rows would give, entry by entry and in their order. None where the cells have too little
    in common for that to pay.
    """
    from scipy.sparse import csr_array

    place = np.minimum(np.searchsorted(cells, before), len(cells) - 1)
    stay = cells[place] == before
    added = np.ones(len(cells), dtype=np.bool_)
    added[place[stay]] = False
    if added.mean() > _MOST_GROWTH:
        return None
    kept = matrix if stay.all() else matrix[stay][:, stay]
    place, n = place[stay].astype(np.int32), len(cells)
    lengths = np.zeros(n, dtype=np.int64)
    lengths[place] = np.diff(kept.indptr)
    columns = place[kept.indices]
    new = np.flatnonzero(added)
    row, column, entry = _pairs_with(new, rows_of(new))
    at = _places(lengths, columns, row, column)
    lengths += np.bincount(row, minlength=n)
    ends = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    grown = (np.insert(kept.data, at, entry), np.insert(columns, at, column.astype(np.int32)), ends)
    return csr_array(grown, shape=(n, n))


def _places(
    lengths: Positions, columns: npt.NDArray[np.int32], row: Positions, column: Positions
) -> Positions:
    """Where the pairs, row by row, belong among `columns`, of which each row has so many: some rows at a time."""
    n = len(lengths)
    ends = np.concatenate([[0], np.cumsum(lengths)])
    found = []
    for start in range(0, n, _ROWS_AT_A_TIME):
        stop = min(start + _ROWS_AT_A_TIME, n)
        there = np.repeat(np.arange(start, stop), lengths[start:stop]) * n + columns[ends[start] : ends[stop]]
        of_these = slice(*np.searchsorted(row, [start, stop]))
        found.append(ends[start] + np.searchsorted(there, row[of_these] * n + column[of_these]))
    return np.concatenate(found)


def _pairs_with(
    cells: Positions, rows: csr_array[Number]
) -> tuple[Positions, Positions, npt.NDArray[Number]]:
    """Row, column and entry of every pair in which one of `cells` stands, row by row; `rows` are theirs."""
    own, other = np.repeat(cells, np.diff(rows.indptr)), rows.indices.astype(np.int64)
    others = ~np.isin(other, cells)  # a pair of two of them is there in both directions
    row, column = np.append(own, other[others]), np.append(other, own[others])
    order = np.lexsort((column, row))
    return row[order], column[order], np.append(rows.data, rows.data[others])[order]

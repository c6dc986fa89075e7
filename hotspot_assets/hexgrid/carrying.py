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
    ends = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    moved = csr_array((kept.data, place[kept.indices], ends), shape=(n, n))
    new = np.flatnonzero(added)
    # No pair is in both, so each entry of the sum is what it was.
    return csr_array(moved + _pairs_with(new, rows_of(new)))


def _pairs_with(cells: Positions, rows: csr_array[Number]) -> csr_array[Number]:
    """Every pair in which one of `cells` stands; `rows` are theirs."""
    from scipy.sparse import coo_array

    own, other = np.repeat(cells.astype(np.int32), np.diff(rows.indptr)), rows.indices
    others = ~np.isin(other, cells)  # a pair of two of them is there in both directions
    row, column = np.append(own, other[others]), np.append(other, own[others])
    n = rows.shape[1]
    return coo_array((np.append(rows.data, rows.data[others]), (row, column)), shape=(n, n)).tocsr()

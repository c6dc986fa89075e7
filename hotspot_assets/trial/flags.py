"""The flagged set: the highest ranked cells up to a share of the area.

Belongs here: who is in at a coverage. Not here: what it caught.

**The rule of the last cell.** Cells are taken in the order of their rank until the flagged area reaches
`coverage x whole area`. The cell at the margin is taken in part: by just the share of it that fills up
the area, and its incidents count with that share. So every model is measured at exactly the same area,
whatever cells it picked, and no model gains by a large last cell. It equals the average over drawing by
lot whether the marginal cell is in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

COVERAGES = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2)
"""Flagged shares of the area at which every model is measured."""

_ROUNDING = 1e-9  # a margin thinner than this share of a cell is floating point, not area


@dataclass(frozen=True)
class Ruler:
    """What coverage is a share of: the size of each cell, and the coverages to measure at.

    Attributes
    ----------
    size
        float64[n], positive; km2 by `by_area`, 1 by `by_cells`.
    coverages
        float64[c], ascending, in (0, 1].
    """

    size: FloatArray
    coverages: FloatArray

    def __post_init__(self) -> None:
        if self.size.ndim != 1 or not len(self.size) or not (np.isfinite(self.size) & (self.size > 0)).all():
            raise ValueError("cell sizes must be a non-empty vector of positive numbers")
        steps = np.diff(self.coverages, prepend=0.0)
        if self.coverages.ndim != 1 or not len(steps) or (steps <= 0).any() or self.coverages[-1] > 1:
            raise ValueError("coverages must ascend within (0, 1]")

    @classmethod
    def by_area(cls, area_km2: FloatArray, coverages: Sequence[float] = COVERAGES) -> Ruler:
        """Coverage as a share of true area: the rule of every result of this system."""
        return cls(np.asarray(area_km2, dtype=np.float64), np.asarray(coverages, dtype=np.float64))

    @classmethod
    def by_cells(cls, n: int, coverages: Sequence[float] = COVERAGES) -> Ruler:
        """Coverage as a share of the number of cells, as some published tables have it.

        Only to reproduce such a table: cells differ in area, so it favours models that pick large cells.
        """
        return cls(np.ones(n), np.asarray(coverages, dtype=np.float64))


def order_of(rank: npt.NDArray[np.integer]) -> IntArray:
    """Cell indices from the highest rank (1) down: int64[n].

    Raises
    ------
    ValueError
        When `rank` is not a permutation of 1..n: a tie left open would be broken by cell id.
    """
    n = len(rank)
    position = rank.astype(np.int64) - 1
    order = np.full(n, -1, dtype=np.int64)
    if n and (position.min() < 0 or position.max() >= n):
        raise ValueError("ranks must run from 1 to the number of cells")
    order[position] = np.arange(n)
    if (order < 0).any():
        raise ValueError("ranks must be unique: break ties before measuring")
    return order


def fraction_within(before: FloatArray, size: FloatArray, limit: FloatArray | float) -> FloatArray:
    """Share of a cell inside the flagged area `limit`, when `before` km2 lie in cells ranked above it."""
    fraction = np.clip((limit - before) / size, 0.0, 1.0)
    fraction[fraction < _ROUNDING] = 0.0
    fraction[fraction > 1.0 - _ROUNDING] = 1.0
    return fraction


def flagged_fraction(rank: npt.NDArray[np.integer], area_km2: FloatArray, coverage: float) -> FloatArray:
    """How far each cell is flagged at `coverage` of the area: float64[n], 1 = in, 0 = out, else the margin.

    The sum of `fraction x area_km2` is `coverage` of the whole area, exactly but for rounding.
    """
    ruler = Ruler.by_area(area_km2, (coverage,))
    order = order_of(rank)
    ranked = ruler.size[order]
    reached = np.cumsum(ranked)
    fraction = np.empty(len(order))
    fraction[order] = fraction_within(reached - ranked, ranked, coverage * reached[-1])
    return fraction


def tied_at_margin(
    scores: FloatArray, rank: npt.NDArray[np.integer], area_km2: FloatArray, coverage: float
) -> int:
    """Cells with the same score as the last flagged one, whose order is chance: the tie band.

    0 when the tie does not cross the margin: with all tied cells in, no choice was left to chance.
    """
    fraction = flagged_fraction(rank, area_km2, coverage)
    last = np.flatnonzero(fraction > 0)[np.argmax(rank[fraction > 0])]
    tied = scores == scores[last]
    return int(tied.sum()) if tied.sum() > 1 and (fraction[tied] < 1.0).any() else 0

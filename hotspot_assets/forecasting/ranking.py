"""Ranks: from scores to an order of cells, ties broken by a seeded random permutation.

Belongs here: ranking one surface, its seed, and how many cells share the score at a cut. Not here: choosing
areas from the ranks (`patrol`).
"""

from __future__ import annotations

import hashlib
from datetime import date

import numpy as np
import numpy.typing as npt

from hotspot_assets.forecasting.profiles import FloatArray


def tie_seed(day: date, group: str, model: str) -> int:
    """Seed of a surface's ties (64 bits): the same for the same date, offence group and model only."""
    return int.from_bytes(hashlib.sha256(f"{day.isoformat()}\x1f{group}\x1f{model}".encode()).digest()[:8])


def ranked_cells(scores: FloatArray, seed: int) -> npt.NDArray[np.int64]:
    """Indices of the cells, highest score first; equal scores in an order drawn from the seed, never by id.

    Raises ValueError for a score that is not a number.
    """
    cells = len(scores)
    if np.isnan(scores).any():
        raise ValueError("a score is not a number")
    ascending = np.argsort(scores)
    steps = np.empty(cells, dtype=np.int64)
    steps[:1] = 0
    np.not_equal(scores[ascending[1:]], scores[ascending[:-1]], out=steps[1:], casting="unsafe")
    level = np.empty(cells, dtype=np.int64)
    level[ascending] = np.cumsum(steps)
    permutation = np.random.Generator(np.random.PCG64(seed)).permutation(cells)
    # One number per cell: the level, then the place in the permutation. All differ, so any sort will do.
    place_bits = max(cells - 1, 1).bit_length()
    keys = ((int(level.max(initial=0)) - level[permutation]) << place_bits) | np.arange(cells)
    keys.sort()
    order: npt.NDArray[np.int64] = permutation[keys & ((1 << place_bits) - 1)]
    return order


def rank(scores: FloatArray, seed: int) -> npt.NDArray[np.int32]:
    """Rank of each cell, 1 = highest, unique; see `ranked_cells`."""
    ranks = np.empty(len(scores), dtype=np.int32)
    ranks[ranked_cells(scores, seed)] = np.arange(1, len(scores) + 1, dtype=np.int32)
    return ranks


def tie_band(scores: FloatArray, flagged: int) -> tuple[int, int]:
    """How many cells share the score of the last of `flagged` cells, and how many of those are flagged.

    (1, 1) means no tie. Raises ValueError unless 1 <= flagged <= cells.
    """
    if not 1 <= flagged <= len(scores):
        raise ValueError(f"cannot flag {flagged} of {len(scores)} cells")
    last = np.partition(scores, len(scores) - flagged)[len(scores) - flagged]
    return int((scores == last).sum()), flagged - int((scores > last).sum())

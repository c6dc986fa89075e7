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
    if np.isnan(scores).any():
        raise ValueError("a score is not a number")
    permutation = np.random.Generator(np.random.PCG64(seed)).permutation(len(scores))
    by_score: npt.NDArray[np.int64] = permutation[_lowest_first(-scores[permutation])]
    return by_score


def _lowest_first(values: FloatArray) -> npt.NDArray[np.int64]:
    """Order of numbers, equal ones as they come: sorted in any way, then those that have an equal once more."""
    order = np.argsort(values)  # a third of the time of a stable sort
    ascending = values[order]
    new = np.append(True, ascending[1:] != ascending[:-1])
    alone = new & np.append(new[1:], True)
    shared = np.flatnonzero(~alone)
    by_value_then_place = np.cumsum(new)[shared] * len(values) + order[shared]
    order[shared] = np.sort(by_value_then_place) % len(values)
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

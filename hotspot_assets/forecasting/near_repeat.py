"""Near repeats: do incidents follow each other, close by and soon, more often than chance has it (Knox)?

Belongs here: the test, per distance and time band. Its answer says whether a short memory is justified for an
offence group. Not here: the memory itself (`learning`).

Pairs of incidents within a distance and a time are counted; then the times are shuffled among the places,
many times over. p = (1 + shuffles with at least as many pairs) / (1 + shuffles); ratio = pairs / mean of the
shuffles. Only pairs that are close in space are ever formed, so cost grows with them, not with the square of
incidents.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from hotspot_assets.errors import UserError
from hotspot_assets.forecasting.profiles import FloatArray

SHUFFLES = 999
MOST_PAIRS = 5_000_000
_METRES_PER_DEGREE = 111_195.0


class TooDenseError(UserError):
    """More close pairs than the test can hold."""


def near_repeat(
    latitude: FloatArray,
    longitude: FloatArray,
    day: npt.NDArray[np.int64],
    distances_m: Sequence[float],
    spans_days: Sequence[int],
    seed: int,
    shuffles: int = SHUFFLES,
    most_pairs: int = MOST_PAIRS,
) -> pl.DataFrame:
    """One row per distance and span: columns distance_m, span_days, pairs, expected, ratio, p.

    `latitude`, `longitude` (degrees) and `day` are aligned, one per incident. Bands are cumulative: at most
    that far, at most so many days apart. `expected` is the mean of the shuffles; ratio is null where it is 0.
    Raises TooDenseError beyond `most_pairs`.
    """
    distances = np.sort(np.asarray(distances_m, dtype=np.float64))
    spans = np.sort(np.asarray(spans_days, dtype=np.int64))
    first, second, band = _close_pairs(latitude, longitude, distances, most_pairs)
    times = np.asarray(day, dtype=np.int64)
    observed = _counts(times, first, second, band, len(distances), spans)
    random = np.random.Generator(np.random.PCG64(seed))
    total = np.zeros_like(observed)
    reached = np.zeros_like(observed)
    for _ in range(shuffles):
        shuffled = _counts(random.permutation(times), first, second, band, len(distances), spans)
        total += shuffled
        reached += shuffled >= observed
    return pl.DataFrame(
        {
            "distance_m": np.repeat(distances, len(spans)),
            "span_days": np.tile(spans, len(distances)),
            "pairs": observed.ravel(),
            "expected": total.ravel() / shuffles,
            "p": (1 + reached.ravel()) / (1 + shuffles),
        }
    ).select(
        pl.all().exclude("p"),
        pl.when(pl.col("expected") > 0).then(pl.col("pairs") / pl.col("expected")).alias("ratio"),
        "p",
    )


def _close_pairs(
    latitude: FloatArray, longitude: FloatArray, distances_m: FloatArray, most_pairs: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Pairs within the largest distance, with the number of the distance band of each."""
    from scipy.spatial import KDTree

    if len(latitude) == 0:
        nothing = np.zeros(0, dtype=np.int64)
        return nothing, nothing, nothing
    middle = np.cos(np.radians(np.mean(latitude)))
    points = np.column_stack([np.asarray(longitude) * middle, np.asarray(latitude)]) * _METRES_PER_DEGREE
    tree = KDTree(points)
    pairs = (int(tree.count_neighbors(tree, distances_m[-1])) - len(points)) // 2
    if pairs > most_pairs:
        raise TooDenseError(
            f"{pairs:,} pairs of incidents lie within {distances_m[-1]:g} m of each other, more than the"
            f" {most_pairs:,} the test can hold: take a shorter distance, a shorter period or a smaller area."
        )
    first, second = tree.query_pairs(distances_m[-1], output_type="ndarray").astype(np.int64).T
    apart = np.hypot(*(points[first] - points[second]).T)
    return first, second, np.searchsorted(distances_m, apart, side="left").astype(np.int64)


def _counts(
    times: npt.NDArray[np.int64],
    first: npt.NDArray[np.int64],
    second: npt.NDArray[np.int64],
    band: npt.NDArray[np.int64],
    bands: int,
    spans: npt.NDArray[np.int64],
) -> npt.NDArray[np.int64]:
    apart = np.abs(times[first] - times[second])
    near = apart <= spans[-1]
    cell = band[near] * len(spans) + np.searchsorted(spans, apart[near], side="left")
    counts = np.bincount(cell, minlength=bands * len(spans)).reshape(bands, len(spans))
    return np.asarray(counts.cumsum(axis=0).cumsum(axis=1), dtype=np.int64)

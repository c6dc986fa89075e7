"""What a flagged set looks like: compact or scattered, yesterday's or new, alike or complementary.

Belongs here: properties of flagged sets, as vectors from `flags.flagged_fraction` (float64[n], 1 = in,
0 = out, between = the cell at the margin, which counts with its share). Not here: hit rates.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from hotspot_assets.trial.flags import FloatArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array, csr_matrix

SHAPES: dict[str, pl.DataType] = {
    "forecast_date": pl.Date(),
    "model": pl.String(),
    "offence_group": pl.String(),
    "shared_sides": pl.Float64(),
    "patches": pl.Int64(),
    "mean_patch_km2": pl.Float64(),
    "churn": pl.Float64(),
}
"""Columns of a day's flagged sets for `mean_shapes`: `Compactness`, churn since the day before (or null)."""

OVERLAPS: dict[str, pl.DataType] = {
    "forecast_date": pl.Date(),
    "offence_group": pl.String(),
    "model": pl.String(),
    "against": pl.String(),
    "a_only": pl.Float64(),
    "b_only": pl.Float64(),
    "both": pl.Float64(),
    "neither": pl.Float64(),
}
"""Columns of a day's `Complementarity` for `pooled_overlaps`: A is `model`, B is `against`."""


class Compactness(NamedTuple):
    """Shape of a flagged set.

    Attributes
    ----------
    shared_sides
        Of the sides that flagged cells share with cells of the study area, the share behind which lies
        another flagged cell: 0 for single cells, towards 1 for one large patch. Null (None) when no
        flagged cell has a neighbour.
    patches
        Contiguous patches.
    mean_patch_km2
        Flagged area per patch.
    """

    shared_sides: float | None
    patches: int
    mean_patch_km2: float


class Complementarity(NamedTuple):
    """Incidents caught by A alone, by B alone, by both, and by neither; they sum to all incidents."""

    a_only: float
    b_only: float
    both: float
    neither: float


def compactness(flagged: FloatArray, touching: csr_array | csr_matrix, area_km2: FloatArray) -> Compactness:
    """Shape of a flagged set on the grid.

    `touching` is a symmetric sparse matrix [n, n], non-zero where two different cells share a side.

    Raises
    ------
    ValueError
        When nothing is flagged.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    inside = np.flatnonzero(flagged > 0)
    if not len(inside):
        raise ValueError("nothing is flagged")
    sides = coo_array(touching[inside])
    row, column = inside[sides.coords[0]], sides.coords[1]
    apart = (row != column) & (sides.data != 0)
    row, column = row[apart], column[apart]
    all_sides = float(flagged[row].sum())
    shared = float((flagged[row] * flagged[column]).sum()) / all_sides if all_sides else None

    place = np.full(len(flagged), -1, dtype=np.int64)
    place[inside] = np.arange(len(inside))
    linked = flagged[column] > 0
    edges = coo_array(
        (np.ones(linked.sum(), dtype=np.int8), (place[row[linked]], place[column[linked]])),
        shape=(len(inside), len(inside)),
    )
    patches, _ = connected_components(edges.tocsr(), directed=False)
    return Compactness(shared, patches, float((flagged * area_km2).sum()) / patches)


def churn(flagged: FloatArray, flagged_before: FloatArray, area_km2: FloatArray) -> float:
    """How much of the flagged area changed: 1 - Jaccard by area; 0 = the same set, 1 = disjoint."""
    either = float((np.maximum(flagged, flagged_before) * area_km2).sum())
    both = float((np.minimum(flagged, flagged_before) * area_km2).sum())
    return 1.0 - both / either if either else 0.0


def complementarity(flagged_a: FloatArray, flagged_b: FloatArray, counts: FloatArray) -> Complementarity:
    """Who caught what on a day. Two sets that each hold a part of a cell are taken to hold the same part."""
    where = np.flatnonzero(counts)
    incidents, a, b = counts[where], flagged_a[where], flagged_b[where]
    both = float((np.minimum(a, b) * incidents).sum())
    caught_a, caught_b = float((a * incidents).sum()), float((b * incidents).sum())
    total = float(incidents.sum())
    return Complementarity(caught_a - both, caught_b - both, both, total - caught_a - caught_b + both)


def mean_shapes(shapes: pl.DataFrame) -> pl.DataFrame:
    """Means over the days of `SHAPES` by model and offence group; a null is left out of its mean."""
    keys = ["model", "offence_group"]
    return shapes.group_by(keys).agg(pl.exclude("forecast_date").exclude(keys).mean()).sort(keys)


def pooled_overlaps(overlaps: pl.DataFrame) -> pl.DataFrame:
    """Sums over the days of `OVERLAPS` by offence group and pair, each as a share of all incidents."""
    keys, parts = ["offence_group", "model", "against"], ["a_only", "b_only", "both", "neither"]
    return (
        overlaps.group_by(keys)
        .agg(pl.col(parts).sum())
        .filter(pl.sum_horizontal(parts) > 0)
        .with_columns(pl.col(parts) / pl.sum_horizontal(parts))
        .sort(keys)
    )

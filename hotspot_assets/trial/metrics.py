"""What a forecast caught: hit rate, PAI, PEI* and log score of one day, of many days, and pooled.

Belongs here: measures of one model against what happened. Not here: which of two models is better
(`comparisons`), what could have been reached (`ceilings`).

Coverage is a share of true area (see `flags` for the rule of the last cell), incidents are the day's
weights in the study area (1.0 = one incident).

- hit rate = hits / incidents.
- PAI = hit rate / coverage (Chainey, Tompson & Uhlig 2008). Never compare it across grids.
- PEI* = hits / the most that any choice of cells of equal area could catch. Cells may be taken in part,
  as in the flagged set, so the most is found by taking cells by incidents per km2, highest first: the
  solution of the fractional knapsack. It is exact under the rule of the last cell, equals the count of
  the best whole cells where cells have one size, and keeps PEI* within [0, 1].
- log score = mean over incidents of log(share / uniform share), in nats. Uniform is by area. Shares are
  raised to the floor of 1e-6 and divided by their new sum, so that a surface with many empty cells is
  not given more than one whole to share out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from hotspot_assets.trial.flags import COVERAGES, FloatArray, IntArray, Ruler, fraction_within, order_of

SCORE_FLOOR = 1e-6
"""Smallest share of the day's incidents a cell is taken to expect, in the log score only."""

MEASURES: dict[str, pl.DataType] = {
    "coverage": pl.Float64(),
    "incidents": pl.Float64(),
    "hits": pl.Float64(),
    "hit_rate": pl.Float64(),
    "pai": pl.Float64(),
    "pei": pl.Float64(),
    "log_score": pl.Float64(),
    "best_hits": pl.Float64(),
    "expected_hit_rate": pl.Float64(),
}
"""Columns of a measured day. `best_hits`: the most any choice of equal area could catch (PEI* = hits / it);
`expected_hit_rate`: the forecast's own share in the flagged set, what `ceilings` rests on."""

KEYS: dict[str, pl.DataType] = {
    "forecast_date": pl.Date(),
    "model": pl.String(),
    "offence_group": pl.String(),
}

OUTCOMES = KEYS | MEASURES
"""Columns of `range_outcomes`: forecast_outcomes without delivery_seq, and the two that pooling needs."""


@dataclass(frozen=True)
class DayTruth:
    """What happened on a day, as far as measuring needs it; the same for all models.

    Attributes
    ----------
    where
        int64[k]: indices of cells with incidents.
    incidents
        float64[k]: incidents in them.
    total
        Their sum.
    best_hits
        float64[c]: the most that any choice of cells could catch at each coverage.
    """

    where: IntArray
    incidents: FloatArray
    total: float
    best_hits: FloatArray


class Surface(NamedTuple):
    """A forecast to be measured: shares float64[n] that sum to 1, ranks int[n] from 1, unique."""

    forecast_date: date
    model: str
    offence_group: str
    scores: FloatArray
    rank: npt.NDArray[np.integer]


class _Caught(NamedTuple):
    hits: FloatArray
    expected: FloatArray
    log_score: float | None


def day_truth(counts: FloatArray, ruler: Ruler) -> DayTruth:
    """What happened, from incidents per cell float64[n] (not negative), and the best catch per coverage."""
    if counts.shape != ruler.size.shape:
        raise ValueError(f"{len(counts)} counts for {len(ruler.size)} cells")
    if not (np.isfinite(counts) & (counts >= 0)).all():
        raise ValueError("incidents per cell must be finite and not negative")
    where = np.flatnonzero(counts)
    incidents = counts[where].astype(np.float64)
    return DayTruth(where, incidents, float(incidents.sum()), _best_hits(incidents, where, ruler))


def _best_hits(incidents: FloatArray, where: IntArray, ruler: Ruler) -> FloatArray:
    size = ruler.size[where]
    densest = np.argsort(-(incidents / size), kind="stable")
    size, incidents = size[densest], incidents[densest]
    before = np.cumsum(size) - size
    limits = ruler.coverages[:, None] * ruler.size.sum()
    taken: FloatArray = (fraction_within(before[None, :], size[None, :], limits) * incidents).sum(axis=1)
    return taken


def _caught(scores: FloatArray, rank: npt.NDArray[np.integer], truth: DayTruth, ruler: Ruler) -> _Caught:
    if not len(scores) == len(rank) == len(ruler.size):
        raise ValueError(f"{len(scores)} scores and {len(rank)} ranks for {len(ruler.size)} cells")
    if not (scores.min() >= 0 and abs(scores.sum() - 1.0) < 1e-6):  # also catches NaN
        raise ValueError("scores must be shares: not negative, and together 1")
    order = order_of(rank)
    ranked = ruler.size[order]
    reached = np.cumsum(ranked)
    limits = ruler.coverages * reached[-1]

    position = rank[truth.where].astype(np.int64) - 1
    before, size = reached[position] - ranked[position], ranked[position]
    hits = (fraction_within(before[None, :], size[None, :], limits[:, None]) * truth.incidents).sum(axis=1)

    margin = np.minimum(np.searchsorted(reached, limits), len(order) - 1)
    mass, last = np.cumsum(scores[order]), scores[order[margin]]
    part = np.clip((limits - reached[margin] + ranked[margin]) / ranked[margin], 0.0, 1.0)
    expected = np.clip(mass[margin] - last * (1.0 - part), 0.0, 1.0)
    return _Caught(hits, expected, _log_score(scores, truth, ruler))


def _log_score(scores: FloatArray, truth: DayTruth, ruler: Ruler) -> float | None:
    if truth.total == 0:
        return None
    share = np.maximum(scores[truth.where], SCORE_FLOOR) / np.maximum(scores, SCORE_FLOOR).sum()
    uniform = ruler.size[truth.where] / ruler.size.sum()
    return float((np.log(share / uniform) * truth.incidents).sum() / truth.total)


def outcomes(
    scores: FloatArray,
    rank: npt.NDArray[np.integer],
    counts: FloatArray,
    area_km2: FloatArray,
    coverages: Sequence[float] = COVERAGES,
    *,
    reproduce_by_cells: bool = False,
) -> pl.DataFrame:
    """One forecast measured against one day: a row per coverage, columns `MEASURES`.

    Parameters
    ----------
    scores, rank
        float64[n] shares that sum to 1; int[n] ranks, 1 = highest, unique.
    counts
        float64[n] incidents of that day and offence group per cell (weights / 1e6).
    area_km2
        float64[n] true areas of the cells.
    coverages
        Flagged shares of the area, ascending.
    reproduce_by_cells
        Measure coverage as a share of the number of cells, as a published table did. For that
        reproduction only.

    Returns
    -------
    Rates are null on a day without incidents: it says nothing about a model.

    Raises
    ------
    ValueError
        For vectors of different lengths, negative counts, scores that are no shares, ranks with ties.
    """
    ruler = (
        Ruler.by_cells(len(area_km2), coverages) if reproduce_by_cells else Ruler.by_area(area_km2, coverages)
    )
    truth = day_truth(counts, ruler)
    return _measures([_caught(scores, rank, truth, ruler)], [truth], ruler)


def range_outcomes(
    surfaces: Iterable[Surface], truths: Mapping[tuple[date, str], DayTruth], ruler: Ruler
) -> pl.DataFrame:
    """Many forecasts measured: columns `OUTCOMES`, a row per surface and coverage, in the order given.

    Surfaces may be produced on the fly, so a year needs the memory of one day. `truths` holds what
    happened by (forecast date, offence group), measured once for all models with `day_truth` and the same
    `ruler`. About half a millisecond for a surface of 36,000 cells.

    Raises
    ------
    KeyError
        When a day and offence group has no truth: a forecast is never scored against nothing.
    """
    keys: list[tuple[date, str, str]] = []
    caught: list[_Caught] = []
    known: list[DayTruth] = []
    for surface in surfaces:
        truth = truths[surface.forecast_date, surface.offence_group]
        keys.append((surface.forecast_date, surface.model, surface.offence_group))
        caught.append(_caught(surface.scores, surface.rank, truth, ruler))
        known.append(truth)
    index = pl.DataFrame(keys, schema=KEYS, orient="row")
    repeated = index.select(pl.all().repeat_by(len(ruler.coverages)).explode(empty_as_null=False))
    return pl.concat([repeated, _measures(caught, known, ruler)], how="horizontal").select(list(OUTCOMES))


def _measures(caught: Sequence[_Caught], truths: Sequence[DayTruth], ruler: Ruler) -> pl.DataFrame:
    many = len(ruler.coverages)
    frame = pl.DataFrame(
        {
            "coverage": np.tile(ruler.coverages, len(caught)),
            "incidents": np.repeat(np.array([truth.total for truth in truths], dtype=np.float64), many),
            "hits": np.concatenate([c.hits for c in caught]) if caught else np.empty(0),
            "log_score": pl.Series([c.log_score for c in caught for _ in range(many)], dtype=pl.Float64),
            "best_hits": np.concatenate([truth.best_hits for truth in truths]) if truths else np.empty(0),
            "expected_hit_rate": np.concatenate([c.expected for c in caught]) if caught else np.empty(0),
        }
    )
    return with_rates(frame).select(list(MEASURES))


def with_rates(frame: pl.DataFrame) -> pl.DataFrame:
    """Add hit_rate, pai, pei to rows with coverage, incidents, hits and best_hits; null without incidents."""
    happened = pl.col("incidents") > 0
    # Sums of the same numbers in two orders differ in the last bits; nobody catches more than there was.
    hits = pl.min_horizontal("hits", "best_hits")
    return frame.with_columns(
        hit_rate=pl.when(happened).then(pl.min_horizontal(pl.col("hits") / pl.col("incidents"), 1.0)),
        pei=pl.when(happened).then(hits / pl.col("best_hits")),
    ).with_columns(pai=pl.col("hit_rate") / pl.col("coverage"))


def pooled(outcomes: pl.DataFrame, by: Sequence[str] = ("model", "offence_group")) -> pl.DataFrame:
    """All days of a period taken together: every incident counts the same, whatever its day.

    `outcomes` has the columns `OUTCOMES`. Returns `by`, days (with incidents), and the columns of
    `MEASURES` for the sums: hit_rate = sum of hits / sum of incidents, pei = sum of hits / sum of
    best_hits, log_score and expected_hit_rate weighted by incidents. Sorted by `by` and coverage.
    """
    weighted = [
        ((pl.col(name) * pl.col("incidents")).sum() / pl.col("incidents").sum()).fill_nan(None).alias(name)
        for name in ("log_score", "expected_hit_rate")
    ]
    keys = [*by, "coverage"]
    summed = outcomes.group_by(keys).agg(
        (pl.col("incidents") > 0).sum().cast(pl.Int64).alias("days"),
        pl.col("incidents", "hits", "best_hits").sum(),
        *weighted,
    )
    return with_rates(summed).select([*by, "days", *MEASURES]).sort(keys)

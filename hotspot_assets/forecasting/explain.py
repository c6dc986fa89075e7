"""Explanations: a score taken apart into the incidents it was summed from.

Belongs here: the contributions of single incidents to the scores of cells, and what the newest of them do to
a cell's rank. Not here: telling it to a reader (patrol briefings), and models that are no kernel: boosting
has no exact explanation, and none is offered.

Every kernel is a sum over incidents, so this is the same sum not added up: for each cell, the contributions
and the background add up to its score. In a mixture the divisors of the day are taken as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import polars as pl

from hotspot_assets.errors import UserError
from hotspot_assets.forecasting.activity import Activity
from hotspot_assets.forecasting.engine import Layer, Plan
from hotspot_assets.forecasting.events import ONE_INCIDENT, Events, epoch_day, require_covered
from hotspot_assets.forecasting.kernel import DecayKernel
from hotspot_assets.forecasting.profiles import FloatArray
from hotspot_assets.forecasting.spatial import Spread
from hotspot_assets.forecasting.state import DecayedCounts, Row
from hotspot_assets.hexgrid.neighbours import Neighbours
from hotspot_assets.hexgrid.study_areas import StudyArea

if TYPE_CHECKING:
    from scipy.sparse import csr_array

_ORDER, _DESCENDING = ("cell", "contribution", "day", "incident_key"), [False, True, True, False]
_PLACES = {"incident": 0, "other incidents": 1, "background": 2}
_CHUNK_CELLS = 100
"""Cells taken apart at a time: a wide kernel with a long memory has tens of thousands of contributions a cell."""

NEWEST = 2
"""How many of a cell's newest incidents are taken out to see how much hangs on them."""


class OutsideStudyArea(UserError):
    """A cell of which a forecast says nothing."""


@dataclass(frozen=True, eq=False)
class Explanation:
    """Scores of some cells taken apart.

    `contributions`: cell, incident_key (null: the background), offence_group, day, age_days, ring,
    distance_m, contribution; sorted by cell, largest contribution first; of each cell they add up to its
    score.

    `cells`: cell, score, rank (1 + number of cells with a higher score), background, incidents, newest (keys
    of the two newest incidents in the cell or next to it; null: none), rank_without_newest (the rank if what
    these two give, in all cells, were taken away).
    """

    contributions: pl.DataFrame
    cells: pl.DataFrame


@dataclass(frozen=True, eq=False)
class Incidents:
    """Incidents that may count, net of what was taken back: one per key, group, setting, cell and day."""

    frame: pl.DataFrame
    cell: npt.NDArray[np.int64]

    def of(self, group: str, setting: str) -> npt.NDArray[np.integer]:
        """Where the incidents of an offence group lie, in one setting or (empty) in all."""
        wanted = pl.col("offence_group") == group
        if setting:
            wanted &= pl.col("setting") == setting
        return self.frame.select(pl.arg_where(wanted)).to_series().to_numpy()


@dataclass(frozen=True, eq=False)
class _Layer:
    """A spatial profile, and what each incident gives through it before it is spread (as shares).

    `placed` is the same as a matrix: rows = cells, columns = incidents.
    """

    spread: Spread
    given: FloatArray
    placed: csr_array[np.float64]


@dataclass(frozen=True, eq=False)
class TakenApart:
    """One surface taken apart: what incidents give through each spatial profile, background and scores by cell."""

    area: StudyArea
    neighbours: Neighbours
    day: date
    activity: Activity
    layers: list[_Layer]
    incidents: Incidents
    background: FloatArray
    scores: FloatArray


def known_incidents(ledger: pl.DataFrame, area: StudyArea, day: date, cut_off: datetime) -> Incidents:
    """The incidents that a forecast for `day` knew of.

    `ledger` holds the rows of hexagon_incidents that its events were built from, with incident_key, as known at the
    forecast's delivery; `cut_off` is the forecast's.
    """
    known = pl.col("known_from") <= pl.lit(cut_off)
    frame = (
        ledger.lazy()
        .filter(pl.col("day") < day, known)
        .group_by("incident_key", "offence_group", "setting", "cell", "day")
        .agg(pl.col("weight").cast(pl.Int64).sum())
        .filter(pl.col("weight") != 0)
        .collect()
    )
    frame = frame.with_columns(pl.Series("position", area.index_of(frame["cell"].to_numpy())))
    frame = frame.filter(pl.col("position") >= 0).sort(
        "day", "incident_key", "offence_group", "setting", "position"
    )
    return Incidents(frame, frame["position"].to_numpy())


def take_apart(
    incidents: Incidents,
    events: Events,
    area: StudyArea,
    neighbours: Neighbours,
    kernel: DecayKernel,
    group: str,
    day: date,
) -> TakenApart:
    """Take the surface of one offence group and forecast date apart.

    `incidents` are the `known_incidents` of what `events` were built from, of all groups that the kernel reads or more.
    """
    require_covered(events, day, day)
    plan = Plan({group: kernel}, area, neighbours)
    state = DecayedCounts(events, plan.rows, area.n, day)
    activity = plan.activity(events, day)
    (surface,) = plan.surfaces(activity, [day], plan.added_up(state, [day]))
    total = float(surface.totals[0])
    scale = state.scale() * (total if total > 0 else 1.0)
    by_cell = np.argsort(incidents.cell, kind="stable")

    def taken(layer: Layer, weights: FloatArray) -> _Layer:
        given = _given(layer.rows, weights / scale[layer.rows], plan.rows, incidents, day)
        return _Layer(layer.spread, given, _placed(given, incidents.cell, by_cell, area.n))

    layers = [
        taken(layer, weights) for layer, weights in zip(plan.layers, plan.day_weights(state), strict=True)
    ]
    background = plan.backgrounds[0] / (total if total > 0 else 1.0)
    return TakenApart(area, neighbours, day, activity, layers, incidents, background, surface.shares[0])


def explain(taken: TakenApart, cells: Sequence[int]) -> Explanation:
    """Explain the scores of `cells` (H3 ids). Raises OutsideStudyArea for a cell that is not in the area."""
    neighbours, day = taken.neighbours, taken.day
    wanted, targets = _wanted(taken, cells)
    parts = _parts(taken, targets)
    contributions = pl.concat(
        [
            _contributions(parts, taken.incidents, neighbours, wanted, targets, day),
            pl.DataFrame({"cell": wanted, "contribution": taken.background[targets]}),
        ],
        how="diagonal",
    ).sort(*_ORDER, descending=_DESCENDING, nulls_last=True)
    newest = _newest(contributions)
    without = _without(newest, taken, wanted, targets)
    return Explanation(
        contributions, _per_cell(contributions, newest, taken.scores, without, wanted, targets)
    )


def explain_largest(taken: TakenApart, cells: Sequence[int], most: int) -> pl.DataFrame:
    """As `explain` for many cells: of each the `most` largest contributions, and the rest in one row.

    Columns cell, number (from 1, largest first, then the rest, then the background), part ("incident", "other
    incidents", "background"), incident_key, source_group, day, age_days, ring, distance_m, incidents (how many
    make the row), contribution. Of each cell the contributions add up to its score. Raises as `explain`.
    """
    neighbours, day = taken.neighbours, taken.day
    wanted, targets = _wanted(taken, cells)
    chunks = []
    for start in range(0, len(wanted), _CHUNK_CELLS):
        some, their = wanted[start : start + _CHUNK_CELLS], targets[start : start + _CHUNK_CELLS]
        parts = _parts(taken, their)
        largest, other_sum, other_count = _largest(parts, most)
        incidents = _contributions(largest, taken.incidents, neighbours, some, their, day)
        sums = {"cell": some, "contribution": other_sum, "incidents": other_count}
        backgrounds = {"cell": some, "contribution": taken.background[their]}
        others = (
            pl.DataFrame(sums).filter(pl.col("incidents") > 0).with_columns(part=pl.lit("other incidents"))
        )
        one = incidents.with_columns(part=pl.lit("incident"), incidents=pl.lit(1, pl.Int64))
        background = pl.DataFrame(backgrounds).with_columns(
            part=pl.lit("background"), incidents=pl.lit(0, pl.Int64)
        )
        chunks.append(
            pl.concat([one.sort(*_ORDER, descending=_DESCENDING), others, background], how="diagonal")
        )
    place = pl.col("part").replace_strict(_PLACES, return_dtype=pl.Int8)
    rows = (
        pl.concat(chunks).rename({"offence_group": "source_group"}).sort("cell", place, maintain_order=True)
    )
    return rows.with_columns(number=pl.int_range(1, pl.len() + 1, dtype=pl.Int32).over("cell"))


def _largest(
    parts: csr_array[np.float64], most: int
) -> tuple[csr_array[np.float64], FloatArray, npt.NDArray[np.int64]]:
    """The `most` largest of each row; sum and number of the others."""
    from scipy.sparse import csr_array

    kept = np.ones(len(parts.data), dtype=np.bool_)
    for begin, end in pairwise(parts.indptr):
        if end - begin > most:
            kept[begin + np.argpartition(-parts.data[begin:end], most)[most:]] = False
    row = np.repeat(np.arange(parts.shape[0]), np.diff(parts.indptr))
    counts = np.bincount(row[kept], minlength=parts.shape[0])
    ends = np.concatenate([[0], np.cumsum(counts)])
    largest = csr_array((parts.data[kept], parts.indices[kept], ends), shape=parts.shape)
    others = np.bincount(row[~kept], weights=parts.data[~kept], minlength=parts.shape[0])
    return largest, np.asarray(others, dtype=np.float64), np.diff(parts.indptr).astype(np.int64) - counts


def _wanted(taken: TakenApart, cells: Sequence[int]) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
    wanted = np.unique(np.asarray(cells, dtype=np.uint64))
    targets = taken.area.index_of(wanted)
    if outside := int(np.count_nonzero(targets < 0)):
        raise OutsideStudyArea(
            f"{outside} of {len(wanted)} cells lie outside the study area of the forecast for {taken.day}; choose"
            f" among its {taken.area.n} cells, or, where patrol areas hold them, have the areas of that day made again."
        )
    return wanted, targets


def _given(
    rows: npt.NDArray[np.int32],
    weights: FloatArray,
    all_rows: Sequence[Row],
    incidents: Incidents,
    day: date,
) -> FloatArray:
    """What each incident gives through one layer before it is spread: over rows, weight x what is left."""
    age = epoch_day(day) - incidents.frame["day"].cast(pl.Int32).to_numpy().astype(np.int64)
    given = np.zeros(len(age))
    weighted = zip((all_rows[number] for number in rows), weights, strict=True)
    for source, of_source in groupby(weighted, key=lambda each: each[0].source):
        where = incidents.of(*source)
        for row, weight in of_source:
            given[where] += weight * row.memory.at(age[where])
    return np.asarray(given * incidents.frame["weight"].to_numpy() / ONE_INCIDENT)


def _placed(
    given: FloatArray, cell: npt.NDArray[np.int64], by_cell: npt.NDArray[np.int64], cells: int
) -> csr_array[np.float64]:
    """What each incident gives, in the row of its cell; `by_cell` are the incidents cell by cell."""
    from scipy.sparse import csr_array

    giving = by_cell[given[by_cell] != 0]
    ends = np.searchsorted(cell[giving], np.arange(cells + 1))
    return csr_array((given[giving], giving, ends), shape=(cells, len(given)))


def _parts(taken: TakenApart, targets: npt.NDArray[np.int64]) -> csr_array[np.float64]:
    """Contributions: rows = explained cells, columns = incidents."""
    from scipy.sparse import csr_array

    parts: csr_array[np.float64] = csr_array((len(targets), len(taken.incidents.cell)), dtype=np.float64)
    for layer in taken.layers:
        parts = csr_array(parts + layer.spread.received(taken.activity, targets) @ layer.placed)
    parts.eliminate_zeros()
    parts.sort_indices()
    return parts


def _contributions(
    parts: csr_array[np.float64],
    incidents: Incidents,
    neighbours: Neighbours,
    wanted: npt.NDArray[np.uint64],
    targets: npt.NDArray[np.int64],
    day: date,
) -> pl.DataFrame:
    row = np.repeat(np.arange(len(targets)), np.diff(parts.indptr))
    ring, distance_m = _apart(neighbours, targets, row, incidents.cell[parts.indices])
    columns = incidents.frame[parts.indices.astype(np.int64)].select("incident_key", "offence_group", "day")
    return columns.select(
        pl.Series("cell", wanted[row]),
        "incident_key",
        "offence_group",
        "day",
        (pl.lit(day) - pl.col("day")).dt.total_days().cast(pl.Int32).alias("age_days"),
        pl.Series("ring", ring.astype(np.int32)),
        pl.Series("distance_m", distance_m),
        pl.Series("contribution", parts.data),
    )


def _apart(
    neighbours: Neighbours,
    targets: npt.NDArray[np.int64],
    row: npt.NDArray[np.int64],
    cell: npt.NDArray[np.int64],
) -> tuple[npt.NDArray[np.int64], FloatArray]:
    """Ring and metres between explained cells (by their row) and incidents' cells."""
    ring = neighbours.ring[targets]
    cells = ring.shape[1]
    keys = np.repeat(np.arange(len(targets)), np.diff(ring.indptr)) * cells + ring.indices
    position = np.searchsorted(keys, row * cells + cell)
    return ring.data[position].astype(np.int64) - 1, neighbours.metres(targets[row], cell)


def _newest(contributions: pl.DataFrame) -> pl.DataFrame:
    """Columns cell, incident_key: of each cell, the newest incidents in it or next to it, newest first."""
    return (
        contributions.filter(pl.col("ring") <= 1)
        .group_by("cell", "incident_key")
        .agg(pl.col("day").max(), pl.col("contribution").sum())
        .sort("cell", "day", "contribution", "incident_key", descending=[False, True, True, False])
        .group_by("cell", maintain_order=True)
        .head(NEWEST)
        .select("cell", "incident_key")
    )


def _without(
    newest: pl.DataFrame, taken: TakenApart, wanted: npt.NDArray[np.uint64], targets: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Rank of each explained cell once its newest incidents' contributions are taken away in all cells."""
    from scipy.sparse import csr_array

    incidents, scores = taken.incidents, taken.scores
    numbered = incidents.frame.with_row_index("number")
    named = newest.join(numbered.drop("cell"), on="incident_key", how="inner").sort("cell", "number")
    row = np.searchsorted(wanted, named["cell"].to_numpy())
    number = named["number"].to_numpy().astype(np.int64)
    lost: csr_array[np.float64] = csr_array((len(wanted), len(scores)), dtype=np.float64)
    for layer in taken.layers:
        given = layer.given[number]
        chosen = csr_array((given, (row, np.arange(len(number)))), shape=(len(wanted), len(number)))
        of_them = layer.spread.given_by(taken.activity, incidents.cell[number])
        lost = csr_array(lost + chosen @ of_them)
    row = np.repeat(np.arange(len(wanted)), np.diff(lost.indptr))
    before = scores[lost.indices]
    after = before - lost.data
    own = scores[targets].copy()
    is_own = lost.indices == targets[row]
    own[row[is_own]] = after[is_own]
    higher = len(scores) - np.searchsorted(np.sort(scores), own, side="right")
    moved = (after > own[row]).astype(np.int64) - (before > own[row])
    return 1 + higher + np.bincount(row, weights=moved, minlength=len(wanted)).astype(np.int64)


def _per_cell(
    contributions: pl.DataFrame,
    newest: pl.DataFrame,
    scores: FloatArray,
    without: npt.NDArray[np.int64],
    wanted: npt.NDArray[np.uint64],
    targets: npt.NDArray[np.int64],
) -> pl.DataFrame:
    own = scores[targets]
    is_background = pl.col("incident_key").is_null()
    facts = contributions.group_by("cell").agg(
        pl.col("contribution").filter(is_background).sum().alias("background"),
        pl.col("incident_key").drop_nulls().n_unique().alias("incidents"),
    )
    names = newest.group_by("cell", maintain_order=True).agg(pl.col("incident_key").alias("newest"))
    ranks = pl.DataFrame(
        {
            "cell": wanted,
            "score": own,
            "rank": 1 + len(scores) - np.searchsorted(np.sort(scores), own, side="right"),
            "rank_without_newest": without,
        }
    )
    return ranks.join(facts, on="cell", how="left").join(names, on="cell", how="left").sort("cell")

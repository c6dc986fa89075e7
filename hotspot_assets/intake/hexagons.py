"""From versions of incidents to the signed ledger of weights per day and hexagon.

Belongs here: what a version adds and what it takes back of the version it replaces. Not here: how an incident
is split over days (`aoristic`), and the sums that forecasts make of the entries.

Entries are never changed. At any (cut-off, delivery) the entries known then sum, for each incident, to
`WEIGHT_OF_ONE` where it was open, placed and its span within the limit, and to nothing where not. That holds
as long as a home keeps its zone, day start, resolution and span limits; after a change of one of them the
entries are to be made again from all versions.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import time

import polars as pl

from hotspot_assets.hexgrid.cells import with_cells
from hotspot_assets.intake.aoristic import SpanLimits, day_weights, over_long, with_spans
from hotspot_assets.intake.content import MOMENT

ENTRY_SCHEMA: dict[str, pl.DataType] = {
    "day": pl.Date(),
    "cell": pl.UInt64(),
    "offence_group": pl.String(),
    "setting": pl.String(),
    "incident_key": pl.String(),
    "delivery_seq": pl.Int64(),
    "known_from": MOMENT,
    "weight": pl.Int32(),
}


@dataclass(frozen=True)
class Bucketing:
    """How incidents become entries; one per home."""

    resolution: int
    zone: str
    day_start: time = time(0)
    limits: SpanLimits = field(default_factory=SpanLimits)


@dataclass(frozen=True)
class HexagonEntries:
    """Entries for the ledger of weights, and what could not be placed.

    Attributes
    ----------
    entries
        `ENTRY_SCHEMA`, by day, cell and the order of the new versions; no weight is 0.
    placed, unplaced, inverted, month_only
        Open incidents among the new versions: entered; without coordinates; with an end before the start
        (entered at the start); spread over their month.
    over_long
        offence_group, incidents (open and placed), over_long (left out as too long a range), share.
    """

    entries: pl.DataFrame
    placed: int
    unplaced: int
    inverted: int
    month_only: int
    over_long: pl.DataFrame


def hexagon_entries(new: pl.DataFrame, replaced: pl.DataFrame, bucketing: Bucketing) -> HexagonEntries:
    """Entries that new versions make, each at its own `delivery_seq` and `known_from`.

    Parameters
    ----------
    new
        Versions to enter, at most one per incident.
    replaced
        The version before, for those of them that have one; versions of other incidents are not touched.
    bucketing
        Resolution, days and limits.
    """
    version = pl.int_range(pl.len(), dtype=pl.UInt32).alias("version")
    spans = _bucketed(new.with_columns(version), bucketing)
    taken = _bucketed(replaced.join(new.select("incident_key", version), on="incident_key"), bucketing)
    added, back = (_weights(versions, bucketing) for versions in (spans, taken))
    weights = added
    if back.height:
        weights = _netted(pl.concat([added, back.with_columns(weight=-pl.col("weight"))]))
    weights = weights.sort("day", "cell", "version", "offence_group", "setting")
    named = new.select("incident_key", "delivery_seq", "known_from")[weights["version"]]
    return HexagonEntries(
        entries=weights.hstack(named).select(list(ENTRY_SCHEMA)),
        placed=spans.filter(_enters()).height,
        unplaced=spans.filter(pl.col("cell").is_null()).height,
        inverted=spans.filter(_enters() & pl.col("inverted")).height,
        month_only=spans.filter(_enters() & (pl.col("time_precision") == "month")).height,
        over_long=_over_long_shares(spans),
    )


def _bucketed(versions: pl.DataFrame, bucketing: Bucketing) -> pl.DataFrame:
    """Open versions with cell, span and whether the span is too long."""
    needed = versions.filter(~pl.col("closed")).select(
        *("version", "offence_group", "setting", "latitude", "longitude"),
        *("occurred_from", "occurred_to", "time_precision"),
    )
    spans = with_spans(with_cells(needed, bucketing.resolution), bucketing.zone)
    return spans.with_columns(over_long=over_long(bucketing.zone, bucketing.limits))


def _enters() -> pl.Expr:
    return pl.col("cell").is_not_null() & ~pl.col("over_long")


def _weights(spans: pl.DataFrame, bucketing: Bucketing) -> pl.DataFrame:
    split = day_weights(spans.filter(_enters()), bucketing.zone, bucketing.day_start)
    return split.select("day", "cell", "offence_group", "setting", "version", "weight")


def _netted(weights: pl.DataFrame) -> pl.DataFrame:
    """Add what falls together and drop what cancels: an amendment that moves nothing leaves no entry."""
    summed = weights.group_by("version", "day", "cell", "offence_group", "setting").agg(
        pl.col("weight").sum()
    )
    return summed.filter(pl.col("weight") != 0).select(weights.columns)


def _over_long_shares(spans: pl.DataFrame) -> pl.DataFrame:
    placed = spans.filter(pl.col("cell").is_not_null())
    counted = placed.group_by("offence_group").agg(
        incidents=pl.len().cast(pl.Int64), over_long=pl.col("over_long").sum().cast(pl.Int64)
    )
    return counted.with_columns(share=pl.col("over_long") / pl.col("incidents")).sort("offence_group")

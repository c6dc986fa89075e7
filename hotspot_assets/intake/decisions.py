"""What a row, a reversal and what is known of an incident come to: the rules of `versions`, on columns.

Belongs here: the decision for each incident that a delivery names. Not here: the rules in words, and how the
decided versions are put together (`versions`).
"""

from __future__ import annotations

import polars as pl

from hotspot_assets.intake.content import MOMENT, NO_CONTENT, OFFENCE, PLACE, content_hash
from hotspot_assets.intake.knowledge import DeliveryFacts

REASONS = ("new", "amended", "re-geocoded", "re-classified", "reversed")
"""Reasons that rows give; `reason_number` of a decision holds them as bits, the first as 1."""


def decide(
    originals: pl.DataFrame, reversals: pl.DataFrame, known: pl.DataFrame, facts: DeliveryFacts
) -> pl.DataFrame:
    """Decide for each incident named by a delivery.

    Parameters
    ----------
    originals, reversals
        Its rows, one per incident each, with knowledge times, `content_hash`, `place_hash`, `offence_hash`.
    known
        Last versions. The tombstone of a reversal has the reversal's `modified_at`; without one it is final.
    facts
        The delivery as a whole.

    Returns
    -------
    pl.DataFrame
        One row per incident. `o`, `r`, `k`: positions in the three frames, null where there is none.
        `o_counts`, `r_counts`: whether the row and the reversal change anything. Of the new version, if
        one of them does: `known_from`, `known_assumed`, `closed`, `modified_at`, `reason_number`.
    """
    table = _sides(originals, reversals, known)
    has_o, has_r, has_k = (pl.col(side).is_not_null() for side in "ork")
    differs = pl.col("o_hash") != pl.col("k_hash")
    return (
        table.with_columns(
            o_counts=has_o
            & ~pl.col("k_erased")
            & pl.when(~has_k | pl.col("k_waiting"))
            .then(True)
            .when("k_reversed")
            .then(_later("o_modified", "k_modified"))
            .otherwise((differs | pl.col("k_vanished")) & ~_outdated(facts))
        )
        .with_columns(
            outdone_by=pl.when("o_counts").then("o_modified").when(~pl.col("k_reversed")).then("k_modified")
        )
        .with_columns(
            r_counts=has_r
            & ~pl.col("k_erased")
            & ~_later("outdone_by", "r_modified")
            & (~pl.col("k_reversed") | pl.col("o_counts") | _reversed_later())
        )
        .with_columns(
            is_new=pl.col("o_counts") & (~has_k | pl.col("k_waiting")),
            is_amended=pl.col("o_counts") & has_k & ~pl.col("k_waiting"),
            closed=pl.col("r_counts")
            | (pl.col("o_counts") & pl.col("k_waiting") & ~_later("o_modified", "k_modified")),
            is_outdated=has_o
            & has_k
            & differs
            & ~(pl.col("o_counts") | pl.col("k_erased") | pl.col("k_reversed")),
        )
        .with_columns(_known_from(has_k), _known_assumed(has_k), _modified_at(), _reason_number())
    )


def _sides(originals: pl.DataFrame, reversals: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    position = pl.int_range(pl.len(), dtype=pl.UInt32)
    original = originals.select(
        "incident_key",
        o=position,
        o_modified="modified_at",
        o_hash="content_hash",
        o_place="place_hash",
        o_offence="offence_hash",
        o_new_at="new_at",
        o_new_assumed="new_assumed",
        o_change_at="change_at",
    )
    reversal = reversals.select(
        "incident_key",
        r=position,
        r_modified="modified_at",
        r_new_at="new_at",
        r_new_assumed="new_assumed",
        r_change_at="change_at",
    )
    is_reversed = pl.col("closed") & pl.col("reasons").list.contains("reversed")
    is_erased = pl.col("closed") & pl.col("reasons").list.contains("erased")
    present = known.select(
        "incident_key",
        k=position,
        k_modified="modified_at",
        k_hash="content_hash",
        k_place=content_hash(PLACE),
        k_offence=content_hash(OFFENCE),
        k_known_from="known_from",
        k_assumed="known_assumed",
        k_reversed=is_reversed,
        k_waiting=is_reversed & (pl.col("content_hash") == NO_CONTENT),
        k_erased=is_erased,
        k_vanished=pl.col("closed") & ~is_reversed & ~is_erased,
    )
    named = original.join(reversal, on="incident_key", how="full", coalesce=True, maintain_order="left_right")
    table = named.join(present, on="incident_key", how="left", maintain_order="left")
    return table.with_columns(pl.col("k_reversed", "k_waiting", "k_erased", "k_vanished").fill_null(False))


def _later(this: str, that: str) -> pl.Expr:
    """Whether the first time is the later one; false where either is missing."""
    return (pl.col(this) > pl.col(that)).fill_null(False)


def _outdated(facts: DeliveryFacts) -> pl.Expr:
    """Whether the row is older than what is known: by the source's clock, else by publication."""
    row, known = pl.col("o_modified"), pl.col("k_modified")
    older = known.is_not_null() & (row.is_null() | (row < known))
    if facts.knowledge != "published":
        return older.fill_null(False)
    published_before = ~pl.col("k_assumed") & (pl.lit(facts.stated_at, dtype=MOMENT) < pl.col("k_known_from"))
    return (older | (row.eq_missing(known) & published_before)).fill_null(False)


def _reversed_later() -> pl.Expr:
    """Whether this reversal reaches further than the one already known."""
    this, that = pl.col("r_modified"), pl.col("k_modified")
    return that.is_not_null() & (this.is_null() | (this > that))


def _known_from(has_k: pl.Expr) -> pl.Expr:
    times = [
        pl.when("is_new").then("o_new_at"),
        pl.when("is_amended").then("o_change_at"),
        pl.when(pl.col("r_counts") & has_k).then("r_change_at"),
        pl.when(pl.col("r_counts") & ~has_k).then("r_new_at"),
        pl.col("k_known_from"),
    ]
    return pl.max_horizontal(times).alias("known_from")


def _known_assumed(has_k: pl.Expr) -> pl.Expr:
    by_reversal_alone = pl.col("r_counts") & ~pl.col("o_counts") & ~has_k & pl.col("r_new_assumed")
    return (
        ((pl.col("is_new") & pl.col("o_new_assumed")) | by_reversal_alone)
        .fill_null(False)
        .alias("known_assumed")
    )


def _modified_at() -> pl.Expr:
    """Time of the content; on a tombstone that of the latest reversal, and none if one of them has none."""
    this, that = pl.col("r_counts"), pl.col("k_reversed")
    final = (this & pl.col("r_modified").is_null()) | (that & pl.col("k_modified").is_null())
    latest = pl.max_horizontal(pl.when(this).then("r_modified"), pl.when(that).then("k_modified"))
    of_tombstone = pl.when(~final).then(latest)
    return pl.when("closed").then(of_tombstone).otherwise("o_modified").alias("modified_at")


def _reason_number() -> pl.Expr:
    """The reasons as bits, in the order of `REASONS`."""
    moved = pl.col("is_amended") & (pl.col("o_place") != pl.col("k_place"))
    retyped = pl.col("is_amended") & (pl.col("o_offence") != pl.col("k_offence"))
    given = [pl.col("is_new"), pl.col("is_amended"), moved, retyped, pl.col("closed")]
    bits = [holds.fill_null(False).cast(pl.UInt32) * 2**place for place, holds in enumerate(given)]
    return pl.sum_horizontal(bits).alias("reason_number")

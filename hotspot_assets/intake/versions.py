"""What a delivery changes: rows compared with what is known, as new versions.

Belongs here: which rows make a version and why, what closes an incident, and the reference reading of
versions as known at a point in time. Not here: reading files, knowledge times (`knowledge`), storage.

**One row per incident and delivery.** Of several rows with one key the one last modified is kept, then one
with a place, then the greater content hash; the order of rows plays no part. The others count as duplicates.

**Which content counts.** The one the source modified last (`modified_at`; a row without it precedes any row
with it). Where that does not tell, the one published last, if deliveries have publication times; where that
does not tell either, the one delivered last. So deliveries of a source that has a clock may arrive in any
order and end in the same present state, as long as an incident does not go back to a content it had before
(a row with the content that is known makes no version, and its later time is not kept). Without a clock the
order of delivery decides. It always decides on disappearance and re-appearance: absence is a statement about
the moment of the delivery.

**Reversals** take back the incident with the same key, whichever came first: one without its original is kept
as a tombstone of hash `NO_CONTENT`, counted as unmatched, and meets its original later. A reversed incident
opens again only by a row modified after the reversal. An erased one never does: its rows count as unchanged.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields, replace
from datetime import datetime

import polars as pl

from hotspot_assets.intake.content import (
    MOMENT,
    NO_CONTENT,
    OFFENCE,
    PLACE,
    VERSION_SCHEMA,
    content_hash,
)
from hotspot_assets.intake.decisions import REASONS, decide
from hotspot_assets.intake.knowledge import DeliveryFacts, with_knowledge_times
from hotspot_assets.intake.validation import NOT_TAKEN_SCHEMA


@dataclass(frozen=True)
class Counts:
    """What became of the accepted rows of a delivery, and what else it did.

    The accepted rows are the sum of the first five. Among the unchanged are `rows_outdated`, older than what
    is known. The others count incidents: closed because a complete delivery lacks them, or to be closed once
    approved; closed because the source now says what is left out; reversals without an original, and
    originals that met a reversal delivered before them.
    """

    rows_new: int
    rows_amended: int
    rows_unchanged: int
    rows_duplicate: int
    rows_reversed: int
    rows_outdated: int
    incidents_vanished: int
    closings_waiting: int
    incidents_excluded: int
    reversals_unmatched: int
    reversals_matched_late: int

    def __add__(self, other: Counts) -> Counts:
        """Counts of two parts of a delivery that share no incident."""
        return Counts(*(mine + theirs for mine, theirs in zip(astuple(self), astuple(other), strict=True)))


NOTHING_YET = Counts(*[0] * len(fields(Counts)))
"""Counts of a delivery before its first row."""

NONE_NOT_TAKEN = pl.DataFrame(schema=NOT_TAKEN_SCHEMA)
"""Every row was accepted."""


@dataclass(frozen=True)
class Comparison:
    """New versions (`VERSION_SCHEMA`, one per incident at most), counts, and closings that await approval."""

    versions: pl.DataFrame
    counts: Counts
    waiting: pl.DataFrame


def compare(
    rows: pl.DataFrame,
    known: pl.DataFrame,
    facts: DeliveryFacts,
    not_taken: pl.DataFrame = NONE_NOT_TAKEN,
    closings_wait: bool | None = None,
) -> Comparison:
    """Compare the accepted rows of a delivery with what is known.

    A delivery may be compared in parts, each with all rows of its incidents and with what is known of them:
    the versions are together the same, and the counts add up.

    Parameters
    ----------
    rows
        Accepted rows of one delivery (`ACCEPTED_SCHEMA`).
    known
        Present last version, closed or not, of each incident of the same source that the rows name, and of
        each that a declared completeness covers. Others do no harm.
    facts
        The delivery as a whole.
    not_taken
        Incidents named by rows that bring no version (`NOT_TAKEN_SCHEMA`). They have not vanished; those that
        the contract leaves out by now are closed: the source re-classified them into what is not taken.
    closings_wait
        Whether closings wait for a word, said of the delivery as a whole (`must_wait`) where this is a part.
    """
    if known["incident_key"].n_unique() < known.height:
        raise ValueError("known must hold the last version of each incident only")
    # Lazily, so that what the three hashes share is worked out once.
    prepared = with_knowledge_times(rows, facts).lazy().with_columns(_hashes()).collect()
    originals = _one_per_incident(prepared.filter(~pl.col("reversal")))
    reversals = _one_per_incident(prepared.filter(pl.col("reversal")))
    decisions = decide(originals, reversals, known, facts)
    told = _versions(decisions, originals, reversals, known, facts)
    excluded = _excluded(rows, known, not_taken)
    vanished, covered = _vanished(rows, known, facts, not_taken)
    waits = must_wait(vanished.height, covered, facts) if closings_wait is None else closings_wait
    closed = closings(vanished, facts.delivery_seq, facts.stated_at, "vanished")
    left = closings(excluded, facts.delivery_seq, facts.stated_at, "re-classified")
    now, later = (closed.clear(), closed) if waits else (closed, closed.clear())
    counts = replace(
        _counts(decisions),
        rows_duplicate=rows.height - originals.height - reversals.height,
        incidents_vanished=now.height,
        closings_waiting=later.height,
        incidents_excluded=left.height,
    )
    return Comparison(pl.concat([told, left, now]), counts, later)


def count_vanished(
    rows: pl.DataFrame, known: pl.DataFrame, facts: DeliveryFacts, not_taken: pl.DataFrame
) -> tuple[int, int]:
    """Incidents that `compare` would find vanished, and how many the delivery should hold."""
    vanished, covered = _vanished(rows, known, facts, not_taken)
    return vanished.height, covered


def must_wait(vanished: int, covered: int, facts: DeliveryFacts) -> bool:
    """Whether so many have vanished that closing them waits for an operator's word."""
    return not facts.closing_approved and vanished > facts.closing_limit * covered


def as_known(versions: pl.LazyFrame, cut_off: datetime, delivery_seq: int) -> pl.LazyFrame:
    """Incidents open as known at both clocks: the last version of each, closed ones dropped.

    The plain statement of what point-in-time reads of the lake must return.
    """
    known = versions.filter((pl.col("delivery_seq") <= delivery_seq) & (pl.col("known_from") <= cut_off))
    is_last = pl.col("delivery_seq") == pl.col("delivery_seq").max().over("incident_key")
    return known.filter(is_last & ~pl.col("closed"))


def closings(incidents: pl.DataFrame, delivery_seq: int, known_from: datetime, reason: str) -> pl.DataFrame:
    """Tombstones of incidents, given as their last versions; they carry the content of what they close."""
    return incidents.with_columns(
        delivery_seq=pl.lit(delivery_seq, dtype=pl.Int64),
        line=pl.lit(0, dtype=pl.Int64),
        known_from=pl.max_horizontal("known_from", pl.lit(known_from, dtype=MOMENT)),
        known_assumed=pl.lit(False),
        closed=pl.lit(True),
        reasons=pl.lit([reason], dtype=pl.List(pl.String)),
    ).select(list(VERSION_SCHEMA))


def erasures(incident_keys: pl.Series, source: str, delivery_seq: int, erased_at: datetime) -> pl.DataFrame:
    """Tombstones that keep erased incidents from coming back, and hold nothing of them but the keyed hash.

    What they replace is deleted where it lies, not taken back by entries of weight that would tell the place.
    """
    moment = pl.lit(erased_at, dtype=MOMENT)
    blank = pl.lit("erased")
    return pl.DataFrame({"incident_key": incident_keys}).select(
        "incident_key",
        delivery_seq=pl.lit(delivery_seq, dtype=pl.Int64),
        line=pl.lit(0, dtype=pl.Int64),
        source=pl.lit(source),
        offence_code=blank,
        offence_group=blank,
        occurred_from=moment,
        occurred_to=pl.lit(None, dtype=MOMENT),
        time_precision=blank,
        reported_at=pl.lit(None, dtype=MOMENT),
        recorded_at=pl.lit(None, dtype=MOMENT),
        modified_at=pl.lit(None, dtype=MOMENT),
        status=pl.lit(None, dtype=pl.String),
        latitude=pl.lit(None, dtype=pl.Float64),
        longitude=pl.lit(None, dtype=pl.Float64),
        location_precision=pl.lit("none"),
        reported_by=pl.lit("unknown"),
        setting=pl.lit("unknown"),
        known_from=moment,
        known_assumed=pl.lit(False),
        closed=pl.lit(True),
        reasons=pl.lit(["erased"], dtype=pl.List(pl.String)),
        content_hash=pl.lit(NO_CONTENT, dtype=pl.UInt64),
    )


def _hashes() -> list[pl.Expr]:
    return [
        content_hash().alias("content_hash"),
        content_hash(PLACE).alias("place_hash"),
        content_hash(OFFENCE).alias("offence_hash"),
    ]


def _one_per_incident(rows: pl.DataFrame) -> pl.DataFrame:
    """Keep one row per key, by what the rows say and never by where they stand."""
    if rows["incident_key"].n_unique() == rows.height:
        return rows
    repeated = rows["incident_key"].is_duplicated()
    # A reversal without a time is final (see `decisions`), so it goes before those with one.
    timeless = pl.col("modified_at").is_null() & pl.col("reversal")
    best_first = rows.filter(repeated).sort(
        timeless,
        "modified_at",
        pl.col("latitude").is_not_null(),
        "content_hash",
        "line",
        descending=[True, True, True, True, False],
        nulls_last=True,
    )
    return pl.concat(
        [rows.filter(~repeated), best_first.unique("incident_key", keep="first", maintain_order=True)]
    )


def _versions(
    decisions: pl.DataFrame,
    originals: pl.DataFrame,
    reversals: pl.DataFrame,
    known: pl.DataFrame,
    facts: DeliveryFacts,
) -> pl.DataFrame:
    """Put the decided versions together: content of the row, else of what is known, else of the reversal."""
    by_row = decisions.filter("o_counts")
    by_reversal = decisions.filter(pl.col("r_counts") & ~pl.col("o_counts"))
    unknown = pl.col("k").is_null() | pl.col("k_waiting")
    of_known, alone = by_reversal.filter(~unknown), by_reversal.filter(unknown)
    waiting = reversals[alone["r"]].with_columns(content_hash=pl.lit(NO_CONTENT, dtype=pl.UInt64))
    taken_back = known[of_known["k"]].with_columns(reversals[of_known["r"]]["line"])
    return pl.concat(
        [
            _decided(originals[by_row["o"]], by_row, facts),
            _decided(taken_back, of_known, facts),
            _decided(waiting, alone, facts),
        ]
    )


def _decided(content: pl.DataFrame, decisions: pl.DataFrame, facts: DeliveryFacts) -> pl.DataFrame:
    combinations = [
        [reason for place, reason in enumerate(REASONS) if number >> place & 1]
        for number in range(2 ** len(REASONS))
    ]
    reasons = pl.Series("reasons", combinations, dtype=pl.List(pl.String)).gather(decisions["reason_number"])
    return content.with_columns(
        *decisions.select("known_from", "known_assumed", "closed", "modified_at").get_columns(),
        reasons,
        delivery_seq=pl.lit(facts.delivery_seq, dtype=pl.Int64),
        source=pl.lit(facts.source),
    ).select(list(VERSION_SCHEMA))


def _vanished(
    rows: pl.DataFrame, known: pl.DataFrame, facts: DeliveryFacts, not_taken: pl.DataFrame
) -> tuple[pl.DataFrame, int]:
    """Open incidents that the delivery should hold and does not, and how many it should hold."""
    if facts.complete_for is None:
        return known.clear(), 0
    covered = known.filter(~pl.col("closed") & facts.complete_for.covers())
    named = pl.concat([rows.select("incident_key"), not_taken.select("incident_key")])
    return covered.join(named, on="incident_key", how="anti"), covered.height


def _excluded(rows: pl.DataFrame, known: pl.DataFrame, not_taken: pl.DataFrame) -> pl.DataFrame:
    """Open incidents of which the delivery says only what the contract leaves out."""
    left_out = not_taken.filter("excluded").join(rows, on="incident_key", how="anti")
    return known.filter(~pl.col("closed")).join(left_out, on="incident_key", how="semi")


def _counts(decisions: pl.DataFrame) -> Counts:
    """Counts of what was decided row by row; the others are 0."""
    has_o, has_r = pl.col("o").is_not_null(), pl.col("r").is_not_null()
    alone = pl.col("r_counts") & ~has_o & pl.col("k").is_null()
    sums = decisions.select(
        rows_new=pl.col("is_new").sum(),
        rows_amended=pl.col("is_amended").sum(),
        rows_unchanged=(has_o & ~pl.col("o_counts")).sum() + (has_r & ~pl.col("r_counts")).sum(),
        rows_reversed=pl.col("r_counts").sum(),
        rows_outdated=pl.col("is_outdated").sum(),
        reversals_unmatched=alone.sum(),
        reversals_matched_late=(pl.col("is_new") & pl.col("k_waiting")).sum(),
    ).row(0, named=True)
    return replace(NOTHING_YET, **sums)

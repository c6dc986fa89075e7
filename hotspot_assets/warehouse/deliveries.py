"""Recording a delivery: its row, its versions, its rejected rows and its ledger entry, all or nothing.

Belongs here: the transaction behind `deliveries`, `incidents` and `rejected_rows`. Not here: reading files and
deciding what a row changes (intake).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

import polars as pl

from hotspot_assets.assurance.ledger import Kind
from hotspot_assets.intake.knowledge import DeliveryFacts
from hotspot_assets.intake.parts import DeliveryParts, KeySlice
from hotspot_assets.intake.versions import (
    NOTHING_YET,
    Comparison,
    Counts,
    compare,
    count_vanished,
    must_wait,
)
from hotspot_assets.warehouse.chain import Chain, append_entry, note_parameters
from hotspot_assets.warehouse.lake import Committed, Lake, Stamp, Transaction
from hotspot_assets.warehouse.tables import TABLES

LOCKS = ("deliveries", "incidents", "rejected_rows", "ledger")


@dataclass(frozen=True)
class ReadFile:
    """A delivered file as read, with its identity."""

    name: str
    sha256: str
    bytes: int
    parts: DeliveryParts

    @property
    def source(self) -> str:
        """Whose records they are."""
        return self.parts.source


@dataclass(frozen=True)
class Recorded:
    """A row of `deliveries`; `again`: the same bytes had been taken in before, and nothing was written.

    `holds_erased`: the file names incidents that were erased, so it must not be kept.
    """

    row: dict[str, Any]
    again: bool = False
    holds_erased: bool = False


FactsOf = Callable[[int, bool], DeliveryFacts]


class _OnlyLooking(Exception):
    """Raised to end a transaction that shall write nothing."""


def known_delivery(lake: Lake, sha256: str) -> dict[str, Any] | None:
    """The delivery that brought these bytes, if one was taken in."""
    rows = lake.read(
        "SELECT * FROM deliveries WHERE sha256 = ? AND status = 'ingested' ORDER BY delivery_seq", [sha256]
    )
    return rows.row(-1, named=True) if rows.height else None


def taken_in(lake: Lake) -> pl.DataFrame:
    """Files taken in: `sha256, source, delivered_at`."""
    return lake.read("SELECT sha256, source, delivered_at FROM deliveries WHERE status = 'ingested'")


def erased_since(lake: Lake, delivery: Mapping[str, Any]) -> bool:
    """Whether incidents of a delivery's source were erased after it: its file may hold one and must not be kept."""
    query = "SELECT count(*) FROM deliveries WHERE status = 'erasure' AND source = ? AND delivery_seq > ?"
    return bool(lake.read(query, [delivery["source"], delivery["delivery_seq"]]).item())


def record_delivery(
    lake: Lake,
    file: ReadFile,
    facts_of: FactsOf,
    stamp: Stamp,
    complete_days: tuple[date, date] | None = None,
    parameters: str | None = None,
) -> Committed[Recorded]:
    """Compare a file with what is known and write all of it in one transaction.

    `facts_of(delivery_seq, source_is_new)` states what is known of the delivery as a whole; `complete_days` are
    the days for which the file was declared complete. A change of `parameters`
    (`Settings.forecast_parameters`) is noted in the ledger.
    """

    def write(transaction: Transaction) -> Recorded:
        earlier = transaction.read(
            "SELECT * FROM deliveries WHERE sha256 = ? AND status = 'ingested' ORDER BY delivery_seq",
            [file.sha256],
        )
        facts = facts_of(_next_seq(transaction), _is_new_source(transaction, file.source, stamp))
        if earlier.height and not (facts.closing_approved and earlier["closings_waiting"][-1] > 0):
            return Recorded(earlier.row(-1, named=True), again=True)
        if parameters is not None:
            chain = Chain(transaction)
            note_parameters(chain, facts.delivered_at, stamp.author, parameters)
            chain.write()
        counts, holds_erased = NOTHING_YET, False
        for part, known, comparison in _compared(transaction, file, facts):
            transaction.append("incidents", comparison.versions)
            counts += comparison.counts
            holds_erased = holds_erased or _names_erased(part, known)
        first, last = complete_days or (None, None)
        row = _row(file, facts, counts, stamp) | {"complete_from": first, "complete_to": last}
        _append_delivery(transaction, file, facts, row, stamp)
        return Recorded(row, holds_erased=holds_erased)

    return lake.transact(write, tables=LOCKS, message=f"delivery {file.name}", stamp=stamp)


def compare_only(lake: Lake, file: ReadFile, facts_of: FactsOf) -> dict[str, Any]:
    """The row that `record_delivery` would write; writes nothing."""

    found: dict[str, Any] = {}

    def look(transaction: Transaction) -> None:
        facts = facts_of(_next_seq(transaction), _is_new_source(transaction, file.source, Stamp()))
        parts = (comparison.counts for _, _, comparison in _compared(transaction, file, facts))
        found.update(_row(file, facts, sum(parts, NOTHING_YET), Stamp()))
        raise _OnlyLooking

    with contextlib.suppress(_OnlyLooking):
        lake.transact(look, tables=(), message="dry run")
    return found


def record_unreadable(
    lake: Lake, name: str, sha256: str, size: int, reason: str, at: datetime, stamp: Stamp
) -> Committed[Recorded]:
    """Note a file that could not be read as a whole; it brings no rows."""

    def write(transaction: Transaction) -> Recorded:
        row = without_rows(
            delivery_seq=_next_seq(transaction), status="set_aside", reason=reason, source="unknown",
            format="unknown", file_name=name, sha256=sha256, bytes=size, delivered_at=at, run_id=stamp.run_id,
        )  # fmt: skip
        transaction.append("deliveries", delivery_rows([row]))
        facts = {"delivery_seq": row["delivery_seq"], "sha256": sha256, "reason": reason}
        append_entry(transaction, Kind.SET_ASIDE, at, stamp.author, name, facts)
        return Recorded(row)

    return lake.transact(write, tables=("deliveries", "ledger"), message=f"set aside {name}", stamp=stamp)


def _next_seq(transaction: Transaction) -> int:
    return int(transaction.read("SELECT coalesce(max(delivery_seq), 0) + 1 FROM deliveries").item())


def _is_new_source(transaction: Transaction, source: str, stamp: Stamp) -> bool:
    """Whether the source has delivered nothing yet but the files of this very run: together its first load."""
    others = transaction.read(
        "SELECT count(*) FROM deliveries WHERE source = ? AND status = 'ingested' AND run_id <> ?",
        [source, stamp.run_id],
    )
    return bool(others.item() == 0)


def _compared(
    transaction: Transaction, file: ReadFile, facts: DeliveryFacts
) -> Iterator[tuple[KeySlice, pl.DataFrame, Comparison]]:
    """Part by part: what it holds, what is known of its incidents, and the two compared, versions as stored."""
    wait = facts.complete_for is not None and _closings_wait(transaction, file, facts)
    with ThreadPoolExecutor(1) as comparer:  # a part is compared while the one before it is written
        begun: list[tuple[KeySlice, pl.DataFrame, Future[Comparison]]] = []
        for part in file.parts.slices():
            known = _known(transaction, part, file.source, facts)
            comparison = comparer.submit(_comparison, part, known, facts, wait)
            yield from _ended(begun)
            begun = [(part, known, comparison)]
        yield from _ended(begun)


def _comparison(part: KeySlice, known: pl.DataFrame, facts: DeliveryFacts, wait: bool) -> Comparison:
    found = compare(part.rows, known, facts, part.not_taken, wait)
    return replace(found, versions=TABLES["incidents"].conform(found.versions))


def _ended(
    begun: list[tuple[KeySlice, pl.DataFrame, Future[Comparison]]],
) -> Iterator[tuple[KeySlice, pl.DataFrame, Comparison]]:
    return ((part, known, comparison.result()) for part, known, comparison in begun)


def _closings_wait(transaction: Transaction, file: ReadFile, facts: DeliveryFacts) -> bool:
    """Whether too many incidents have vanished, which only the delivery as a whole can tell."""
    found = [
        count_vanished(part.rows, _known(transaction, part, file.source, facts), facts, part.not_taken)
        for part in file.parts.slices()
    ]
    vanished, covered = (sum(counts) for counts in zip(*found, strict=True))
    return must_wait(vanished, covered, facts)


def _known(transaction: Transaction, part: KeySlice, source: str, facts: DeliveryFacts) -> pl.DataFrame:
    """Last versions of the incidents a part names, and of those a declared completeness speaks of."""
    keys = part.incident_keys()
    last = """
        SELECT * FROM incidents
        WHERE source = $source AND incident_key >= $low AND incident_key < $high {which}
        QUALIFY row_number() OVER (PARTITION BY incident_key ORDER BY delivery_seq DESC) = 1
    """
    given = {"source": source, "low": part.low, "high": part.high}
    if facts.complete_for is None:
        which = "AND incident_key IN (SELECT incident_key FROM lent_rows)"
        return transaction.read(last.format(which=which), given, rows=keys)
    everything = transaction.read(last.format(which=""), given)
    named = pl.col("incident_key").is_in(keys["incident_key"].implode())
    return everything.filter(named | facts.complete_for.covers())


def _names_erased(part: KeySlice, known: pl.DataFrame) -> bool:
    erased = known.filter(pl.col("reasons").list.contains("erased"))
    return (
        not erased.is_empty()
        and part.incident_keys()["incident_key"].is_in(erased["incident_key"].implode()).any()
    )


def _row(file: ReadFile, facts: DeliveryFacts, counts: Counts, stamp: Stamp) -> dict[str, Any]:
    return {
        "delivery_seq": facts.delivery_seq,
        "status": "ingested",
        "reason": None,
        "source": file.source,
        "format": file.parts.format,
        "file_name": file.name,
        "sha256": file.sha256,
        "bytes": file.bytes,
        "rows_read": file.parts.rows_read,
        "rows_new": counts.rows_new,
        "rows_amended": counts.rows_amended,
        "rows_unchanged": counts.rows_unchanged,
        "rows_rejected": file.parts.rows_rejected,
        "rows_excluded": file.parts.rows_excluded,
        "rows_duplicate": counts.rows_duplicate,
        "rows_reversed": counts.rows_reversed,
        "incidents_vanished": counts.incidents_vanished,
        "closings_waiting": counts.closings_waiting,
        "incidents_excluded": counts.incidents_excluded,
        "rows_outdated": counts.rows_outdated,
        "reversals_unmatched": counts.reversals_unmatched,
        "reversals_matched_late": counts.reversals_matched_late,
        "occurred_from": file.parts.occurred_from,
        "occurred_to": file.parts.occurred_to,
        "complete_from": None,
        "complete_to": None,
        "first_load": facts.first_load,
        "delivered_at": facts.delivered_at,
        "run_id": stamp.run_id,
    }


def without_rows(**values: Any) -> dict[str, Any]:
    """A row of `deliveries` that brought none of its own: counts 0, the rest as given or null."""
    dtypes = TABLES["deliveries"].dtypes
    counts = dict.fromkeys((name for name, dtype in dtypes.items() if dtype == pl.Int64), 0)
    return dict.fromkeys(dtypes, None) | counts | {"first_load": False} | values


def delivery_rows(rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Rows of `deliveries` as a frame."""
    return TABLES["deliveries"].conform(pl.DataFrame(rows, schema=TABLES["deliveries"].dtypes))


def _append_delivery(
    transaction: Transaction, file: ReadFile, facts: DeliveryFacts, row: dict[str, Any], stamp: Stamp
) -> None:
    """Append the delivery itself, its rejected rows and its entry in the ledger."""
    seq = pl.lit(facts.delivery_seq, pl.Int64)
    transaction.append("deliveries", delivery_rows([row]))
    for rejected in file.parts.rejected():
        rows = TABLES["rejected_rows"].conform(rejected.with_columns(delivery_seq=seq))
        transaction.append("rejected_rows", rows)
    counted = {
        name: value for name, value in row.items() if name.startswith(("rows_", "incidents_", "closings_"))
    }
    append_entry(
        transaction, Kind.COLLECTION, facts.delivered_at, stamp.author, file.name,
        {"delivery_seq": facts.delivery_seq, "sha256": file.sha256, **counted},
    )  # fmt: skip

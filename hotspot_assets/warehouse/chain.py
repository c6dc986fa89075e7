"""Writing to the ledger: inside the transaction of what an entry records, or not at all.

Belongs here: the chain in the lake, its export, the lock that keeps it one chain, and the entries that more than
one kind of write makes. Not here: what an entry is and how a chain is verified (assurance).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

import polars as pl

from hotspot_assets.assurance.ledger import Entry, Kind, entry, export_line, merkle_root
from hotspot_assets.warehouse.lake import Lake, Stamp, Transaction
from hotspot_assets.warehouse.tables import TABLES

TABLE = "ledger"


@dataclass(frozen=True)
class Fact:
    """What an entry will say: who did what to what, and the counts and hashes of it."""

    actor: str
    subject: str
    facts: Mapping[str, Any]


class Chain:
    """The ledger as a transaction finds it, and what it adds: read once, written once, as either opens the catalog.

    The transaction must hold the lock of `ledger`, or the chain could fork.
    """

    def __init__(self, transaction: Transaction) -> None:
        newest = transaction.read("SELECT unnest(max_by(entry, sequence)) FROM ledger AS entry GROUP BY kind")
        entries = [Entry(**row) for row in newest.to_dicts()]
        self._transaction = transaction
        self._newest = {each.kind: each for each in entries}
        self._last = max(entries, key=lambda each: each.sequence, default=None)
        self._made: list[Entry] = []

    def newest(self, kind: Kind) -> Entry | None:
        """The last entry of a kind."""
        return self._newest.get(kind)

    def add(self, kind: Kind, at: datetime, actor: str, subject: str, facts: Mapping[str, Any]) -> None:
        """Add an entry at the end."""
        self._last = self._newest[kind] = entry(self._last, kind, at, actor, subject, facts)
        self._made.append(self._last)

    def write(self) -> list[Entry]:
        """Write what was added; returns it."""
        made, self._made = self._made, []
        if made:
            rows = pl.DataFrame([asdict(each) for each in made])
            self._transaction.append(TABLE, TABLES[TABLE].conform(rows))
        return made


def append_entry(
    transaction: Transaction, kind: Kind, at: datetime, actor: str, subject: str, facts: Mapping[str, Any]
) -> Entry:
    """Add one entry."""
    (made,) = append_entries(transaction, kind, at, [Fact(actor, subject, facts)])
    return made


def append_entries(transaction: Transaction, kind: Kind, at: datetime, said: Sequence[Fact]) -> list[Entry]:
    """Add one entry of a kind after the other."""
    chain = Chain(transaction)
    for each in said:
        chain.add(kind, at, each.actor, each.subject, each.facts)
    return chain.write()


def root_of(ids: Iterable[str]) -> str:
    """One hash for a set of ids, whatever their order: the Merkle root of the sorted ids."""
    return merkle_root(each.encode() for each in sorted(ids))


def note_run(
    chain: Chain,
    at: datetime,
    stamp: Stamp,
    days: tuple[date, date],
    headers: pl.DataFrame,
    rows: int,
) -> None:
    """Add the entry of a run that made forecasts: days, counts and a root of the forecast ids."""
    facts = {
        "run_id": stamp.run_id,
        "forecasts": headers.height,
        "forecasts_made": headers["not_made_because"].null_count(),
        "forecasts_root": root_of(headers["forecast_id"]),
        "models": sorted(headers["model"].unique()),
        "settings_hash": sorted(headers["settings_hash"].unique()),
        "code_version": sorted(headers["code_version"].unique()),
        "delivery_seq": int(headers["delivery_seq"].max() or 0),  # type: ignore[arg-type]
        "score_rows": rows,
    }
    chain.add(Kind.RUN, at, stamp.author, f"forecasts {days[0]}..{days[1]}", facts)


def note_parameters(chain: Chain, at: datetime, actor: str, parameters: str) -> None:
    """Add an entry if the parameters differ from those last recorded: the ones in force on any date.

    They are kept as text within the facts, so that their bytes, and with them the settings hash, are kept.
    """
    last = chain.newest(Kind.PARAMETER_CHANGE)
    before = json.loads(last.facts) if last else {"parameters": None, "settings_hash": None}
    if before["parameters"] == parameters:
        return
    now = hashlib.sha256(parameters.encode()).hexdigest()[:16]
    facts = {"settings_hash": now, "settings_hash_before": before["settings_hash"], "parameters": parameters}
    chain.add(Kind.PARAMETER_CHANGE, at, actor, "settings that can change a forecast", facts)


def export_lines(lake: Lake) -> Iterator[str]:
    """The ledger as lines of JSON, first entry first, for the stand-alone verifier."""
    for row in lake.read("SELECT * FROM ledger ORDER BY sequence").to_dicts():
        yield export_line(Entry(**row))

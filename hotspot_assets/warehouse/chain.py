"""Writing to the ledger: inside the transaction of what an entry records, or not at all.

Belongs here: the chain in the lake, its export, and the lock that keeps it one chain. Not here: what an entry
is and how a chain is verified (assurance).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

import polars as pl

from hotspot_assets.assurance.ledger import Entry, Kind, entry, export_line
from hotspot_assets.warehouse.lake import Lake, Transaction
from hotspot_assets.warehouse.tables import TABLES

TABLE = "ledger"


def append_entry(
    transaction: Transaction, kind: Kind, at: datetime, actor: str, subject: str, facts: Mapping[str, Any]
) -> Entry:
    """Add an entry to the chain; the transaction must hold the lock of `ledger`, or the chain could fork."""
    last = transaction.read("SELECT * FROM ledger ORDER BY sequence DESC LIMIT 1")
    previous = Entry(**last.row(0, named=True)) if last.height else None
    made = entry(previous, kind, at, actor, subject, facts)
    transaction.append(TABLE, TABLES[TABLE].conform(pl.DataFrame([asdict(made)])))
    return made


def export_lines(lake: Lake) -> Iterator[str]:
    """The ledger as lines of JSON, first entry first, for the stand-alone verifier."""
    for row in lake.read("SELECT * FROM ledger ORDER BY sequence").to_dicts():
        yield export_line(Entry(**row))

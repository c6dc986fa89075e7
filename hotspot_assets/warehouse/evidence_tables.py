"""The ledger, and the locks under which it and every table is written."""

from __future__ import annotations

import dataframely as dy


class LedgerEntries(dy.Schema):
    """One entry of the hash-chained ledger, written in the transaction of what it records."""

    sequence = dy.Int64(primary_key=True, description="Position in the chain, from 1.")
    kind = dy.String(description="What happened: collection, alteration, erasure, run, parameter change, ...")
    happened_at = dy.String(description="When, as ISO 8601 in UTC.")
    actor = dy.String(description="Who or what did it.")
    subject = dy.String(description="What it was done to.")
    facts = dy.String(description="Counts and hashes, as canonical JSON; never row content.")
    previous_hash = dy.String(description="Hash of the entry before; zeros for the first.")
    hash = dy.String(description="SHA-256 over this entry and previous_hash.")


class WriteLocks(dy.Schema):
    """One row per table: the row that every writer of it touches first, and how far the table has read."""

    table_name = dy.String(primary_key=True, description="Table.")
    taken = dy.Int64(description="How often it was written.")
    through_delivery_seq = dy.Int64(
        description="Last delivery the table has taken in, where it follows deliveries."
    )

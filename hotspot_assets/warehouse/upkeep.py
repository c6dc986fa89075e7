"""Keeping the lake small and clean: merging files, letting go of old states, wiping what was deleted.

Belongs here: DuckLake's maintenance, rows past their days, and the bytes that a deletion leaves behind. Not
here: which incidents are erased (`erasure`), and files beside the lake (workflow).
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from hotspot_assets.assurance.ledger import Kind
from hotspot_assets.warehouse.chain import append_entry
from hotspot_assets.warehouse.erasure import emptied
from hotspot_assets.warehouse.lake import Committed, Lake, Stamp, Transaction
from hotspot_assets.warehouse.patience import LakeBusy, patiently

_PATIENCE_SECONDS = 60.0
_LONGEST_RUN = timedelta(hours=2)
"""No writer takes longer: a file that no snapshot knows and that is older was left by a killed one."""

_READERS_GRACE = timedelta(days=2)
"""Files that no state of the lake needs any more are left so long to those still reading them. Whole days and
one more: on a SQLite catalog DuckLake compares these moments by their date alone."""


@dataclass(frozen=True)
class Tidied:
    """What upkeep did: snapshots let go, files deleted, files merged or rewritten."""

    snapshots: int
    files_deleted: int
    files_merged: int


def compact(lake: Lake) -> int:
    """Write inlined rows to files, merge small files and drop deleted rows; returns the number of files merged."""
    with _on_one_thread(lake):
        _call(lake, "ducklake_flush_inlined_data('lake')")
        rewritten = _call(lake, "ducklake_rewrite_data_files('lake')")
        merged = _call(lake, "ducklake_merge_adjacent_files('lake')")
    return sum(row[2] for row in (*rewritten, *merged))


def let_go(lake: Lake, before: datetime, now: datetime) -> tuple[int, int]:
    """Let go of snapshots older than `before`, except the last; returns their number and that of files deleted.

    Files are deleted once no snapshot needs them, and then some days later, as a reader may still be at them.
    """
    snapshots = _call(lake, "ducklake_expire_snapshots('lake', older_than => ?)", [before])
    old = _call(lake, "ducklake_cleanup_old_files('lake', older_than => ?)", [now - _READERS_GRACE])
    orphaned = _call(lake, "ducklake_delete_orphaned_files('lake', older_than => ?)", [now - _LONGEST_RUN])
    return len(snapshots), len(old) + len(orphaned)


def wipe(lake: Lake, now: datetime) -> tuple[int, int]:
    """Let go of every state but the present one and of every byte only they need; returns as `let_go`.

    The lake is closed and opens again with its next use. A SQLite catalog is written anew, so that nothing
    deleted is left in it; a PostgreSQL catalog is left to its own VACUUM.

    Raises
    ------
    LakeBusy
        When other programs keep the catalog busy: what was deleted from the tables is, but its bytes are not
        wiped yet.
    """
    snapshots = _call(lake, "ducklake_expire_snapshots('lake', older_than => ?)", [now])
    old = _call(lake, "ducklake_cleanup_old_files('lake', cleanup_all => true)")
    orphaned = _call(lake, "ducklake_delete_orphaned_files('lake', older_than => ?)", [now - _LONGEST_RUN])
    lake.close()  # two libraries on one SQLite file in one process would undo each other's locks
    if lake.sqlite_file is not None:
        vacuum(lake.sqlite_file)
    return len(snapshots), len(old) + len(orphaned)


def vacuum(file: object) -> None:
    """Write a SQLite file anew without what was deleted, its journal included."""
    give_up = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            with closing(sqlite3.connect(str(file), timeout=5, isolation_level=None)) as database:
                database.execute("VACUUM")
                busy = database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            if not busy:
                return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) and "busy" not in str(error):
                raise
        if time.monotonic() > give_up:
            raise LakeBusy(f"{file}: other programs keep it busy; stop them and do the same again.")
        time.sleep(0.2)


@contextmanager
def _on_one_thread(lake: Lake) -> Iterator[None]:
    """DuckDB works on one thread meanwhile: where several rewrite tables, DuckLake 1.5 at times corrupts memory."""
    with lake.cursor() as cursor:
        cursor.execute("SET threads = 1")
    try:
        yield
    finally:
        with lake.cursor() as cursor:
            cursor.execute("RESET threads")


def _call(lake: Lake, function: str, parameters: Sequence[object] = ()) -> list[tuple[int, ...]]:
    def run(_: int) -> list[tuple[int, ...]]:
        with lake.cursor() as cursor:
            return cursor.execute(f"CALL {function}", list(parameters)).fetchall()

    return patiently(run, function.partition("(")[0])


def drop_days(lake: Lake, table: str, before: date, at: datetime, stamp: Stamp) -> Committed[int]:
    """Delete rows of forecast dates before a day, with a ledger entry; returns how many."""

    def write(transaction: Transaction) -> int:
        rows = int(transaction.read(f"SELECT count(*) FROM {table} WHERE forecast_date < ?", [before]).item())
        if rows:
            transaction.execute(f"DELETE FROM {table} WHERE forecast_date < ?", [before])
            note_retention(transaction, at, stamp, table, rows, before)
        return rows

    return lake.transact(write, tables=[table, "ledger"], message=f"retention of {table}", stamp=stamp)


def empty_rejected(lake: Lake, before: datetime, at: datetime, stamp: Stamp) -> Committed[int]:
    """Empty rejected rows of deliveries before a moment, with a ledger entry; returns how many."""
    table = "rejected_rows"
    which = f"""
        FROM {table} r WHERE detail <> 'erased' AND EXISTS (
            SELECT 1 FROM deliveries d WHERE d.delivery_seq = r.delivery_seq AND d.delivered_at < ?)
    """

    def write(transaction: Transaction) -> int:
        rows = transaction.read(f"SELECT r.* {which}", [before])
        if rows.height:
            transaction.execute(f"DELETE {which}", [before])
            transaction.append(table, emptied(rows))
            note_retention(transaction, at, stamp, table, rows.height, before.date())
        return rows.height

    return lake.transact(write, tables=[table, "ledger"], message=f"retention of {table}", stamp=stamp)


def note_retention(
    transaction: Transaction, at: datetime, stamp: Stamp, what: str, count: int, before: date
) -> None:
    """Add the ledger entry of something deleted because of its age."""
    facts = {"deleted": count, "before": before.isoformat()}
    append_entry(transaction, Kind.ERASURE, at, stamp.author, f"retention of {what}", facts)


def note_in_ledger(
    lake: Lake, at: datetime, stamp: Stamp, subject: str, facts: dict[str, object]
) -> Committed[None]:
    """Add an erasure entry about files: they are not part of any transaction."""

    def write(transaction: Transaction) -> None:
        append_entry(transaction, Kind.ERASURE, at, stamp.author, subject, facts)

    return lake.transact(write, tables=["ledger"], message=subject, stamp=stamp)

"""The lake under real conditions: processes that write at once, processes that are killed, failing statements."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import cast

import duckdb
import polars as pl
import pytest

from hotspot_assets.warehouse import lake as lake_module
from hotspot_assets.warehouse import migrations
from hotspot_assets.warehouse.forecasts import replace_days
from hotspot_assets.warehouse.lake import Lake, LakeError, Stamp, Transaction, statement_is_a_query
from hotspot_assets.warehouse.migrations import SchemaTooNew
from hotspot_assets.warehouse.table import MalformedRows
from hotspot_assets.warehouse.tables import TABLES

SPAWN = multiprocessing.get_context("spawn")
DAY = date(2014, 5, 1)


def surface(day: date, score: float, cells: int = 500) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "forecast_date": [day] * cells,
            "offence_group": ["burglary"] * cells,
            "cell": pl.Series(range(cells), dtype=pl.UInt64),
            "score": [score] * cells,
            "rank": pl.Series(range(1, cells + 1), dtype=pl.Int32),
        }
    )


def same_lake(home: Path) -> Lake:
    return Lake(f"ducklake:sqlite:{home / 'lake' / 'catalog.sqlite'}", str(home / "lake" / "data"))


def replace_slowly(home: Path, score: float) -> None:
    """Replace an empty day with a wait between DELETE and INSERT, so that two of these overlap."""
    lake = same_lake(home)
    rows = TABLES["proximity_scores"].conform(surface(DAY, score))

    def write(transaction: Transaction) -> None:
        transaction.execute("DELETE FROM proximity_scores WHERE forecast_date = ?", [DAY])
        time.sleep(0.5)
        transaction.append("proximity_scores", rows)

    lake.transact(write, tables=["proximity_scores"], message="race")


def replace_and_hang(home: Path, deleted: Event) -> None:
    lake = same_lake(home)

    def write(transaction: Transaction) -> None:
        transaction.execute("DELETE FROM proximity_scores WHERE forecast_date = ?", [DAY])
        deleted.set()
        time.sleep(60)

    lake.transact(write, tables=["proximity_scores"], message="never ends")


def test_two_processes_that_replace_the_same_empty_day_leave_one_set_of_rows(tmp_path: Path) -> None:
    writers = [SPAWN.Process(target=replace_slowly, args=(tmp_path, score)) for score in (1.0, 2.0)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert [writer.exitcode for writer in writers] == [0, 0]
    counted = same_lake(tmp_path).read(
        "SELECT count(*) AS rows, count(DISTINCT score) AS scores FROM proximity_scores"
    )
    assert counted.row(0) == (500, 1)


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX")
def test_a_writer_killed_between_delete_and_insert_leaves_the_old_rows(tmp_path: Path) -> None:
    lake = same_lake(tmp_path)
    replace_days(lake, "proximity_scores", (DAY, DAY), surface(DAY, 1.0), Stamp())
    deleted = SPAWN.Event()
    writer = SPAWN.Process(target=replace_and_hang, args=(tmp_path, deleted))
    writer.start()
    assert deleted.wait(30)
    assert writer.pid is not None
    os.kill(writer.pid, signal.SIGKILL)
    writer.join(30)
    assert lake.read("SELECT count(*) FROM proximity_scores").item() == 500
    again = replace_days(lake, "proximity_scores", (DAY, DAY), surface(DAY, 3.0), Stamp())
    assert again.result == 500
    assert lake.read("SELECT DISTINCT score FROM proximity_scores")["score"].to_list() == [3.0]


HOLD = """
import sqlite3, sys, time
catalog = sqlite3.connect(sys.argv[1], timeout=10, isolation_level=None)
catalog.execute("PRAGMA locking_mode = EXCLUSIVE")
catalog.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
time.sleep(0.5)
"""


def hold(catalog: Path | None) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(catalog)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"


class LakeHeldAfterCommits(Lake):
    """A lake whose catalog another program keeps for itself for half a second after each commit."""

    @contextmanager
    def cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        with super().cursor() as cursor:
            yield cast(duckdb.DuckDBPyConnection, HeldAfterCommits(cursor, self.sqlite_file))


class HeldAfterCommits:
    def __init__(self, cursor: duckdb.DuckDBPyConnection, catalog: Path | None) -> None:
        self.cursor, self.catalog = cursor, catalog

    def execute(self, statement: str, parameters: object = None) -> duckdb.DuckDBPyConnection:
        done = self.cursor.execute(statement, parameters)
        if statement == "COMMIT":
            hold(self.catalog)
        return done

    def close(self) -> None:
        self.cursor.close()


@pytest.mark.parametrize("fresh", [False, True])
def test_a_reader_waits_while_another_program_keeps_the_catalog(lake: Lake, fresh: bool) -> None:
    lake.read("SELECT 1")
    if fresh:
        lake._idle.clear()
    hold(lake.sqlite_file)
    assert lake.read("SELECT count(*) FROM ledger").item() == 0
    if fresh:
        lake._idle.clear()
    hold(lake.sqlite_file)
    assert [rows.item() for rows in lake.stream("SELECT count(*) FROM ledger")] == [0]


def test_what_is_committed_is_not_done_again_while_another_program_keeps_the_catalog(lake: Lake) -> None:
    held = LakeHeldAfterCommits(lake.attach, lake.data_path)
    insert = "INSERT INTO stale_days VALUES (DATE '2014-05-01', 1, 'late', now())"
    written = held.transact(
        lambda transaction: transaction.execute(insert), tables=["stale_days"], message=""
    )
    assert written.attempts == 1
    assert lake.read("SELECT count(*) FROM stale_days").item() == 1
    assert written.snapshot_id == lake.read("SELECT max(snapshot_id) FROM ducklake_snapshots('lake')").item()


def test_nothing_of_a_failed_transaction_is_kept(lake: Lake) -> None:
    def write(transaction: Transaction) -> None:
        transaction.append("proximity_scores", TABLES["proximity_scores"].conform(surface(DAY, 1.0)))
        raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError, match="in the middle"):
        lake.transact(write, tables=["proximity_scores"], message="fails")
    assert lake.read("SELECT count(*) FROM proximity_scores").item() == 0
    assert lake.read("SELECT max(taken) FROM write_locks").item() == 0


def test_a_lake_that_has_read_before_sees_what_another_wrote_since(lake: Lake) -> None:
    other = Lake(lake.attach, lake.data_path)
    for days in range(1, 3):
        assert lake.read("SELECT count(*) FROM proximity_scores").item() == 500 * (days - 1)
        day = date(2014, 5, days)
        replace_days(other, "proximity_scores", (day, day), surface(day, 1.0), Stamp())
    assert lake.read("SELECT count(*) FROM proximity_scores").item() == 1000


def test_the_snapshot_carries_the_run_that_made_it(lake: Lake) -> None:
    written = replace_days(
        lake, "proximity_scores", (DAY, DAY), surface(DAY, 1.0), Stamp("A. Operator", "run-7")
    )
    row = lake.read(
        "SELECT author, commit_message, commit_extra_info FROM ducklake_snapshots('lake') WHERE snapshot_id = ?",
        [written.snapshot_id],
    ).row(0)
    assert row == ("A. Operator", "proximity_scores 2014-05-01..2014-05-01", "run-7")


def test_replacing_a_day_leaves_the_others_and_an_empty_day_is_written_too(lake: Lake) -> None:
    other = date(2014, 5, 2)
    replace_days(
        lake, "proximity_scores", (DAY, other), pl.concat([surface(DAY, 1.0), surface(other, 2.0)]), Stamp()
    )
    replace_days(lake, "proximity_scores", (DAY, DAY), TABLES["proximity_scores"].empty(), Stamp())
    left = lake.read("SELECT forecast_date, count(*) AS rows FROM proximity_scores GROUP BY ALL")
    assert left.rows() == [(other, 500)]


def test_rows_that_do_not_fit_are_refused_before_anything_is_written(lake: Lake) -> None:
    with pytest.raises(MalformedRows, match="rank"):
        replace_days(lake, "proximity_scores", (DAY, DAY), surface(DAY, 1.0).drop("rank"), Stamp())
    with pytest.raises(MalformedRows, match="score"):
        gap = surface(DAY, 1.0).with_columns(score=pl.lit(None, dtype=pl.Float64))
        replace_days(lake, "proximity_scores", (DAY, DAY), gap, Stamp())
    assert lake.read("SELECT count(*) FROM proximity_scores").item() == 0


def test_a_lake_opened_for_reading_refuses_to_write_and_shows_an_older_version(lake: Lake) -> None:
    first = replace_days(lake, "proximity_scores", (DAY, DAY), surface(DAY, 1.0), Stamp())
    replace_days(lake, "proximity_scores", (DAY, DAY), surface(DAY, 2.0), Stamp())
    then = Lake(lake.attach, lake.data_path, read_only=True, version=first.snapshot_id)
    assert then.read("SELECT DISTINCT score FROM proximity_scores").item() == 1.0
    with pytest.raises(Exception, match="read-only"):
        then.transact(lambda transaction: transaction.execute("DELETE FROM ledger"), tables=[], message="no")


def test_reading_before_anything_was_made_says_what_to_do(tmp_path: Path) -> None:
    nothing = Lake(f"ducklake:sqlite:{tmp_path / 'none.sqlite'}", str(tmp_path), read_only=True)
    with pytest.raises(LakeError, match="hotspot run"):
        nothing.read("SELECT 1")
    with pytest.raises(LakeError, match="HOTSPOT_WAREHOUSE"):
        Lake("lake.duckdb", str(tmp_path)).read("SELECT 1")


def test_an_extension_that_was_tampered_with_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = bytearray(lake_module._file_of("ducklake").read_bytes())
    content[len(content) // 2] ^= 1
    file = tmp_path / "ducklake.duckdb_extension"
    file.write_bytes(content)
    monkeypatch.setattr(lake_module, "_file_of", lambda extension: file)
    monkeypatch.setattr(lake_module, "_trusted", set())
    with pytest.raises(LakeError, match="signature"):
        same_lake(tmp_path).read("SELECT 1")


def test_an_older_schema_steps_forward_and_a_newer_one_is_refused(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert lake.read("SELECT max(version) FROM schema_versions").item() == migrations.CURRENT
    lake.close()
    step = migrations.Migration(
        migrations.CURRENT + 1,
        "a further table",
        lambda cursor: cursor.execute("CREATE TABLE further (x INTEGER)") and None,
    )
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "MIGRATIONS", (*migrations.MIGRATIONS, step))
        patch.setattr(migrations, "CURRENT", step.version)
        assert lake.read("SELECT count(*) FROM further").item() == 0
        assert lake.read("SELECT count(*) FROM schema_versions").item() == step.version
        lake.close()
    with pytest.raises(SchemaTooNew, match="newer version"):
        lake.read("SELECT 1")


def test_every_table_and_column_says_what_it_means(lake: Lake) -> None:
    silent = lake.read(
        "SELECT table_name, column_name FROM duckdb_columns() WHERE database_name = 'lake' AND schema_name = 'hotspot'"
        " AND table_name <> 'schema_versions' AND coalesce(comment, '') = ''"
    )
    assert silent.height == 0
    tables = lake.read(
        "SELECT table_name FROM duckdb_tables() WHERE database_name = 'lake' AND schema_name = 'hotspot'"
    )
    assert set(tables["table_name"]) == {*TABLES, "schema_versions"}


@pytest.mark.parametrize(
    ("text", "is_query"),
    [
        ("SELECT 1", True),
        ("WITH a AS (SELECT 1) FROM a", True),
        ("DELETE FROM incidents", False),
        ("SELECT 1; DROP TABLE incidents", False),
        ("COPY incidents TO 'x.csv'", False),
        ("ATTACH 'x.db'", False),
    ],
)
def test_only_a_single_query_counts_as_a_query(text: str, is_query: bool) -> None:
    assert statement_is_a_query(text) is is_query

"""Behaviour of DuckDB and DuckLake that the warehouse rests on, seen without any of our own code between."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest

from hotspot_assets.warehouse import patience

Attach = Callable[..., duckdb.DuckDBPyConnection]


def load(connection: duckdb.DuckDBPyConnection, extension: str) -> None:
    spec = importlib.util.find_spec(f"duckdb_extension_{extension}")
    assert spec is not None
    assert spec.submodule_search_locations
    (file,) = Path(spec.submodule_search_locations[0]).rglob(f"{extension}.duckdb_extension")
    connection.execute(f"LOAD '{file.as_posix()}'")


@pytest.fixture
def attach(tmp_path: Path) -> Iterator[Attach]:
    """Connections of their own to one lake with a table `t` and a lock row."""
    opened = []

    def connect(options: str = "") -> duckdb.DuckDBPyConnection:
        connection = duckdb.connect(config={"autoinstall_known_extensions": "false"})
        load(connection, "ducklake")
        load(connection, "sqlite_scanner")
        connection.execute(
            f"ATTACH 'ducklake:sqlite:{tmp_path / 'catalog.sqlite'}' AS lake (DATA_PATH '{tmp_path / 'data'}',"
            f" META_JOURNAL_MODE 'WAL', META_BUSY_TIMEOUT 0 {options})"
        )
        connection.execute("USE lake")
        opened.append(connection)
        return connection

    first = connect()
    first.execute("CREATE TABLE t (day INTEGER, x INTEGER)")
    first.execute("CREATE TABLE locks (taken INTEGER)")
    first.execute("INSERT INTO locks VALUES (0)")
    yield connect
    for connection in opened:
        connection.close()


def count(connection: duckdb.DuckDBPyConnection) -> int:
    row = connection.execute("SELECT count(*) FROM t").fetchone()
    assert row is not None
    return int(row[0])


def snapshot(connection: duckdb.DuckDBPyConnection) -> int:
    row = connection.execute("SELECT max(snapshot_id) FROM ducklake_snapshots('lake')").fetchone()
    assert row is not None
    return int(row[0])


def test_a_commit_after_a_failed_statement_reports_nothing_and_keeps_nothing(attach: Attach) -> None:
    """Why the warehouse never commits after an exception."""
    connection = attach()
    connection.execute("BEGIN")
    connection.execute("INSERT INTO t VALUES (1, 1)")
    with pytest.raises(duckdb.Error):
        connection.execute("SELECT error('in the middle')")
    connection.execute("COMMIT")  # no exception
    assert count(connection) == count(attach()) == 0


def test_a_delete_and_an_insert_of_one_transaction_are_seen_together_or_not_at_all(attach: Attach) -> None:
    writer, reader = attach(), attach()
    writer.execute("INSERT INTO t VALUES (1, 1)")
    writer.execute("BEGIN")
    writer.execute("DELETE FROM t WHERE day = 1")
    assert count(writer) == 0
    assert count(reader) == 1
    writer.execute("INSERT INTO t VALUES (1, 2), (1, 3)")
    writer.execute("COMMIT")
    assert count(reader) == 2


def test_an_older_snapshot_is_read_as_it_was(attach: Attach) -> None:
    connection = attach()
    connection.execute("INSERT INTO t VALUES (1, 1)")
    then = snapshot(connection)
    connection.execute("DELETE FROM t")
    connection.execute("INSERT INTO t VALUES (1, 2), (2, 2)")
    assert count(connection) == 2
    assert count(attach(f", SNAPSHOT_VERSION {then}")) == 1
    assert connection.execute(f"SELECT x FROM t AT (VERSION => {then})").fetchall() == [(1,)]


@pytest.mark.parametrize("lock", [True, False])
def test_of_two_that_replace_the_same_empty_day_at_once_the_second_cannot_commit(
    attach: Attach, lock: bool
) -> None:
    """A SQLite catalog refuses it even without the lock row, which other catalogs need; by an error we wait at."""
    one, two = attach(), attach()
    for x, connection in enumerate((one, two)):
        connection.execute("BEGIN")
        if lock:
            connection.execute("UPDATE locks SET taken = taken + 1")
        connection.execute("DELETE FROM t WHERE day = 1")
        connection.execute("INSERT INTO t VALUES (1, ?)", [x])
    one.execute("COMMIT")
    with pytest.raises(duckdb.Error) as refused:
        two.execute("COMMIT")
    assert any(sign in str(refused.value).lower() for sign in patience._SIGNS)
    assert count(attach()) == 1


def test_the_commit_message_stays_with_the_snapshot(attach: Attach) -> None:
    connection = attach()
    connection.execute("BEGIN")
    connection.execute("INSERT INTO t VALUES (1, 1)")
    connection.execute(
        "CALL ducklake_set_commit_message('lake', 'A. Operator', 'why', extra_info => 'run-7')"
    )
    connection.execute("COMMIT")
    query = "SELECT author, commit_message, commit_extra_info FROM ducklake_snapshots('lake') WHERE snapshot_id = ?"
    assert connection.execute(query, [snapshot(connection)]).fetchone() == ("A. Operator", "why", "run-7")


def test_a_time_zone_set_globally_holds_for_cursors_and_one_set_locally_does_not(attach: Attach) -> None:
    connection = attach()
    connection.execute("SET TimeZone = 'Asia/Tokyo'")
    assert connection.cursor().execute("SELECT current_setting('TimeZone')").fetchone() != ("Asia/Tokyo",)
    connection.execute("SET GLOBAL TimeZone = 'UTC'")
    assert connection.cursor().execute("SELECT current_setting('TimeZone')").fetchone() == ("UTC",)

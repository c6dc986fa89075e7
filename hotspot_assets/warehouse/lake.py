"""The lake: attaching it, reading from it, and the one way of writing to it.

Belongs here: DuckDB, the DuckLake attach string, transactions and their repetition. Not here: what a table
means (`tables`), which rows were known when (`reads`), who may write what (the modules named after tables).

One attach string decides where everything lies: `ducklake:sqlite:<file>` on a workstation,
`ducklake:postgres:<dsn>` in a shared installation. No connection is held while anything is computed: a
process keeps one in-memory DuckDB with the lake attached, and takes a cursor for each statement or
transaction.
"""

from __future__ import annotations

import importlib.util
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Generic, TypeVar

import duckdb
import polars as pl

from hotspot_assets.errors import UserError
from hotspot_assets.warehouse.guards import refuse_rewriting, refuse_unapproved
from hotspot_assets.warehouse.migrations import migrate
from hotspot_assets.warehouse.patience import LakeBusy, patiently

T = TypeVar("T")
Frame = pl.DataFrame

_STREAMED_ROWS = 250_000
_TAKE_LOCKS = "UPDATE write_locks SET taken = taken + 1 WHERE list_contains(?, table_name)"


class LakeError(UserError):
    """The lake cannot be attached, read or written as asked."""


@dataclass(frozen=True)
class Committed(Generic[T]):
    """What a transaction returned, the snapshot it made and how often it had to be run."""

    result: T
    snapshot_id: int
    attempts: int


@dataclass(frozen=True)
class Stamp:
    """Who writes, and in which run: goes into the snapshot's commit message, for auditors."""

    author: str = "hotspot"
    run_id: str = ""


_trusted: set[str] = set()
"""Extensions whose signatures DuckDB has checked in this process: it hashes 35 MB for each, a tenth of a second."""


def _connection_with(*extensions: str) -> duckdb.DuckDBPyConnection:
    """A DuckDB in memory with extensions loaded from their wheels, so that nothing is fetched at run time."""
    unsigned = str(_trusted.issuperset(extensions)).lower()
    connection = duckdb.connect(
        config={"autoinstall_known_extensions": "false", "allow_unsigned_extensions": unsigned}
    )
    for extension in extensions:
        connection.execute(f"LOAD '{_file_of(extension).as_posix()}'")
    _trusted.update(extensions)
    return connection


def _file_of(extension: str) -> Path:
    spec = importlib.util.find_spec(f"duckdb_extension_{extension}")
    if spec is None or not spec.submodule_search_locations:
        raise LakeError(
            f"The package duckdb-extension-{extension.replace('_', '-')} is not installed; install it."
        )
    folder = Path(spec.submodule_search_locations[0])
    return next(folder.rglob(f"{extension}.duckdb_extension"))


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


class Transaction:
    """An open transaction: the only thing that can write."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection) -> None:
        self._cursor = cursor

    def read(
        self,
        query: str,
        parameters: Sequence[object] | Mapping[str, object] | None = None,
        *,
        rows: Frame | None = None,
    ) -> Frame:
        """Rows of a query, as this transaction sees them; it may read the frame `rows` as `lent_rows`."""
        refuse_rewriting(query)
        lent_rows = None if rows is None else rows.to_arrow()  # noqa: F841 - found by its name, see `append`
        return self._cursor.execute(query, parameters).pl()

    def execute(self, statement: str, parameters: Sequence[object] | None = None) -> None:
        """Run one statement; those that would alter what is append-only are refused."""
        refuse_rewriting(statement)
        self._cursor.execute(statement, parameters)

    @contextmanager
    def lend(self, name: str, rows: Frame) -> Iterator[None]:
        """Make a frame readable as a table of that name."""
        self._cursor.register(name, rows.to_arrow())
        try:
            yield
        finally:
            self._cursor.unregister(name)

    def append(self, table: str, rows: Frame) -> None:
        """Append rows to a table of the schema, by column name; what is issued must have been approved."""
        if rows.is_empty():
            return
        refuse_unapproved(table, rows, self.read)
        # DuckDB finds the rows by this variable's name. A registered view would hold them until the transaction
        # ends, however much it appends. Text stays in the views that both hold it in: what is read whole needs none
        # of the filters that Arrow has not got for them.
        rows_to_append = rows.to_arrow(compat_level=pl.CompatLevel.newest())  # noqa: F841
        self._cursor.execute(f"INSERT INTO {table} BY NAME SELECT * FROM rows_to_append")


@dataclass
class Lake:
    """A DuckLake, attached once per process.

    Parameters
    ----------
    attach
        `ducklake:sqlite:<file>` or `ducklake:postgres:<dsn>`.
    data_path
        Folder (or object store prefix) of the Parquet files.
    read_only, version
        For people who only look: writes are refused; `version` shows the lake as of that snapshot.
    """

    attach: str
    data_path: str
    read_only: bool = False
    version: int | None = None
    _connection: duckdb.DuckDBPyConnection | None = field(default=None, init=False, repr=False)
    _owner: int = field(default=0, init=False, repr=False)
    _idle: list[duckdb.DuckDBPyConnection] = field(default_factory=list, init=False, repr=False)
    _guard: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def __reduce__(self) -> tuple[object, tuple[str, str, bool, int | None]]:
        """A lake sent to another process is attached there once, however often it is sent."""
        return _sent, (self.attach, self.data_path, self.read_only, self.version)

    @property
    def sqlite_file(self) -> Path | None:
        """File of the catalog; None where it is a PostgreSQL database."""
        kind, _, rest = self.attach.removeprefix("ducklake:").partition(":")
        return Path(rest) if kind == "sqlite" else None

    def _open(self) -> duckdb.DuckDBPyConnection:
        if not self.attach.startswith(("ducklake:sqlite:", "ducklake:postgres:")):
            raise LakeError(
                f"HOTSPOT_WAREHOUSE={self.attach!r} is no lake; write ducklake:sqlite:FILE or ducklake:postgres:DSN."
            )
        options = [f"DATA_PATH {_quoted(self.data_path)}", "OVERRIDE_DATA_PATH true"]
        if (file := self.sqlite_file) is not None:
            catalog = "sqlite_scanner"
            # Told to wait, the SQLite inside DuckDB sleeps for whole seconds; `patiently` does for milliseconds.
            options += ["META_JOURNAL_MODE 'WAL'", "META_BUSY_TIMEOUT 0"]
            self._make_folders(file)
        else:
            catalog = "postgres_scanner"
        connection = _connection_with("ducklake", catalog)
        if self.read_only:
            options.append("READ_ONLY")
        if self.version is not None:
            options.append(f"SNAPSHOT_VERSION {self.version}")
        # Cursors inherit only what is global.
        connection.execute("SET GLOBAL TimeZone = 'UTC'")
        if file is not None:
            # The catalog's tables are small: more threads took a third of a statement's time.
            connection.execute("SET GLOBAL sqlite_disable_multithreaded_scans = true")
        try:
            connection.execute(f"ATTACH {_quoted(self.attach)} AS lake ({', '.join(options)})")
            if not self.read_only:
                migrate(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _attached(self) -> duckdb.DuckDBPyConnection:
        try:
            return patiently(lambda _: self._open(), "Opening the lake")
        except duckdb.Error as error:
            raise LakeError(f"The lake {self.attach!r} cannot be attached: {error}") from error

    def _make_folders(self, file: Path) -> None:
        if self.read_only:
            if not file.exists():
                raise LakeError(
                    f"There is no lake at {file} yet; `hotspot run` or `hotspot import` makes it."
                )
            return
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise LakeError(
                f"The folder {file.parent} cannot be made ({error.strerror}); choose another HOTSPOT_HOME."
            ) from error

    @contextmanager
    def cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor of this process's connection: one that lies idle, if any, as a new one reads the catalog."""
        with self._guard:
            if self._connection is None or self._owner != os.getpid():
                self._connection, self._owner, self._idle = self._attached(), os.getpid(), []
            connection, fresh = self._connection, not self._idle
            cursor = connection.cursor() if fresh else self._idle.pop()
        try:
            if fresh:
                patiently(lambda _: cursor.execute("USE lake.hotspot"), "Opening the lake")
            yield cursor
        except BaseException:
            cursor.close()
            raise
        with self._guard:
            if self._connection is connection:
                self._idle.append(cursor)
            else:
                cursor.close()

    def read(self, query: str, parameters: Sequence[object] | Mapping[str, object] | None = None) -> Frame:
        """Rows of a query."""
        refuse_rewriting(query)
        with self.cursor() as cursor:
            return patiently(lambda _: cursor.execute(query, parameters).pl(), "Reading")

    def stream(
        self, query: str, parameters: Sequence[object] | Mapping[str, object] | None = None
    ) -> Iterator[Frame]:
        """Rows of a query, some at a time: for what need not be in memory as a whole."""
        refuse_rewriting(query)
        with self.cursor() as cursor:
            patiently(lambda _: cursor.execute(query, parameters), "Reading")
            for batch in cursor.to_arrow_reader(_STREAMED_ROWS):
                yield pl.DataFrame(batch)

    def transact(
        self, work: Callable[[Transaction], T], *, tables: Sequence[str], message: str, stamp: Stamp = Stamp()
    ) -> Committed[T]:
        """Run `work` in one transaction that locks `tables`, and commit it.

        On a conflict with another writer the whole of `work` is run again from its reads: it must derive what
        it writes from what it reads in the transaction it is given, and have no other effect.

        Raises
        ------
        LakeBusy
            When other writers leave no gap for a minute. Nothing was written.
        """
        return patiently(lambda attempt: self._attempt(work, tables, message, stamp, attempt), message)

    def _attempt(
        self,
        work: Callable[[Transaction], T],
        tables: Sequence[str],
        message: str,
        stamp: Stamp,
        attempt: int,
    ) -> Committed[T]:
        with self.cursor() as cursor, _rolled_back_on_failure(cursor):
            cursor.execute("BEGIN")
            if tables:
                cursor.execute(_TAKE_LOCKS, [list(tables)])
            result = work(Transaction(cursor))
            # After a failed statement COMMIT would report success and keep nothing: only reached without one.
            cursor.execute(
                "CALL ducklake_set_commit_message('lake', ?, ?, extra_info => ?)",
                [stamp.author, message, stamp.run_id],
            )
            cursor.execute("COMMIT")
            return Committed(result, _snapshot_made(cursor), attempt)

    def close(self) -> None:
        """Let go of the lake."""
        with self._guard:
            if self._connection is not None and self._owner == os.getpid():
                for cursor in self._idle:
                    cursor.close()
                self._connection.close()
            self._connection, self._idle = None, []


@cache
def _sent(attach: str, data_path: str, read_only: bool, version: int | None) -> Lake:
    return Lake(attach, data_path, read_only, version)


def _snapshot_made(cursor: duckdb.DuckDBPyConnection) -> int:
    """The snapshot this cursor committed last; asked with a patience of its own, as the work must not be done again.

    -1: none was made, or nobody could say: a failure here says nothing about the commit.
    """
    query = "SELECT * FROM ducklake_last_committed_snapshot('lake')"
    with suppress(LakeBusy, duckdb.Error):
        # Read to the end: a cursor with rows left would lie idle in an open transaction.
        rows = patiently(lambda _: cursor.execute(query).fetchall(), "Asking for the snapshot")
        return next((int(id_) for (id_,) in rows if id_ is not None), -1)
    return -1


@contextmanager
def _rolled_back_on_failure(cursor: duckdb.DuckDBPyConnection) -> Iterator[None]:
    try:
        yield
    except BaseException:
        with suppress(duckdb.Error):  # a failed COMMIT has already rolled back
            cursor.execute("ROLLBACK")
        raise


def statement_is_a_query(text: str) -> bool:
    """Whether `text` is exactly one SELECT-like statement."""
    try:
        statements = duckdb.extract_statements(text)
    except duckdb.Error as error:
        raise LakeError(f"Not SQL that DuckDB understands: {error}") from error
    return len(statements) == 1 and statements[0].type == duckdb.StatementType.SELECT

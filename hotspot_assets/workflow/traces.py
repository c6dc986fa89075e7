"""What a home holds of erased incidents beside the lake, and taking it out.

Belongs here: delivered files, pages of reasons, and the keys that failed checks or logs may have left in
Dagster's databases and logs. Not here: tables and their files (warehouse). Only files are looked at: where
Dagster keeps its history in PostgreSQL, that is left to its own means.
"""

from __future__ import annotations

import re
import shutil
import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from hotspot_assets.warehouse.upkeep import vacuum
from hotspot_assets.workflow.files import write_whole
from hotspot_assets.workflow.landing import INGESTED, SET_ASIDE

_SQLITE = b"SQLite format 3\0"
_SHORTEST_REFERENCE = 6
"""A shorter reference cannot be told from other text; nothing of ours writes references into logs."""

_WAIT_SECONDS = 30.0


@dataclass(frozen=True)
class Needles:
    """What to look for: incident keys, and the crime reference where it was given."""

    keys: frozenset[str]
    reference: str | None = None

    def pattern(self) -> re.Pattern[bytes]:
        """Whatever may be a key, and the reference, each standing by itself."""
        found = rb"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])"
        if self.reference is not None and len(self.reference) >= _SHORTEST_REFERENCE:
            found += rb"|(?<!\w)" + re.escape(self.reference.encode()) + rb"(?!\w)"
        return re.compile(found)

    def blackener(self) -> Callable[[bytes], bytes]:
        """A function that puts noughts in the place of keys and nines in that of the reference."""
        keys, pattern = {key.encode() for key in self.keys}, self.pattern()

        def blackened(match: re.Match[bytes]) -> bytes:
            found = match.group()
            if found in keys:
                return b"0" * len(found)
            return found if self.reference is None or found != self.reference.encode() else b"9" * len(found)

        return lambda content: pattern.sub(blackened, content)


def delivered_files(landing: Path) -> list[Path]:
    """Files taken in or set aside, without the notes beside them."""
    folders = (landing / INGESTED, landing / SET_ASIDE)
    files = (path for folder in folders if folder.is_dir() for path in sorted(folder.iterdir()))
    return [path for path in files if path.is_file() and not path.name.endswith(".reason.txt")]


def delete_delivered(files: Iterable[Path]) -> int:
    """Delete delivered files and the notes beside them; returns how many files."""
    count = 0
    for path in files:
        path.unlink(missing_ok=True)
        path.with_name(path.name + ".reason.txt").unlink(missing_ok=True)
        count += 1
    return count


def delete_pages(outputs: Path, days: Collection[date]) -> int:
    """Delete the pages of forecast dates, which tell of single incidents; maps and areas stay."""
    count = 0
    for day in days:
        folder = outputs / day.isoformat()
        pages = list(folder.rglob("*.html")) if folder.is_dir() else []
        for path in pages:
            path.unlink()
        count += len(pages)
        shutil.rmtree(folder / "why", ignore_errors=True)
    return count


def delete_holding(folder: Path, needles: Needles) -> int:
    """Delete all files of a folder in which a key or the reference stands; returns how many."""
    blackener = needles.blackener()
    holding = [path for path in _files(folder) if _holds(path, blackener)]
    for path in holding:
        path.unlink()
    return len(holding)


def blacken(folder: Path, needles: Needles) -> int:
    """Blacken keys and reference in all files of a folder; returns how many texts or files had any."""
    blackener = needles.blackener()
    return sum(_blacken(path, blackener) for path in _files(folder) if _holds(path, blackener))


def _files(folder: Path) -> Iterator[Path]:
    """Files of a folder, if it is there; what SQLite keeps beside a database is part of that."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.name.endswith(("-wal", "-shm", "-journal")):
            yield path


def _is_database(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(_SQLITE)) == _SQLITE


def _holds(path: Path, blackener: Callable[[bytes], bytes]) -> bool:
    if _is_database(path):
        with _database(path, blackener) as database:
            return any(
                database.execute(f'SELECT 1 FROM "{table}" WHERE {_is_unclean(column)} LIMIT 1').fetchone()
                for table, column in _columns(database)
            )
    content = path.read_bytes()
    return blackener(content) != content


def _blacken(path: Path, blackener: Callable[[bytes], bytes]) -> int:
    if not _is_database(path):
        write_whole(path, blackener(path.read_bytes()))
        return 1
    with _database(path, blackener) as database:
        changed = sum(
            database.execute(
                f'UPDATE "{table}" SET "{column}" = cleaned("{column}") WHERE {_is_unclean(column)}'
            ).rowcount
            for table, column in _columns(database)
        )
        database.commit()
    vacuum(path)
    return changed


@contextmanager
def _database(path: Path, blackener: Callable[[bytes], bytes]) -> Iterator[sqlite3.Connection]:
    """An open SQLite file that knows the function `cleaned`."""

    def cleaned(value: str | bytes) -> str | bytes:
        return blackener(value) if isinstance(value, bytes) else blackener(value.encode()).decode()

    with closing(sqlite3.connect(path, timeout=_WAIT_SECONDS)) as database:
        database.create_function("cleaned", 1, cleaned, deterministic=True)
        yield database


def _is_unclean(column: str) -> str:
    long_enough = (
        f"typeof(\"{column}\") IN ('text', 'blob') AND length(\"{column}\") >= {_SHORTEST_REFERENCE}"
    )
    return f'{long_enough} AND cleaned("{column}") <> "{column}"'


def _columns(database: sqlite3.Connection) -> list[tuple[str, str]]:
    """Table and column of everything that may hold text; virtual tables only mirror others."""
    query = """
        SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c
        WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.sql NOT LIKE 'CREATE VIRTUAL%'
    """
    return database.execute(query).fetchall()

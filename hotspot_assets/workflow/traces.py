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
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from hotspot_assets.warehouse.upkeep import vacuum
from hotspot_assets.workflow.briefings import write_whole
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


def blacken(folders: Iterable[Path], needles: Needles) -> int:
    """Blacken keys and reference in all files of some folders; returns how many places or files had any."""
    blackener = needles.blackener()
    return sum(_blacken(path, blackener) for path in _files(folders))


def _files(folders: Iterable[Path]) -> Iterator[Path]:
    for folder in folders:
        if folder.is_dir():
            yield from (path for path in sorted(folder.rglob("*")) if path.is_file())


def _blacken(path: Path, blackener: Callable[[bytes], bytes]) -> int:
    if path.name.endswith(("-wal", "-shm", "-journal")):
        return 0  # part of the database beside it
    with path.open("rb") as file:
        if file.read(len(_SQLITE)) == _SQLITE:
            return _blacken_database(path, blackener)
    content = path.read_bytes()
    clean = blackener(content)
    if clean == content:
        return 0
    write_whole(path, clean)
    return 1


def _blacken_database(path: Path, blackener: Callable[[bytes], bytes]) -> int:
    """Blacken every text in every table, and write the file anew if there was something to blacken."""

    def cleaned(value: str | bytes) -> str | bytes:
        return blackener(value) if isinstance(value, bytes) else blackener(value.encode()).decode()

    with closing(sqlite3.connect(path, timeout=_WAIT_SECONDS)) as database:
        database.create_function("cleaned", 1, cleaned, deterministic=True)
        found = sum(_blacken_column(database, *column) for column in _text_columns(database))
        database.commit()
    if found:
        vacuum(path)
    return found


def _text_columns(database: sqlite3.Connection) -> list[tuple[str, str]]:
    query = """
        SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c
        WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.sql NOT LIKE 'CREATE VIRTUAL%'
    """
    return database.execute(query).fetchall()


def _blacken_column(database: sqlite3.Connection, table: str, column: str) -> int:
    place = f'"{column}"'
    text = f"typeof({place}) IN ('text', 'blob') AND length({place}) >= {_SHORTEST_REFERENCE}"
    changed = database.execute(
        f'UPDATE "{table}" SET {place} = cleaned({place}) WHERE {text} AND cleaned({place}) <> {place}'
    )
    return changed.rowcount

"""The landing folder: what waits there, and where it goes afterwards.

Belongs here: files as files. Not here: what is in them (`deliveries`).
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from hotspot_assets.errors import UserError

INGESTED, SET_ASIDE = "ingested", "set_aside"
_CHUNK_BYTES = 1 << 20
_LONGEST_NAME = 200
"""Bytes of a file's name: file systems take 255, and a number and `.reason.txt` may have to follow."""


class NoSuchFile(UserError):
    """A file to be imported is not there or cannot be read."""


@dataclass(frozen=True)
class LandedFile:
    """A file waiting in the landing folder."""

    path: Path
    bytes: int
    modified_ns: int

    @property
    def fingerprint(self) -> str:
        """Changes whenever the file does."""
        return f"{self.path.name}:{self.bytes}:{self.modified_ns}"


def landed_files(landing: Path) -> list[LandedFile]:
    """Files in the landing folder itself, by name; hidden and temporary ones are not deliveries.

    One whose name could be written down nowhere (no text, as from an old archive, or too long) is renamed.
    """
    if not landing.is_dir():
        return []
    found = []
    for path in sorted(landing.iterdir()):
        if not path.is_file() or path.name.startswith((".", "~")) or path.suffix in {".part", ".tmp"}:
            continue
        landed = _with_readable_name(path)
        status = landed.stat()
        found.append(LandedFile(landed, status.st_size, status.st_mtime_ns))
    return found


def settled_files(landing: Path, now: datetime, settle_seconds: float) -> list[LandedFile]:
    """Landed files that nobody has written to for `settle_seconds`."""
    newest_ns = int((now.timestamp() - settle_seconds) * 1e9)
    return [file for file in landed_files(landing) if file.modified_ns <= newest_ns]


def file_hash(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def require_file(path: Path) -> None:
    """Raise NoSuchFile unless the path is a file."""
    if not path.is_file():
        raise NoSuchFile(f"{path}: there is no such file; name a file that exists.")


def deliver(path: Path, landing: Path) -> Path:
    """Copy a file into the landing folder under a free name; it appears there complete or not at all.

    Raises
    ------
    NoSuchFile
        When it cannot be read.
    """
    require_file(path)
    landing.mkdir(parents=True, exist_ok=True)
    if path.resolve().parent == landing.resolve():
        return _with_readable_name(path)
    target = _free(landing, _readable(path.name))
    part = target.with_name(target.name + ".part")
    try:
        shutil.copyfile(path, part)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise NoSuchFile(f"{path} cannot be copied to {landing}: {error.strerror}.") from error
    part.replace(target)
    return target


def _with_readable_name(path: Path) -> Path:
    name = _readable(path.name)
    return path if name == path.name else path.replace(_free(path.parent, name))


def _readable(name: str) -> str:
    whole = os.fsencode(name).decode(errors="replace")
    suffix = Path(whole).suffix[-20:]  # a longer one is no suffix, and would leave no room for a name
    stem = whole.removesuffix(suffix).encode()[: _LONGEST_NAME - len(suffix.encode())]
    return stem.decode(errors="ignore") + suffix


def _free(folder: Path, name: str) -> Path:
    """A path in the folder at which nothing is yet, by that name if possible."""
    return next(path for path in _names(folder, name) if not path.exists())


def _names(folder: Path, name: str) -> Iterator[Path]:
    yield folder / name
    stem, dot, suffix = name.partition(".")
    for number in range(2, 1_000_000):
        yield folder / f"{stem}-{number}{dot}{suffix}"


def put_away(path: Path, folder: str, note: str = "") -> Path:
    """Move a landed file into a folder beside it, with the reason in a text file where there is one."""
    target_folder = path.parent / folder
    target_folder.mkdir(parents=True, exist_ok=True)
    target = _free(target_folder, path.name)
    path.replace(target)
    if note:
        target.with_name(target.name + ".reason.txt").write_text(note + "\n", encoding="utf-8")
    return target

"""From the bytes of a delivered file to pieces of plain UTF-8 that end at record ends.

Belongs here: compression, encodings, line ends, the header, and the way through a file in bounded memory. Not
here: splitting a piece into rows (`records`), Parquet (`parquet`), what a column means (`formats`).
"""

from __future__ import annotations

import codecs
import csv
import gzip
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

import numpy as np

from hotspot_assets.errors import UserError

PIECE_BYTES = 32 << 20
_HEADER_BYTES = 64 << 10
LONGEST_RECORD_BYTES = 4 << 20
SEPARATORS = (",", ";", "\t", "|")

_AGAIN = "deliver it again."

_FIRST_LINE = re.compile(rb'\s*(?:[^"\r\n]+|"[^"]*")*(\r+\n|\r|\n)?')
"""Blank lines, the header, and what ends it."""


class UnreadableDelivery(UserError):
    """A file that cannot be taken in as a whole; the message says why and what to do, and quotes no value."""


@dataclass(frozen=True)
class Header:
    """First record of a file: its column names as written, and what separates them."""

    names: tuple[str, ...]
    separator: str


@dataclass(frozen=True)
class Piece:
    """Whole records of a file, as UTF-8 without a header; `first_line` is the file's line it starts at."""

    text: bytes
    first_line: int


def is_parquet(path: Path) -> bool:
    """Whether the file is Parquet, by its first bytes."""
    with reading(path), path.open("rb") as file:
        return file.read(4) == b"PAR1"


def read_header(path: Path) -> Header:
    """The header of a text file.

    Raises
    ------
    UnreadableDelivery
        When the file is empty, damaged, or no text.
    """
    with reading(path):
        for text in _texts(path, _HEADER_BYTES):
            line, _, _ = text.lstrip(b"\r\n\t ").partition(b"\n")
            if line:
                return _header(path, line)
    raise UnreadableDelivery(f"{path.name} is empty; {_AGAIN}")


def read_pieces(path: Path, piece_bytes: int = PIECE_BYTES) -> Iterator[Piece]:
    """The file below its header, in pieces of about `piece_bytes`.

    Raises
    ------
    UnreadableDelivery
        As soon as damage is met; pieces before it have been given out by then.
    """
    with reading(path):
        line, header_seen = 1, False
        for text in _texts(path, piece_bytes):
            body = text
            lines_before = 0
            if not header_seen:
                blank = len(text) - len(text.lstrip(b"\r\n\t "))
                end = text.find(b"\n", blank) + 1 or len(text)
                header_seen = blank < len(text)
                body, lines_before = text[end:], text.count(b"\n", 0, end)
            if body:
                yield Piece(body, line + lines_before)
            line += text.count(b"\n")


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn what can go wrong in reading a file into one plain message."""
    try:
        yield
    except (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile) as error:
        raise UnreadableDelivery(f"{path.name} is damaged or cut short; {_AGAIN}") from error
    except RuntimeError as error:  # how zipfile reports passwords and rare methods
        raise UnreadableDelivery(
            f"{path.name} is encrypted, or packed in a rare way; deliver it as a plain zip or gzip."
        ) from error
    except OSError as error:
        raise UnreadableDelivery(f"{path.name} cannot be read ({error.strerror or 'damaged'}).") from error


def _header(path: Path, line: bytes) -> Header:
    if len(line) > LONGEST_RECORD_BYTES:
        raise _giant(path)
    text = line.decode().rstrip("\r")
    try:
        header = _split(text)
        if len(header.names) == 1:  # a whole line in one more pair of quotes
            header = _split(header.names[0])
    except csv.Error as error:
        raise UnreadableDelivery(f"{path.name}: the first line is no header; export it as CSV.") from error
    return Header(tuple(name.strip() for name in header.names), header.separator)


def _split(line: str) -> Header:
    """Split by the separator that makes the most of the line."""
    ways = [Header(tuple(next(csv.reader([line], delimiter=mark), ())), mark) for mark in SEPARATORS]
    return max(ways, key=lambda way: len(way.names))


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    """The unpacked bytes of a plain, gzip or single-file zip file, recognised by content."""
    with path.open("rb") as raw:
        start = raw.read(4)
        raw.seek(0)
        if start[:2] == b"\x1f\x8b":
            with gzip.GzipFile(fileobj=raw) as unpacked:
                yield cast(IO[bytes], unpacked)
        elif start in (b"PK\x03\x04", b"PK\x05\x06"):
            with zipfile.ZipFile(raw) as archive, archive.open(_only_member(path, archive)) as member:
                yield member
        else:
            yield raw


def _only_member(path: Path, archive: zipfile.ZipFile) -> str:
    names = archive.namelist()
    if "[Content_Types].xml" in names:
        raise UnreadableDelivery(f"{path.name} is an Office document; export it as CSV (UTF-8).")
    files = [name for name in names if not name.endswith("/") and not name.startswith("__MACOSX/")]
    if len(files) != 1:
        raise UnreadableDelivery(f"{path.name}: the zip holds {len(files)} files; deliver one file a zip.")
    return files[0]


def _texts(path: Path, piece_bytes: int) -> Iterator[bytes]:
    """The whole file as UTF-8, cut at record ends."""
    text = b""
    for block in _blocks(path, piece_bytes):
        if text:  # only now known not to be the last of it
            cut = _last_record_end(text)
            if cut:
                yield _as_utf8(text[:cut])
            text = text[cut:]
        text += block
        if len(text) - text.rfind(b"\n") - 1 > LONGEST_RECORD_BYTES:
            raise _giant(path)
    if text:
        yield _as_utf8(text)


def _blocks(path: Path, piece_bytes: int) -> Iterator[bytes]:
    """Bytes as they stand in the file, without a byte-order mark, lines ended by LF or CRLF."""
    first, old_line_ends = True, False
    with _opened(path) as file:
        while block := file.read(piece_bytes):
            while block.endswith(b"\r") and (following := file.read(1)):  # a CRLF is not cut in two
                block += following
            if first:
                block = block.removeprefix(codecs.BOM_UTF8)
                _check_text(path, block)
                old_line_ends = _ends_in_cr(block)
                first = False
            yield block.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if old_line_ends else block


def _ends_in_cr(block: bytes) -> bool:
    """Whether lines end in CR alone, by the first one: later ones may lie beyond what is read of a file at first."""
    found = _FIRST_LINE.match(block)
    end = found.group(1) if found else None
    return end == b"\r" if end else b"\n" not in block and b"\r" in block


def _check_text(path: Path, block: bytes) -> None:
    if block.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):  # before UTF-16, whose mark begins alike
        raise UnreadableDelivery(f"{path.name} is in UTF-32; export it as CSV in UTF-8.")
    if block.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise UnreadableDelivery(f"{path.name} is in UTF-16; export it as CSV in UTF-8.")
    if block.startswith(b"PAR1"):
        raise UnreadableDelivery(f"{path.name} is Parquet packed once more; deliver the Parquet file itself.")
    if b"\x00" in block[:4096]:
        raise UnreadableDelivery(f"{path.name} is no text; deliver CSV (plain, .gz or .zip) or Parquet.")


def _last_record_end(text: bytes) -> int:
    """Where the last record that is complete ends: after a line end outside quotes, if one is near."""
    last_line = text.rfind(b"\n") + 1
    if text.count(b'"', 0, last_line) % 2 == 0:
        return last_line
    near = max(0, last_line - LONGEST_RECORD_BYTES)
    codes = np.frombuffer(text, np.uint8)[near:last_line]
    quotes_before = text.count(b'"', 0, near)
    inside = (np.cumsum(codes == ord('"')) + quotes_before) % 2 == 1
    ends = np.flatnonzero((codes == ord("\n")) & ~inside)
    if ends.size:
        return near + int(ends[-1]) + 1
    # One record so far, or a stray quote long ago: wait for more only while a record may be that long.
    return 0 if near == 0 else last_line


def _as_utf8(text: bytes) -> bytes:
    """The text as UTF-8; bytes that are none are read as Windows-1252, where nearly any byte is a letter."""
    if text.isascii():
        return text
    try:
        text.decode()
    except UnicodeDecodeError:
        return text.decode(errors="hotspot_assets.windows_1252").encode()
    return text


def _windows_1252(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    letter = error.object[error.start : error.start + 1].decode("cp1252", errors="replace")
    return letter, error.start + 1


codecs.register_error("hotspot_assets.windows_1252", _windows_1252)


def _giant(path: Path) -> UnreadableDelivery:
    return UnreadableDelivery(
        f"{path.name}: a line longer than {LONGEST_RECORD_BYTES >> 20} MB; this is no table of incidents."
    )

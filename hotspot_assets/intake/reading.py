"""From the bytes of a delivered file to rows of text, every physical record accounted for.

Belongs here: compression, encodings, records, columns. Not here: what a column means (`formats`), what makes
a row acceptable (`validation`).

A record is one line, or several where a quoted field holds line breaks. Fields are counted before they are
parsed, so a record with too many, too few or an unclosed quote is reported with its line and never shifts or
swallows its neighbours.
"""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import polars as pl

from hotspot_assets.errors import UserError

CHUNK_BYTES = 64 << 20
LONGEST_RECORD_BYTES = 4 << 20
_QUOTED = r'"(?:[^"]|"")*"'


class UnreadableDelivery(UserError):
    """A file that cannot be read as a whole; nothing of it was taken in."""


@dataclass(frozen=True)
class Chunk:
    """Part of a file: `rows` (all String, and `line`), and the lines that are no rows of the header's width."""

    rows: pl.DataFrame
    malformed: pl.DataFrame


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    """The uncompressed bytes of a plain, gzip or single-file zip file, recognised by content."""
    with path.open("rb") as raw:
        start = raw.read(4)
        raw.seek(0)
        if start[:2] == b"\x1f\x8b":
            with gzip.GzipFile(fileobj=raw) as unzipped:
                yield unzipped
        elif start == b"PK\x03\x04":
            with zipfile.ZipFile(raw) as archive:
                names = [name for name in archive.namelist() if not name.endswith("/")]
                if len(names) != 1:
                    raise UnreadableDelivery(f"{path.name}: the zip holds {len(names)} files; deliver one file a zip.")
                with archive.open(names[0]) as member:
                    yield member
        else:
            yield raw


def _texts(path: Path) -> Iterator[str]:
    """The file's text in pieces that end at line ends."""
    rest = b""
    with _opened(path) as file:
        while piece := file.read(CHUNK_BYTES):
            rest += piece
            cut = rest.rfind(b"\n") + 1
            if cut == 0 and len(rest) > LONGEST_RECORD_BYTES:
                raise UnreadableDelivery(f"{path.name}: a line longer than {LONGEST_RECORD_BYTES >> 20} MB; this is no table.")
            if cut:
                yield _decoded(rest[:cut])
                rest = rest[cut:]
        if rest:
            yield _decoded(rest)


def _decoded(piece: bytes) -> str:
    """UTF-8 where it is, else Windows-1252, in which every byte means something."""
    try:
        text = piece.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = piece.decode("cp1252", errors="replace")
    return text.replace("\r\n", "\n").replace("\r", "\n")


@contextmanager
def _parsing(name: str) -> Iterator[None]:
    try:
        yield
    except pl.exceptions.PolarsError as error:
        raise UnreadableDelivery(f"{name} is no table that can be read: {str(error).splitlines()[0]}") from error


def is_parquet(path: Path) -> bool:
    """Whether the file is Parquet, by its first bytes."""
    with path.open("rb") as file:
        return file.read(4) == b"PAR1"


def header_of(path: Path) -> list[str]:
    """Column names of a delivered file.

    Raises
    ------
    UnreadableDelivery
        When it is empty, damaged, or no table.
    """
    with _reading(path):
        if is_parquet(path):
            with _parsing(path.name):
                return list(pl.read_parquet_schema(path))
        text = next(_texts(path), "")
        line = next((line for line in text.split("\n") if line.strip()), "")
        if not line:
            raise UnreadableDelivery(f"{path.name} is empty; deliver it again.")
        return _names(_unwrapped_line(line))


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile) as error:
        raise UnreadableDelivery(f"{path.name} is damaged or cut short ({error}); deliver it again.") from error
    except OSError as error:
        raise UnreadableDelivery(f"{path.name} cannot be read ({error.strerror or error}).") from error


def _names(header: str) -> list[str]:
    with _parsing("The header"):
        frame = pl.read_csv(io.BytesIO(header.encode()), has_header=False, infer_schema=False)
    return [(name or "").strip() for name in frame.row(0)]


def _wrapped(line: str) -> bool:
    """Whether a whole line stands in one more pair of quotes: one field that holds commas."""
    stripped = line.strip()
    return len(stripped) > 2 and stripped[0] == stripped[-1] == '"' and "," in stripped and len(_names(stripped)) == 1


def _unwrapped_line(line: str) -> str:
    stripped = line.strip()
    return stripped[1:-1].replace('""', '"') if _wrapped(stripped) else line


def read_chunks(path: Path) -> Iterator[Chunk]:
    """The rows of a delivered file in chunks, in order.

    Raises
    ------
    UnreadableDelivery
        When the file is empty, damaged, or no table.
    """
    with _reading(path):
        if is_parquet(path):
            yield _parquet(path)
            return
        names: list[str] = []
        wrapped, line = False, 0
        for text in _texts(path):
            lines = pl.Series("text", [text.removesuffix("\n")]).str.split("\n").explode()
            numbered = lines.to_frame().with_row_index("line", offset=line + 1).with_columns(pl.col("line").cast(pl.Int64))
            line += lines.len()
            records = numbered.filter(pl.col("text").str.strip_chars() != "")
            if records.is_empty():
                continue
            if not names:
                wrapped = _wrapped(records["text"][0])
                names = _names(_unwrapped_line(records["text"][0]))
                records = records.slice(1)
            yield _chunk(_unwrapped(records) if wrapped else records, names, path)
        if not names:
            raise UnreadableDelivery(f"{path.name} is empty; deliver it again.")


def _parquet(path: Path) -> Chunk:
    with _parsing(path.name):
        frame = pl.read_parquet(path)
    text = [
        pl.col(name).dt.convert_time_zone("UTC").dt.strftime("%Y-%m-%dT%H:%M:%S%.6f%:z")
        if isinstance(dtype, pl.Datetime) and dtype.time_zone
        else pl.col(name).cast(pl.String)
        for name, dtype in frame.schema.items()
        if not dtype.is_nested()
    ]
    rows = frame.select(text).with_row_index("line", offset=2).with_columns(pl.col("line").cast(pl.Int64))
    return Chunk(rows, _no_malformed())


def _no_malformed() -> pl.DataFrame:
    return pl.DataFrame(schema={"line": pl.Int64, "detail": pl.String})


def _unwrapped(records: pl.DataFrame) -> pl.DataFrame:
    inner = pl.col("text").str.strip_chars().str.strip_prefix('"').str.strip_suffix('"').str.replace_all('""', '"')
    return records.with_columns(text=inner)


def _chunk(lines: pl.DataFrame, names: list[str], path: Path) -> Chunk:
    records = _judged(_joined(lines), len(names))
    # Lines put together that make no record were not one: each stands for itself.
    apart = records.filter(~pl.col("good") & (pl.col("last") > pl.col("line")))
    if apart.height:
        ranges = apart.select(pl.int_ranges("line", pl.col("last") + 1).alias("line")).explode("line")
        single = lines.join(ranges, on="line", how="semi").with_columns(last="line")
        records = records.join(apart, on="line", how="anti")
        records = pl.concat([records, _judged(single, len(names))]).sort("line")
    odd = records.filter(~pl.col("good")).select(
        "line",
        detail=pl.when(pl.col("text").str.len_bytes() > LONGEST_RECORD_BYTES).then(pl.lit("a record longer than 4 MB"))
        .when(~pl.col("closed")).then(pl.lit("a quote is not closed"))
        .otherwise(pl.format("{} fields where the header has {}", "fields", pl.lit(len(names)))),
    )  # fmt: skip
    return Chunk(_parsed(records.filter("good"), names, path), odd)


def _judged(records: pl.DataFrame, width: int) -> pl.DataFrame:
    """Whether each record has the header's width, its quotes closed, and a length that makes sense."""
    quotes = pl.col("text").str.count_matches('"', literal=True)
    bare = pl.when(quotes > 0).then(pl.col("text").str.replace_all(_QUOTED, "")).otherwise("text")
    return records.with_columns(
        fields=bare.str.count_matches(",", literal=True) + 1, closed=~bare.str.contains('"', literal=True)
    ).with_columns(
        good=pl.col("closed")
        & (pl.col("fields") == width)
        & (pl.col("text").str.len_bytes() <= LONGEST_RECORD_BYTES)
    )


def _joined(lines: pl.DataFrame) -> pl.DataFrame:
    """Lines put together where quotes are open at their ends: `line, text, last` (its last line)."""
    odd = lines["text"].str.count_matches('"', literal=True).cast(pl.Int64) % 2
    if odd.sum() == 0:
        return lines.with_columns(last="line")
    starts = (odd.cum_sum() - odd) % 2 == 0
    return (
        lines.with_columns(record=starts.cum_sum())
        .group_by("record", maintain_order=True)
        .agg(pl.col("line").first(), pl.col("text").str.join("\n"), last=pl.col("line").last())
        .drop("record")
    )


def _parsed(records: pl.DataFrame, names: list[str], path: Path) -> pl.DataFrame:
    unique = [name if name and names.index(name) == at else f"{name}_{at}" for at, name in enumerate(names)]
    schema = dict.fromkeys(unique, pl.String())
    if records.is_empty():
        return pl.DataFrame(schema={**schema, "line": pl.Int64()})
    body = "\n".join(records["text"].to_list()).encode()
    with _parsing(path.name):
        frame = pl.read_csv(io.BytesIO(body), has_header=False, schema=schema, infer_schema=False)
    if frame.height != records.height:
        raise UnreadableDelivery(f"{path.name}: {records.height} records became {frame.height} rows; deliver it as plain CSV.")
    return frame.with_columns(line=records["line"])

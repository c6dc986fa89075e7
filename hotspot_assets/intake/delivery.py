"""One delivered file, from bytes to accepted and rejected rows.

Belongs here: recognising the format and going through the file once. Not here: comparing with what is known
(`versions`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from hotspot_assets.intake.ahead import ahead
from hotspot_assets.intake.content import ACCEPTED_SCHEMA
from hotspot_assets.intake.contract import check_columns, check_values, examined_columns
from hotspot_assets.intake.formats import Format, all_formats, missing_columns
from hotspot_assets.intake.parquet import read_parquet_chunks, read_parquet_names
from hotspot_assets.intake.reading import (
    PIECE_BYTES,
    UnreadableDelivery,
    is_parquet,
    read_header,
    read_pieces,
)
from hotspot_assets.intake.records import Chunk, Columns, split_records, unique_names
from hotspot_assets.intake.times import MIXED_SHARE, fits_swapped, read_times, swapped_order
from hotspot_assets.intake.validation import REJECTED_SCHEMA, IntakeOptions, Judge, malformed


@dataclass(frozen=True)
class Recognised:
    """How a file will be read.

    Attributes
    ----------
    kind
        Its format.
    header
        Unique names of all its columns.
    separator
        Between fields of a text file.
    fields
        Field -> columns it is read from.
    """

    path: Path
    kind: Format
    header: tuple[str, ...]
    separator: str
    fields: Mapping[str, tuple[str, ...]]

    @property
    def columns_read(self) -> tuple[str, ...]:
        """Columns that fill a field, in the order of the file."""
        read = {name for names in self.fields.values() for name in names}
        return tuple(name for name in self.header if name in read)

    @property
    def columns_ignored(self) -> tuple[str, ...]:
        """Columns of the file that fill nothing."""
        return tuple(name for name in self.header if name not in self.columns_read)


@dataclass(frozen=True)
class Batch:
    """Some rows of a file: rows_read = accepted + rejected + the sum of excluded.

    `excluded` and `marks` count by code (`reasons`); marks are notes on accepted rows. `not_taken` names the
    incidents of the rows that were not accepted (`validation.NOT_TAKEN_SCHEMA`).
    """

    accepted: pl.DataFrame
    rejected: pl.DataFrame
    not_taken: pl.DataFrame
    rows_read: int
    excluded: Mapping[str, int]
    marks: Mapping[str, int]


@dataclass(frozen=True)
class Delivery:
    """A file as read: rows_read = accepted + rejected + rows_excluded.

    Attributes
    ----------
    format, source, zone
        How it was read, whose records they are, and the zone of their local times.
    columns_read, columns_ignored
        Columns of the file that filled a field, and the others.
    accepted, rejected
        `ACCEPTED_SCHEMA`, `REJECTED_SCHEMA`; in the order of the file.
    excluded, marks
        Rows left out, and notes on accepted rows, by code (`reasons`).
    """

    format: str
    source: str
    zone: str
    columns_read: tuple[str, ...]
    columns_ignored: tuple[str, ...]
    rows_read: int
    accepted: pl.DataFrame
    rejected: pl.DataFrame
    excluded: Mapping[str, int]
    marks: Mapping[str, int]

    @property
    def rows_excluded(self) -> int:
        """Rows left out, for whatever reason."""
        return sum(self.excluded.values())


def recognise(path: Path, mappings: Sequence[Format] = ()) -> Recognised:
    """Find the format of a file by its header; an operator's mappings go first.

    Raises
    ------
    UnreadableDelivery
        When the file is empty, damaged or of no known format, or has a column that the data contract forbids.
    """
    if is_parquet(path):
        written, separator = read_parquet_names(path), ","
    else:
        header = read_header(path)
        written, separator = header.names, header.separator
    names = unique_names(written)
    known = (*mappings, *all_formats())
    for kind in known:
        fields = kind.match(names)
        if fields is not None:
            _check_header(path, written, kind, fields)
            return Recognised(path, kind, names, separator, fields)
    raise UnreadableDelivery(_unknown(path, names, known))


def read_delivery(path: Path, options: IntakeOptions, piece_bytes: int = PIECE_BYTES) -> Delivery:
    """Read a delivered file as a whole.

    Raises
    ------
    UnreadableDelivery
        When it cannot be taken: empty, damaged, of no known format, or with columns or values that the data
        contract forbids.
    """
    file = recognise(path, options.mappings)
    accepted, rejected = [pl.DataFrame(schema=ACCEPTED_SCHEMA)], [pl.DataFrame(schema=REJECTED_SCHEMA)]
    rows_read, excluded, marks = 0, Counter[str](), Counter[str]()
    for batch in batches_of(file, options, piece_bytes):
        accepted.append(batch.accepted)
        rejected.append(batch.rejected)
        rows_read += batch.rows_read
        excluded.update(batch.excluded)
        marks.update(batch.marks)
    return Delivery(
        format=file.kind.name,
        source=file.kind.source,
        zone=file.kind.zone or options.zone,
        columns_read=file.columns_read,
        columns_ignored=file.columns_ignored,
        rows_read=rows_read,
        accepted=pl.concat(accepted),
        rejected=pl.concat(rejected),
        excluded=dict(excluded),
        marks=dict(marks),
    )


def _check_header(
    path: Path, written: Sequence[str], kind: Format, fields: Mapping[str, tuple[str, ...]]
) -> None:
    folded = [name.strip().casefold() for name in written]
    read = [name for names in fields.values() for name in names]
    for name in read:
        if folded.count(name.strip().casefold()) > 1:
            raise UnreadableDelivery(f"{path.name}: the column {name!r} stands there twice; export it once.")
    if not kind.known_public:
        check_columns(path.name, written)


def _unknown(path: Path, header: Sequence[str], known: Sequence[Format]) -> str:
    """What to do about a header; it is not quoted, as a file without one begins with values."""
    missing = {
        kind.name: min((missing_columns(layout, header) for layout in kind.layouts), key=len)
        for kind in known
    }
    widths = {kind.name: min(len(layout) for layout in kind.layouts) for kind in known}
    name = min(missing, key=lambda each: len(missing[each]) / widths[each])
    near = (
        f" Nearest is {name}, but there is no {', '.join(missing[name])}."
        if len(missing[name]) < widths[name]
        else ""
    )
    return (
        f"{path.name}: no format has the columns of its first line.{near} Export it by the delivery contract,"
        " or describe it in a mapping file."
    )


def batches_of(file: Recognised, options: IntakeOptions, piece_bytes: int = PIECE_BYTES) -> Iterator[Batch]:
    """Read a recognised file in bounded memory, about `piece_bytes` of text at a time.

    Raises
    ------
    UnreadableDelivery
        When the file as a whole cannot be taken. Damage and forbidden values may show up late: whoever
        stores batches must be able to take them back.
    """
    judge = Judge(file.kind, options, _order_is_mixed(file, options, piece_bytes))
    for chunk in ahead(_permitted(file, options, piece_bytes)):
        judged = judge.judge(_by_field(chunk.rows, file.fields))
        rejected = judged.rejected
        if chunk.malformed.height:
            rejected = pl.concat([rejected, malformed(chunk.malformed)]).sort("line")
        yield Batch(
            judged.accepted, rejected, judged.not_taken, chunk.rows_read, judged.excluded, judged.marks
        )


def _permitted(file: Recognised, options: IntakeOptions, piece_bytes: int) -> Iterator[Chunk]:
    """The columns that are read, of chunks in which no column holds what the contract forbids."""
    examined = examined_columns(file.kind, file.header, file.fields)
    wanted = tuple(dict.fromkeys((*file.columns_read, *examined)))
    for chunk in _chunks(file, wanted, piece_bytes):
        check_values(file.path.name, chunk.rows.select(examined), options.now)
        yield chunk


def _chunks(file: Recognised, wanted: tuple[str, ...], piece_bytes: int) -> Iterator[Chunk]:
    columns = Columns(file.header, file.separator, wanted)
    if is_parquet(file.path):
        yield from read_parquet_chunks(file.path, columns)
        return
    for piece in read_pieces(file.path, piece_bytes):
        yield split_records(piece, columns)


def _by_field(rows: pl.DataFrame, fields: Mapping[str, tuple[str, ...]]) -> pl.DataFrame:
    return rows.select(
        "line",
        *(
            pl.concat_str(columns, separator=" ", ignore_nulls=True).alias(name)
            if len(columns) > 1
            else pl.col(columns[0]).alias(name)
            for name, columns in fields.items()
        ),
    )


def _order_is_mixed(file: Recognised, options: IntakeOptions, piece_bytes: int) -> bool:
    """Whether a file whose day and month could be taken for each other holds dates in both orders.

    Only asked of files described by an operator: what a published format means is known. It takes a pass of
    its own, so that the answer holds for the first row as for the last.
    """
    patterns = file.kind.times
    if file.kind.known_public or not swapped_order(patterns):
        return False
    zone, rows, otherwise = file.kind.zone or options.zone, 0, 0
    columns = {"occurred_from": file.fields["occurred_from"]}
    for chunk in _chunks(file, columns["occurred_from"], piece_bytes):
        texts = _by_field(chunk.rows, columns)["occurred_from"].str.strip_chars()
        unread = read_times(texts, patterns, zone, options.zone)["moment"].is_null()
        rows += texts.len()
        otherwise += int((unread & fits_swapped(texts, patterns)).sum())
    return otherwise > 0 and otherwise >= MIXED_SHARE * rows

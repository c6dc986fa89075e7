"""A delivered file of any size, read into parts that lie on disk and given out by incident.

Belongs here: what is counted while a file is read, and its rows in bounded memory. Not here: reading the
batches (`delivery`), comparing them (`versions`).

What becomes of a row depends on the other rows of its incident and on nothing else in the file. So the
accepted rows come back in slices of the incident keys: all rows of an incident are in one slice, whichever
batches they were read in. A file of one batch never touches the disk.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import chain, islice, pairwise
from pathlib import Path

import numpy as np
import polars as pl

from hotspot_assets.intake.ahead import ahead
from hotspot_assets.intake.content import ACCEPTED_SCHEMA
from hotspot_assets.intake.delivery import Batch, batches_of, recognise
from hotspot_assets.intake.reading import PIECE_BYTES
from hotspot_assets.intake.validation import NOT_TAKEN_SCHEMA, IntakeOptions

SLICE_ROWS = 500_000
"""So many rows are handled at a time: some 200 MB while they are compared."""

_ROW_GROUP = 1 << 14
_KEY_PREFIX_DIGITS = 8
_SORTED_DIGITS = 4


@dataclass(frozen=True)
class KeySlice:
    """Accepted rows of the incidents whose keys lie in `low` <= key < `high`, and rows not taken of the same keys."""

    rows: pl.DataFrame
    not_taken: pl.DataFrame
    low: str
    high: str

    def incident_keys(self) -> pl.DataFrame:
        """Every incident named (`incident_key`), as often as it is."""
        return pl.concat([self.rows.select("incident_key"), self.not_taken.select("incident_key")])


@dataclass
class DeliveryParts:
    """A file as read; rows_read = rows_accepted + rows_rejected + rows_excluded.

    Attributes
    ----------
    format, source, zone
        How it was read, whose records they are, and the zone of their local times.
    slice_rows
        About so many accepted rows are given out at a time.
    excluded, marks, reasons
        Rows left out, notes on accepted rows and rejected rows, by code.
    month_only
        Accepted rows of which only the month is known.
    occurred_from, occurred_to
        First and last day of occurrence (UTC) among the accepted rows.
    """

    format: str
    source: str
    zone: str
    slice_rows: int = SLICE_ROWS
    rows_read: int = 0
    rows_accepted: int = 0
    rows_rejected: int = 0
    month_only: int = 0
    occurred_from: date | None = None
    occurred_to: date | None = None
    excluded: Counter[str] = field(default_factory=Counter)
    marks: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    _accepted: list[pl.LazyFrame] = field(default_factory=list, repr=False)
    _rejected: list[pl.LazyFrame] = field(default_factory=list, repr=False)
    _not_taken: list[pl.LazyFrame] = field(default_factory=list, repr=False)

    @property
    def rows_excluded(self) -> int:
        """Rows left out, for whatever reason."""
        return self.excluded.total()

    def slices(self) -> Iterator[KeySlice]:
        """The accepted rows, slice by slice in the order of the keys; at least one slice, perhaps empty."""
        for low, high in key_ranges(math.ceil(self.rows_accepted / self.slice_rows)):
            rows = _within(self._accepted, low, high, ACCEPTED_SCHEMA)
            yield KeySlice(rows, _within(self._not_taken, low, high, NOT_TAKEN_SCHEMA), low, high)

    def rejected(self) -> Iterator[pl.DataFrame]:
        """The rejected rows, in the order of the file."""
        for part in self._rejected:
            yield part.collect()

    def add(self, accepted: pl.LazyFrame, rejected: pl.LazyFrame, not_taken: pl.LazyFrame) -> None:
        """Take note of where a batch's rows are."""
        self._accepted.append(accepted)
        self._rejected.append(rejected)
        self._not_taken.append(not_taken)

    def count(self, batch: Batch) -> None:
        """Add a batch to the counts."""
        accepted = batch.accepted
        self.rows_read += batch.rows_read
        self.rows_accepted += accepted.height
        self.rows_rejected += batch.rejected.height
        self.month_only += accepted.filter(pl.col("time_precision") == "month").height
        self.excluded.update(batch.excluded)
        self.marks.update(batch.marks)
        self.reasons.update(dict(batch.rejected.group_by("reason").len().rows()))
        if accepted.height:
            moment = pl.col("occurred_from")
            first, last = accepted.select(a=moment.min().dt.date(), b=moment.max().dt.date()).row(0)
            self.occurred_from = min(self.occurred_from or first, first)
            self.occurred_to = max(self.occurred_to or last, last)


def key_ranges(many: int) -> Iterator[tuple[str, str]]:
    """So many ranges (one at least) that together hold every incident key, ascending; keys fill them evenly."""
    many = max(many, 1)
    space = 16**_KEY_PREFIX_DIGITS
    ends = [f"{space * number // many:0{_KEY_PREFIX_DIGITS}x}" for number in range(1, many)]
    bounds = ["", *ends, "g"]  # every key is hexadecimal: not below "", and below "g"
    yield from pairwise(bounds)


def read_into_parts(
    path: Path,
    options: IntakeOptions,
    folder: Path,
    piece_bytes: int = PIECE_BYTES,
    slice_rows: int = SLICE_ROWS,
) -> DeliveryParts:
    """Read a delivered file in bounded memory; what does not fit is kept in `folder`, which the caller removes.

    Raises
    ------
    UnreadableDelivery
        When the file as a whole cannot be taken, however late that shows.
    """
    file = recognise(path, options.mappings)
    parts = DeliveryParts(file.kind.name, file.kind.source, file.kind.zone or options.zone, slice_rows)
    batches = batches_of(file, options, piece_bytes)
    begun = list(islice(batches, 2))
    for number, batch in enumerate(ahead(chain(begun, batches))):
        parts.count(batch)
        parts.add(*(_on_disk(batch, folder, number) if len(begun) > 1 else _in_memory(batch)))
    return parts


def _within(
    parts: Sequence[pl.LazyFrame], low: str, high: str, schema: dict[str, pl.DataType]
) -> pl.DataFrame:
    key = pl.col("incident_key")
    within = [part.filter(key >= low, key < high).collect() for part in parts]
    return pl.concat([pl.DataFrame(schema=schema), *within])


def _in_memory(batch: Batch) -> tuple[pl.LazyFrame, pl.LazyFrame, pl.LazyFrame]:
    return batch.accepted.lazy(), batch.rejected.lazy(), batch.not_taken.lazy()


def _on_disk(batch: Batch, folder: Path, number: int) -> tuple[pl.LazyFrame, pl.LazyFrame, pl.LazyFrame]:
    """The batch's rows in files; by key where slices are cut, so that a slice reads only its own pages of them."""
    by_key = (batch.accepted, batch.not_taken)
    accepted, not_taken = (_by_start_of_key(rows) for rows in by_key)
    return (
        _written(accepted, folder / f"{number}.accepted.parquet"),
        _written(batch.rejected, folder / f"{number}.rejected.parquet"),
        _written(not_taken, folder / f"{number}.not_taken.parquet"),
    )


def _by_start_of_key(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows in the order of the first digits of their keys: sixteen bits are sorted digit by digit, text is not."""
    start = rows["incident_key"].str.head(_SORTED_DIGITS).str.to_integer(base=16, dtype=pl.UInt16)
    return rows[np.argsort(start.to_numpy(), kind="stable")]


def _written(rows: pl.DataFrame, path: Path) -> pl.LazyFrame:
    rows.write_parquet(path, compression="uncompressed", row_group_size=_ROW_GROUP)
    return pl.scan_parquet(path)

"""Rows of a Parquet file as text, so that they go the same way as rows of a CSV.

Belongs here: types to text, a batch at a time. Not here: what a column means (`formats`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl

from hotspot_assets.intake.reading import UnreadableDelivery, reading
from hotspot_assets.intake.records import Chunk, Columns, no_malformed, unique_names

BATCH_ROWS = 1_000_000
_WHOLE_BELOW = 2**53
"""Up to here a float of 64 bits tells whole numbers apart."""


def read_parquet_names(path: Path) -> tuple[str, ...]:
    """Column names.

    Raises
    ------
    UnreadableDelivery
        When the file is damaged.
    """
    with _opened(path) as file:
        return tuple(file.schema_arrow.names)


def read_parquet_chunks(path: Path, columns: Columns, batch_rows: int = BATCH_ROWS) -> Iterator[Chunk]:
    """The rows in batches, the wanted columns as text; a record's `line` is its number plus one.

    Raises
    ------
    UnreadableDelivery
        When the file is damaged, or a wanted column is nested.
    """
    import pyarrow as pa

    line = 2
    with _opened(path) as file:
        names = file.schema_arrow.names
        written = dict(zip(unique_names(names), names, strict=True))
        ordered = [name for name in written if name in columns.wanted]  # as the batches come
        for batch in file.iter_batches(batch_size=batch_rows, columns=[written[name] for name in ordered]):
            batch.validate(full=True)  # Polars trusts text to be UTF-8, and crashes where it is not
            columns_in_utc = [_in_utc(column) for column in batch.columns]
            frame = pl.DataFrame(pa.RecordBatch.from_arrays(columns_in_utc, names=ordered))
            if any(kind.is_nested() for kind in frame.dtypes):
                raise UnreadableDelivery(f"{path.name} has nested columns; deliver flat ones.")
            texts = frame.select(_text(name, kind) for name, kind in frame.schema.items())
            lines = pl.int_range(line, line + frame.height, dtype=pl.Int64, eager=True).alias("line")
            line += frame.height
            yield Chunk(texts.select(lines, pl.all()), no_malformed())


def _in_utc(column: Any) -> Any:
    """Moments say the same in any zone; Polars knows only zones with a name, and not +05:30."""
    import pyarrow as pa

    zoned = pa.types.is_timestamp(column.type) and column.type.tz is not None
    return column.cast(pa.timestamp(column.type.unit, "UTC")) if zoned else column


def _text(name: str, kind: pl.DataType) -> pl.Expr:
    column = pl.col(name)
    if isinstance(kind, pl.Datetime):
        return column.dt.strftime("%Y-%m-%dT%H:%M:%S%.6f" + ("+00:00" if kind.time_zone else ""))
    if kind.is_float():
        # A number becomes a float where some row has none: 17.0 is the reference 17 that a CSV would hold.
        whole = (column == column.round()) & (column.abs() < _WHOLE_BELOW)
        text = (
            pl.when(whole)
            .then(column.cast(pl.Int64, strict=False).cast(pl.String))
            .otherwise(column.cast(pl.String))
        )
        return pl.when(column.is_not_nan()).then(text).alias(name)
    return column.cast(pl.String)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    with reading(path):
        try:
            with pq.ParquetFile(path, page_checksum_verification=True) as file:
                yield file
        except (
            pa.ArrowException,
            pl.exceptions.PolarsError,
            pl.exceptions.PanicException,
            UnicodeError,
        ) as error:
            raise UnreadableDelivery(
                f"{path.name} is no Parquet file that can be read; deliver it again."
            ) from error

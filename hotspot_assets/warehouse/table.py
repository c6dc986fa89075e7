"""A table of the lake: its schema, its layout on disk, and the check of rows before they are written.

Belongs here: what any table can do. Not here: which tables there are (`tables`).
"""

from __future__ import annotations

from dataclasses import dataclass

import dataframely as dy
import polars as pl

from hotspot_assets.errors import UserError


class MalformedRows(UserError):
    """Rows that do not fit the table they were meant for; nothing was written."""


@dataclass(frozen=True)
class Table:
    """One table: its schema, and how it is laid out on disk."""

    name: str
    schema: type[dy.Schema]
    sorted_by: tuple[str, ...] = ()

    @property
    def meaning(self) -> str:
        """One sentence: what a row is."""
        return (self.schema.__doc__ or "").strip().split("\n\n")[0].replace("\n    ", " ")

    @property
    def key(self) -> tuple[str, ...]:
        """Names of the key columns."""
        return tuple(name for name, column in self.schema.columns().items() if column.primary_key)

    @property
    def dtypes(self) -> dict[str, pl.DataType]:
        """Column names and Polars types, in order."""
        return {name: column.dtype for name, column in self.schema.columns().items()}

    def conform(self, frame: pl.DataFrame, *, in_order: bool = False) -> pl.DataFrame:
        """The frame with exactly the table's columns and types, sorted as stored unless it is `in_order`.

        Raises
        ------
        MalformedRows
            When a column is missing, unknown, of another type, or null where it must not be.
        """
        columns = self.schema.columns()
        if set(frame.columns) != set(columns):
            odd = sorted(set(frame.columns) ^ set(columns))
            raise MalformedRows(f"Table {self.name}: columns missing or not known: {', '.join(odd)}.")
        shaped = frame.select(pl.col(name).cast(column.dtype) for name, column in columns.items())
        counts = shaped.null_count().row(0, named=True)
        empty = [name for name, column in columns.items() if counts[name] and not column.nullable]
        if empty:
            raise MalformedRows(f"Table {self.name}: no value where one is needed: {', '.join(empty)}.")
        return shaped.sort(self.sorted_by) if self.sorted_by and not in_order else shaped

    def empty(self) -> pl.DataFrame:
        """A frame of this table without rows."""
        return pl.DataFrame(schema=self.dtypes)


_SQL_TYPES: dict[pl.datatypes.DataTypeClass, str] = {
    pl.Int16: "SMALLINT",
    pl.Int32: "INTEGER",
    pl.Int64: "BIGINT",
    pl.UInt64: "UBIGINT",
    pl.Float64: "DOUBLE",
    pl.String: "VARCHAR",
    pl.Boolean: "BOOLEAN",
    pl.Date: "DATE",
    pl.Datetime: "TIMESTAMPTZ",
}


def sql_type(dtype: pl.DataType | pl.datatypes.DataTypeClass) -> str:
    """DuckDB's name of a Polars type."""
    if isinstance(dtype, pl.List):
        return f"{sql_type(dtype.inner)}[]"
    return _SQL_TYPES[dtype.base_type()]

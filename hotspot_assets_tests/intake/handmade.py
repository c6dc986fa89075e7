"""Delivered files for tests: made of text or bytes, read, and held to account."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from hotspot_assets.intake.content import ACCEPTED_SCHEMA
from hotspot_assets.intake.delivery import Delivery, read_delivery
from hotspot_assets.intake.reasons import MARKS, REASONS
from hotspot_assets.intake.validation import REJECTED_SCHEMA, IntakeOptions

NOW = datetime(2016, 1, 1, tzinfo=UTC)
KEY = b"a secret of the tests"

HEADER = "reference,offence_code,occurred_from,latitude,longitude"
GOOD = "A1,burglary,2014-06-02T12:30,51.50123,-0.12345"


def options(**values: Any) -> IntakeOptions:
    """Options with defaults for tests."""
    given: dict[str, Any] = {"now": NOW, "key": KEY, **values}
    return IntakeOptions(**given)


def written(folder: Path, content: str | bytes, name: str = "delivery.csv") -> Path:
    """A file with this content."""
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def take(folder: Path, content: str | bytes, piece_bytes: int | None = None, **values: Any) -> Delivery:
    """Read a file with this content; its counts must add up."""
    path = written(folder, content)
    given = options(**values)
    read = read_delivery(path, given) if piece_bytes is None else read_delivery(path, given, piece_bytes)
    return accounted_for(read)


def table(*rows: str, header: str = HEADER) -> str:
    """A file of rows below a header, by default of the delivery contract."""
    return "\n".join((header, *rows)) + "\n"


def accounted_for(read: Delivery) -> Delivery:
    """The delivery, if every row is accounted for and the frames are what they should be."""
    assert read.rows_read == read.accepted.height + read.rejected.height + read.rows_excluded
    assert dict(read.accepted.schema) == ACCEPTED_SCHEMA
    assert dict(read.rejected.schema) == REJECTED_SCHEMA
    lines = [*read.accepted["line"], *read.rejected["line"]]
    assert len(set(lines)) == len(lines)
    assert read.accepted["line"].is_sorted()
    assert read.rejected["line"].is_sorted()
    assert set(read.rejected["reason"]) <= set(REASONS)
    assert set(read.marks) <= set(MARKS)
    required = ("incident_key", "offence_code", "offence_group", "occurred_from", "time_precision")
    assert sum(read.accepted.select(required).null_count().row(0)) == 0
    return read


def reasons(read: Delivery) -> dict[str, int]:
    """How many rows were rejected for what."""
    return dict(read.rejected["reason"].value_counts().rows())


def marks(read: Delivery) -> dict[str, int]:
    """What was noted of how many accepted rows, where it was of any."""
    return {name: count for name, count in read.marks.items() if count}


def only(read: Delivery) -> dict[str, Any]:
    """The one accepted row."""
    assert read.accepted.height == 1, read.rejected.select("reason", "detail").rows()
    return read.accepted.row(0, named=True)


def texts(frame: pl.DataFrame, *names: str) -> list[tuple[Any, ...]]:
    """Some columns, as tuples."""
    return frame.select(names).rows()

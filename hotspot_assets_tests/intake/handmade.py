"""Delivered files for tests, made of text or bytes, by default of rows of the delivery contract."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from hotspot_assets.intake.delivery import Delivery, read_delivery
from hotspot_assets.intake.validation import IntakeOptions
from hotspot_assets_tests.intake.deliveries import accounted_for

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

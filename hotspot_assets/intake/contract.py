"""The data contract: what may be taken in at all.

Belongs here: refusing a file for columns or values that identify people. Not here: judging single rows.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from hotspot_assets.intake.detectors import forbidden_header, forbidden_value
from hotspot_assets.intake.reading import UnreadableDelivery

_ADVICE = "take the column out of the export and deliver it again; nothing of the file was taken in."


def check_columns(file_name: str, header: Sequence[str]) -> None:
    """Refuse a file with a forbidden column. Raises UnreadableDelivery naming the column and the kind of data."""
    for name in header:
        kind = forbidden_header(name)
        if kind is not None:
            raise UnreadableDelivery(f"{file_name}: the column {name!r} looks like {kind}, which may not be held; {_ADVICE}")


def check_values(file_name: str, rows: pl.DataFrame) -> None:
    """Refuse a file whose text fields hold what identifies people; names the column, never a value."""
    for name, dtype in rows.schema.items():
        if dtype != pl.String or name == "reference":
            continue
        kind = forbidden_value(rows[name])
        if kind is not None:
            raise UnreadableDelivery(f"{file_name}: values of the column {name!r} look like {kind}, which may not be held; {_ADVICE}")

"""The data contract: what may be taken in at all.

Belongs here: refusing a file for columns or values that identify people. Not here: how they are recognised
(`detectors`), judging single rows (`validation`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import polars as pl

from hotspot_assets.intake.detectors import forbidden_header, forbidden_value
from hotspot_assets.intake.formats import PLACE_FIELDS, TIME_FIELDS, Format
from hotspot_assets.intake.reading import UnreadableDelivery

_ADVICE = (
    "which may not be held; take the column out of the export and deliver it again. Nothing was taken in."
)


def check_columns(file_name: str, header: Sequence[str]) -> None:
    """Refuse a file with a forbidden column.

    Raises
    ------
    UnreadableDelivery
        Naming the column and the kind of data it speaks of.
    """
    for position, name in enumerate(header, start=1):
        kind = forbidden_header(name)
        if kind is not None:
            raise UnreadableDelivery(f"{file_name}: {_shown(name, position)} speaks of {kind}, {_ADVICE}")


def examined_columns(
    kind: Format, header: Sequence[str], fields: Mapping[str, tuple[str, ...]]
) -> tuple[str, ...]:
    """Columns whose values are examined: those read as text, and of files not published all others too.

    Times and coordinates are not examined: what cannot be read as such is not kept.
    """
    parsed = {name for field in (*TIME_FIELDS, *PLACE_FIELDS) for name in fields.get(field, ())}
    read = {name for names in fields.values() for name in names}
    return tuple(name for name in header if name not in parsed and (name in read or not kind.known_public))


def check_values(file_name: str, rows: pl.DataFrame, now: datetime) -> None:
    """Refuse a file whose text fields hold what identifies people.

    Raises
    ------
    UnreadableDelivery
        Naming the column and the kind of data, never a value.
    """
    for position, name in enumerate(rows.columns, start=1):
        kind = forbidden_value(rows[name], now)
        if kind is not None:
            raise UnreadableDelivery(
                f"{file_name}: values of {_shown(name, position)} look like {kind}, {_ADVICE}"
            )


def _shown(name: str, position: int) -> str:
    """A column's name, unless the name itself holds what may not be shown."""
    column = pl.Series([name])
    return f"column {position}" if forbidden_value(column, datetime.max) else f"the column {name!r}"

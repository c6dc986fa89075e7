"""Formats: one file each, recognised by its header.

A format file declares `FORMAT`. Adding a format is adding one such file: it is found by being here. Not here:
how rows are judged (`validation`), which is the same for all; formats described by an operator (`mapping`).
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

import polars as pl

Prepare = Callable[[pl.DataFrame], pl.DataFrame]
ColumnOrColumns = str | tuple[str, ...]

FIELDS = (
    *("reference", "offence_code", "offence_type", "offence_group", "occurred_from", "occurred_to"),
    *("reported_at", "recorded_at", "modified_at", "status", "latitude", "longitude", "easting", "northing"),
    *("location_precision", "reported_by", "setting", "domestic", "reversal"),
)
"""The fields a format may fill, all as text; what it does not fill is unknown."""

TIME_FIELDS = ("occurred_from", "occurred_to", "reported_at", "recorded_at", "modified_at")
PLACE_FIELDS = ("latitude", "longitude", "easting", "northing")


def as_is(rows: pl.DataFrame) -> pl.DataFrame:
    """Nothing to prepare."""
    return rows


@dataclass(frozen=True)
class Format:
    """How a kind of file is read.

    Attributes
    ----------
    name, source
        Of the format, and of the records system its keys belong to.
    layouts
        Field -> column name (or several, joined by a space), in one or more header layouts. A layout is taken
        if all its columns are there, whatever their case; helper fields for `prepare` may have any name.
    optional
        Fields read where their column is there.
    times
        strptime patterns, tried in order, then ISO 8601; one with `%z` (in any form) carries an offset.
    zone
        Zone of times without an offset; none: the home's.
    offences
        Offence type, or where there is none offence code, in capitals -> group; for rows with no group.
    crs
        Code of the projection of easting and northing.
    location_precision
        Of rows that do not say: point, snapped or area.
    known_public
        A published file that may carry columns beyond the contract: they are never read. Of other files
        every column is examined, and a forbidden one keeps the file out.
    unplaced_at
        Coordinates that stand for "no place", in the order latitude, longitude or northing, easting.
    content_key
        Fields by which a row without a reference is known: it is keyed by what they say and by how many rows
        of the file said the same before it.
    prepare
        Turns the columns read, named by field, into what the contract means by the fields.
    """

    name: str
    source: str
    layouts: Sequence[Mapping[str, ColumnOrColumns]]
    times: Sequence[str] = ()
    optional: Mapping[str, ColumnOrColumns] = field(default_factory=dict)
    zone: str | None = None
    offences: Mapping[str, str] = field(default_factory=dict)
    crs: str = "EPSG:27700"
    location_precision: str = "point"
    known_public: bool = True
    unplaced_at: Sequence[tuple[float, float]] = ()
    content_key: Sequence[str] = ()
    prepare: Prepare = as_is

    def match(self, header: Sequence[str]) -> dict[str, tuple[str, ...]] | None:
        """Field -> columns of the header as written there, by the first layout that fits, or None."""
        there = {_folded(name): name for name in reversed(header)}
        for layout in self.layouts:
            if not missing_columns(layout, header):
                fields = {**_present(self.optional, there), **layout}
                return {
                    name: tuple(there[_folded(each)] for each in columns_of(value))
                    for name, value in fields.items()
                }
        return None


def columns_of(value: ColumnOrColumns) -> tuple[str, ...]:
    """The column or columns of a field."""
    return (value,) if isinstance(value, str) else tuple(value)


def missing_columns(layout: Mapping[str, ColumnOrColumns], header: Sequence[str]) -> list[str]:
    """Columns of a layout that a header lacks."""
    there = {_folded(name) for name in header}
    return [name for value in layout.values() for name in columns_of(value) if _folded(name) not in there]


def _present(fields: Mapping[str, ColumnOrColumns], there: Mapping[str, str]) -> dict[str, ColumnOrColumns]:
    return {
        name: value
        for name, value in fields.items()
        if all(_folded(each) in there for each in columns_of(value))
    }


def _folded(name: str) -> str:
    return name.strip().casefold()


@cache
def all_formats() -> tuple[Format, ...]:
    """Every format in this folder, the one that asks for most columns first."""
    modules = sorted(module.name for module in pkgutil.iter_modules(__path__))
    found = [importlib.import_module(f"{__name__}.{name}").FORMAT for name in modules]
    return tuple(sorted(found, key=lambda each: (-min(map(len, each.layouts)), each.name)))

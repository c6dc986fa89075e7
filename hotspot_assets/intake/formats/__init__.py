"""Formats: one file each, recognised by its header.

A format file declares `FORMAT`. Adding a format is adding one such file: it is found by being here. Not here:
how rows are judged (`validation`), which is the same for all.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

import polars as pl

Prepare = Callable[[pl.DataFrame], pl.DataFrame]

FIELDS = (
    "reference", "offence_code", "offence_group", "occurred_from", "occurred_to", "reported_at", "recorded_at",
    "modified_at", "status", "latitude", "longitude", "easting", "northing", "location_precision", "reported_by",
    "setting", "domestic", "reversal",
)  # fmt: skip
"""The fields a format may fill, all as text; what it does not fill is unknown."""


def as_is(frame: pl.DataFrame) -> pl.DataFrame:
    """Nothing to prepare."""
    return frame


@dataclass(frozen=True)
class Format:
    """How a kind of file is read.

    Attributes
    ----------
    name, source
        Of the format, and of the records system its keys belong to.
    columns
        Field -> column name, in one or more layouts; all columns of a layout must be there for it to be taken.
    times
        strptime patterns, tried in order; `%:z`/`%#z` in one says that it carries an offset.
    zone
        Zone of times without an offset; none: the home's.
    offences
        Offence code (upper case) -> group, where rows carry no group of their own.
    crs
        Code of the projection of easting and northing.
    scale
        Unit precision of times: "minute", "day" or "month".
    known_public
        A published file that may carry columns beyond the contract: they are never read.
    zero_means_unplaced
        Coordinates of 0,0 are withheld on purpose.
    prepare
        Turns the selected columns, named by field, into the fields as the contract wants them.
    place
        location_precision of rows that do not say.
    """

    name: str
    source: str
    columns: Sequence[Mapping[str, str]]
    times: Sequence[str]
    zone: str | None = None
    offences: Mapping[str, str] = field(default_factory=dict)
    crs: str = "EPSG:4326"
    scale: str = "minute"
    known_public: bool = True
    zero_means_unplaced: bool = False
    prepare: Prepare = as_is
    place: str = "point"

    def layout(self, header: Sequence[str]) -> Mapping[str, str] | None:
        """The layout whose columns are all in the header (case and padding aside), or None."""
        there = {name.strip().lower() for name in header}
        return next((each for each in self.columns if {name.lower() for name in each.values()} <= there), None)


@cache
def all_formats() -> tuple[Format, ...]:
    """Every format in this folder, the most demanding first, so that a wider header is not taken for a narrower one."""
    modules = sorted(module.name for module in pkgutil.iter_modules(__path__))
    found = [importlib.import_module(f"{__name__}.{name}").FORMAT for name in modules]
    return tuple(sorted(found, key=lambda each: (-min(len(layout) for layout in each.columns), each.name)))

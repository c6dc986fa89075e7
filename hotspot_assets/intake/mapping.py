"""Mapping files: an operator's description of a CSV or Parquet layout, with no code.

Belongs here: the TOML form, its checks, and turning it into a `Format`. Not here: how rows are judged.

A mapping looks like this; all columns it names must be in a file for the mapping to be taken::

    name = "borsetshire"                # of the format; also of the source, unless `source` says otherwise
    zone = "Europe/London"              # of times without an offset; else the home's
    times = ["%d/%m/%Y %H:%M"]          # tried in order; ISO 8601 is always understood
    crs = "EPSG:27700"                  # of easting and northing, by EPSG or ESRI code
    location_precision = "point"        # of rows that do not say: point, snapped or area
    zero_means_unplaced = false         # whether 0,0 stands for "no place"

    [columns]                           # field = column, or several columns joined by a space
    reference = "Crime No"              # left out: rows are keyed by what they say
    offence_code = "HO Code"
    occurred_from = ["From Date", "From Time"]
    easting = "E"
    northing = "N"

    [optional]                          # the same, but read only where the file has the column
    reported_by = "Origin"
    domestic = "DV Flag"

    [offences]                          # code -> group of the common vocabulary
    "28E" = "burglary"

    [words.reported_by]                 # what the source says -> what the contract says, whatever the case
    "self generated" = "police"
    "call" = "public"

    [reversal]                          # rows that take back an earlier one with the same reference
    column = "Count"
    value = "-1"
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import available_timezones

import polars as pl
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationError, model_validator

from hotspot_assets.errors import UserError
from hotspot_assets.intake.detectors import forbidden_header
from hotspot_assets.intake.formats import FIELDS, Format, Prepare
from hotspot_assets.intake.offences import COMMON_CODES, GROUPS
from hotspot_assets.intake.times import carries_offset, precision_of, strptime, swapped_order

_MAPPED_FIELDS = tuple(name for name in FIELDS if name != "reversal")  # a table of its own
_A_MOMENT = datetime(2014, 5, 26, 13, 47, 58)
_SMALLEST = {"minute": 60, "hour": 3600, "day": 86_400, "month": 31 * 86_400}


class MappingError(UserError):
    """A mapping file that cannot be used; the message names the file, the key and what to do."""


def _field(name: str) -> str:
    if name not in _MAPPED_FIELDS:
        raise ValueError(f"there is no field {name!r}{_nearest(name, _MAPPED_FIELDS)}")
    return name


def _columns(value: object) -> tuple[str, ...]:
    names = (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list) else ()
    if not names or not all(isinstance(name, str) for name in names):
        raise ValueError("write the name of a column, or a list of names")
    for name in names:
        kind = forbidden_header(name)
        if kind is not None:
            raise ValueError(f"the column {name!r} speaks of {kind}, which may not be held")
    return names


def _name(text: str) -> str:
    if not re.fullmatch("[a-z][a-z0-9_]{0,39}", text):
        raise ValueError("use small letters, digits and underscores, as in 'borsetshire_rms'")
    return text


def _group(name: str) -> str:
    if name not in GROUPS:
        raise ValueError(f"there is no offence group {name!r}{_nearest(name, GROUPS)}")
    return name


def _zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(f"there is no time zone {name!r}; write it as in 'Europe/London'")
    return name


def _crs(code: str) -> str:
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    try:
        projected = re.match("(EPSG|ESRI):", code) and CRS.from_user_input(code).is_projected
    except CRSError:
        projected = False
    if not projected:
        raise ValueError(f"there is no projection {code!r}; write its code, as in 'EPSG:27700'")
    return code


def _pattern(pattern: str) -> str:
    """A pattern must read back what it wrote, as exactly as it says."""
    try:
        moment = pl.Series([_A_MOMENT]).dt.replace_time_zone("UTC" if carries_offset(pattern) else None)
        texts = pl.DataFrame({"text": moment.dt.strftime(pattern)})
        back = texts.select(strptime("text", pattern)).item()
    except pl.exceptions.PolarsError:
        back = None
    off = _A_MOMENT - back.replace(tzinfo=None) if back else None
    if off is None or abs(off.total_seconds()) >= _SMALLEST[precision_of(pattern)]:
        raise ValueError(f"{pattern!r} is no pattern of a date; write it as in '%d/%m/%Y %H:%M'")
    return pattern


def _nearest(name: str, known: Sequence[str] | frozenset[str]) -> str:
    near = difflib.get_close_matches(name, sorted(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(sorted(known))}"


_FieldName = Annotated[str, AfterValidator(_field)]
_ColumnNames = Annotated[tuple[str, ...], BeforeValidator(_columns)]


class _Reversal(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    column: _ColumnNames
    value: str


class _Mapping(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, AfterValidator(_name)]
    source: Annotated[str, AfterValidator(_name)] | None = None
    zone: Annotated[str, AfterValidator(_zone)] | None = None
    times: tuple[Annotated[str, AfterValidator(_pattern)], ...] = ()
    crs: Annotated[str, AfterValidator(_crs)] | None = None
    location_precision: Literal["point", "snapped", "area"] = "point"
    zero_means_unplaced: bool = False
    columns: dict[_FieldName, _ColumnNames]
    optional: dict[_FieldName, _ColumnNames] = {}
    offences: dict[str, Annotated[str, AfterValidator(_group)]] = {}
    words: dict[_FieldName, dict[str, str]] = {}
    reversal: _Reversal | None = None

    @model_validator(mode="after")
    def _complete(self) -> _Mapping:
        there = set(self.columns)
        if "occurred_from" not in there:
            raise ValueError("columns: occurred_from is needed")
        if not there & {"offence_code", "offence_type", "offence_group"}:
            raise ValueError("columns: offence_code, offence_type or offence_group is needed")
        places = [pair for pair in (("latitude", "longitude"), ("easting", "northing")) if set(pair) <= there]
        if len(places) != 1 or len(there & {"latitude", "longitude", "easting", "northing"}) != 2:
            raise ValueError("columns: either latitude and longitude, or easting and northing, are needed")
        if "easting" in there and self.crs is None:
            raise ValueError("crs is needed with easting and northing, as in 'EPSG:27700'")
        for name in sorted(there & set(self.optional)):
            raise ValueError(f"{name} is in columns and in optional; keep one")
        for name in sorted(set(self.words) - there - set(self.optional)):
            raise ValueError(f"words.{name}: the field has no column")
        for other in sorted(set(swapped_order(self.times)) & set(self.times)):
            raise ValueError(
                f"times: {other!r} is there with day and month exchanged as well, so that most dates could be either;"
                " keep the order that the source writes"
            )
        return self


def load_mapping(path: Path) -> Format:
    """Read a mapping file.

    Raises
    ------
    MappingError
        When it cannot be read or used.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise MappingError(f"Mapping file {path} cannot be read: {error}.") from error
    try:
        mapping = _Mapping.model_validate(values)
    except ValidationError as error:
        faults = "; ".join(_fault(item["loc"], item["msg"]) for item in error.errors())
        raise MappingError(f"Mapping file {path}: {faults}.") from error
    return _as_format(mapping)


def _fault(place: Sequence[int | str], message: str) -> str:
    where = ".".join(str(part) for part in place if part != "[key]" and "function-" not in str(part))
    said = message.removeprefix("Value error, ")
    return f"{where}: {said}" if where else said


def _as_format(mapping: _Mapping) -> Format:
    projected = "easting" in mapping.columns
    place = ("easting", "northing") if projected else ("latitude", "longitude")
    offence = next(
        name for name in ("offence_code", "offence_type", "offence_group") if name in mapping.columns
    )
    return Format(
        name=mapping.name,
        source=mapping.source or mapping.name,
        layouts=[mapping.columns | ({"reversal": mapping.reversal.column} if mapping.reversal else {})],
        optional=mapping.optional,
        times=mapping.times,
        zone=mapping.zone,
        offences=COMMON_CODES | {code.upper(): group for code, group in mapping.offences.items()},
        crs=mapping.crs or "EPSG:4326",
        location_precision=mapping.location_precision,
        known_public=False,
        unplaced_at=[(0.0, 0.0)] if mapping.zero_means_unplaced else [],
        content_key=() if "reference" in mapping.columns else ("occurred_from", offence, *place),
        prepare=_prepare(mapping.words, mapping.reversal.value if mapping.reversal else None),
    )


def _prepare(words: Mapping[str, Mapping[str, str]], reversing: str | None) -> Prepare:
    """Say what the source says in the contract's words, and turn the reversing value into a flag."""

    def prepared(rows: pl.DataFrame) -> pl.DataFrame:
        said = [
            pl.col(name)
            .str.to_lowercase()
            .replace_strict({word.lower(): meant for word, meant in meanings.items()}, default=pl.col(name))
            .alias(name)
            for name, meanings in words.items()
            if name in rows.columns
        ]
        if reversing is not None:
            said.append((pl.col("reversal") == reversing).cast(pl.String))
        return rows.with_columns(said)

    return prepared

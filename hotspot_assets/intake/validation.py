"""Rows of text to accepted incidents and rejected rows, each with a reason code.

Belongs here: the same rules for every format, on columns. Not here: what the columns are called (`formats`),
whether a file may be read at all (`contract`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import numpy as np
import polars as pl
import polars_hash as plh

from hotspot_assets.intake.calendar import local_to_utc
from hotspot_assets.intake.content import ACCEPTED_SCHEMA, MOMENT
from hotspot_assets.intake.formats import FIELDS, Format
from hotspot_assets.intake.offences import GROUPS

REASONS: dict[str, str] = {
    "malformed_row": "The row has another number of fields than the header, or a quote is not closed; correct the export.",
    "missing_reference": "The row names no incident; without a reference an amendment could not be told from a new one.",
    "bad_time": "The time of occurrence is missing or in none of the format's patterns; correct the export or the mapping.",
    "date_format_mixed": "The date is written another way than the rest of the format; day and month could be swapped.",
    "before_earliest": "The time of occurrence lies before the earliest year taken; a placeholder such as 1900-01-01.",
    "in_future": "The time of occurrence lies after the delivery.",
    "bad_coordinate": "A coordinate is no number, or only one of the two is given.",
    "coordinates_zero": "The coordinates are 0,0: a placeholder. Leave them empty where the place is not known.",
    "coordinates_swapped": "Latitude and longitude stand in each other's column.",
    "outside_extent": "The coordinates lie outside the extent in the settings, or off the Earth.",
    "unknown_offence": "The offence is in no group; add its code to the format or the mapping.",
}
"""Every reason for which a row is rejected, and what to do about it."""

_TRUE = ["true", "t", "yes", "y", "1"]
_PRECISIONS = ("point", "snapped", "area", "none")
_REPORTERS = ("public", "police", "unknown")
_SETTINGS = ("street", "indoor", "unknown")


@dataclass(frozen=True)
class IntakeOptions:
    """What a home takes in.

    Attributes
    ----------
    now
        Moment of delivery (UTC): what lies more than a day after it is in the future.
    key
        Secret of the incident keys.
    zone
        Zone of local times where the format names none.
    extent
        South, west, north, east in degrees; none: anywhere on Earth.
    excluded_groups, exclude_domestic
        What is left out and only counted.
    earliest
        First day of occurrence taken.
    mappings
        Formats an operator has described, tried before those shipped.
    """

    now: datetime
    key: bytes
    zone: str = "Europe/London"
    extent: tuple[float, float, float, float] | None = None
    excluded_groups: frozenset[str] = frozenset()
    exclude_domestic: bool = True
    earliest: date = date(1990, 1, 1)
    mappings: tuple[Format, ...] = field(default=())


@dataclass(frozen=True)
class Judged:
    """A chunk's rows: accepted (ACCEPTED_SCHEMA), rejected (REJECTED_SCHEMA), left out by reason."""

    accepted: pl.DataFrame
    rejected: pl.DataFrame
    excluded: dict[str, int]


REJECTED_SCHEMA: dict[str, pl.DataType] = {
    "line": pl.Int64(),
    "reason": pl.String(),
    "detail": pl.String(),
    "offence_code": pl.String(),
    "occurred_from": MOMENT,
    "latitude": pl.Float64(),
    "longitude": pl.Float64(),
}


def judge(rows: pl.DataFrame, kind: Format, options: IntakeOptions) -> Judged:
    """Judge rows of text, columns named by field (`FIELDS`, those the file has) and `line`.

    Every row is accepted, rejected or excluded; the three add up to the rows given.
    """
    text = _complete(kind.prepare(rows))
    read = _offences(_places(_times(text, kind, options), kind), kind)
    reason = _reason(kind, options)
    judged = read.with_columns(reason=reason)
    rejected = judged.filter(pl.col("reason").is_not_null())
    passed = judged.filter(pl.col("reason").is_null())
    domestic = pl.col("domestic") & pl.lit(options.exclude_domestic)
    group_off = pl.col("offence_group").is_in(sorted(options.excluded_groups))
    excluded = {
        "domestic": passed.filter(domestic).height,
        "offence_group": passed.filter(group_off & ~domestic).height,
    }
    kept = passed.filter(~domestic & ~group_off)
    details = pl.col("reason").replace_strict(REASONS, return_dtype=pl.String)
    return Judged(
        _keyed(kept, kind, options),
        rejected.with_columns(detail=details).select(list(REJECTED_SCHEMA)).cast(dict(REJECTED_SCHEMA)),
        excluded,
    )


def malformed(chunk: pl.DataFrame) -> pl.DataFrame:
    """Rejected rows for lines that are no rows (`line`, `detail`)."""
    nothing = [pl.lit(None, dtype=kind).alias(name) for name, kind in list(REJECTED_SCHEMA.items())[3:]]
    return chunk.select("line", pl.lit("malformed_row").alias("reason"), "detail", *nothing)


def _complete(rows: pl.DataFrame) -> pl.DataFrame:
    """All fields, trimmed, empty text as null."""
    trimmed = [
        pl.col(name).cast(pl.String).str.strip_chars().replace("", None) if name in rows.columns else pl.lit(None, pl.String).alias(name)
        for name in FIELDS
    ]
    return rows.select("line", *trimmed)


def _moment(name: str, kind: Format, zone: str) -> pl.Expr:
    found = []
    for pattern in kind.times:
        if "z" in pattern.replace("%Z", ""):
            found.append(pl.col(name).str.to_datetime(pattern, time_unit="us", time_zone="UTC", strict=False))
        else:
            day = pattern if "%d" in pattern else f"{pattern}-%d"
            value = pl.col(name) if "%d" in pattern else pl.col(name) + "-01"
            local = value.str.to_datetime(day, time_unit="us", strict=False)
            found.append(local_to_utc(local, zone))
    return pl.coalesce(found)


def _times(rows: pl.DataFrame, kind: Format, options: IntakeOptions) -> pl.DataFrame:
    zone = kind.zone or options.zone
    names = ("occurred_from", "occurred_to", "reported_at", "recorded_at", "modified_at")
    raw = pl.col("occurred_from").fill_null("")
    parsed = [_moment(name, kind, zone).alias(name) for name in names]
    return rows.with_columns(
        time_written=raw,
        time_precision=pl.when(raw.str.contains(r"^\d{4}-\d{2}$")).then(pl.lit("month"))
        .when(raw.str.contains(r"^\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}$")).then(pl.lit("day"))
        .otherwise(pl.lit(kind.scale)),
    ).with_columns(parsed)  # fmt: skip


def _places(rows: pl.DataFrame, kind: Format) -> pl.DataFrame:
    projected = rows["easting"].null_count() < rows.height
    first, second = ("northing", "easting") if projected else ("latitude", "longitude")
    numbers = rows.with_columns(
        a=pl.col(first).cast(pl.Float64, strict=False), b=pl.col(second).cast(pl.Float64, strict=False)
    )
    given = pl.col(first).is_not_null() | pl.col(second).is_not_null()
    numbers = numbers.with_columns(
        given=given,
        number=(pl.col("a").is_finite() & pl.col("b").is_finite()).fill_null(False),
        zero=((pl.col("a") == 0) & (pl.col("b") == 0)).fill_null(False),
    )
    if kind.zero_means_unplaced:
        numbers = numbers.with_columns(given=pl.col("given") & ~pl.col("zero"), zero=pl.lit(False))
    usable = pl.col("given") & pl.col("number")
    numbers = numbers.with_columns(a=pl.when(usable).then("a"), b=pl.when(usable).then("b"))
    latitude, longitude = numbers["a"], numbers["b"]
    if projected:
        latitude, longitude = _unprojected(numbers["b"], numbers["a"], kind.crs)
    return numbers.with_columns(latitude=latitude, longitude=longitude)


def _unprojected(easting: pl.Series, northing: pl.Series, crs: str) -> tuple[pl.Series, pl.Series]:
    """Latitude and longitude of projected coordinates; nulls stay null."""
    from pyproj import Transformer

    transformer = Transformer.from_crs(crs, "EPSG:4326", always_xy=True)
    longitude, latitude = transformer.transform(
        easting.to_numpy().astype(np.float64), northing.to_numpy().astype(np.float64)
    )
    there = easting.is_not_null()
    placed = pl.DataFrame({"lat": latitude, "lng": longitude, "there": there}).select(
        pl.when("there").then(pl.col("lat").round(7)), pl.when("there").then(pl.col("lng").round(7))
    )
    return placed["lat"], placed["lng"]


def _offences(rows: pl.DataFrame, kind: Format) -> pl.DataFrame:
    own = pl.col("offence_group").str.to_lowercase()
    listed = dict.fromkeys(GROUPS, "")
    known = pl.when(own.is_in(list(listed))).then(own)
    by_code = pl.col("offence_code").str.to_uppercase().replace_strict(
        dict(kind.offences), default=None, return_dtype=pl.String
    ) if kind.offences else pl.lit(None, pl.String)  # fmt: skip
    return rows.with_columns(
        offence_group=pl.coalesce(known, by_code),
        domestic=pl.col("domestic").str.to_lowercase().is_in(_TRUE).fill_null(False),
        reversal=pl.col("reversal").str.to_lowercase().is_in(_TRUE).fill_null(False),
    )


def _reason(kind: Format, options: IntakeOptions) -> pl.Expr:
    """The first rule a row breaks, or null."""
    lat, lng, when = pl.col("latitude"), pl.col("longitude"), pl.col("occurred_from")
    south, west, north, east = options.extent or (-90.0, -180.0, 90.0, 180.0)
    inside = lat.is_between(south, north) & lng.is_between(west, east)
    swapped = lng.is_between(south, north) & lat.is_between(west, east) & ~inside
    if options.extent is None:
        swapped = ~lat.is_between(-90, 90) & lat.is_between(-180, 180) & lng.is_between(-90, 90)
    earliest = datetime(options.earliest.year, options.earliest.month, options.earliest.day)
    mixed = when.is_null() & pl.col("time_written").str.contains(r"^\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}")
    rules = [
        ("missing_reference", pl.col("reference").is_null()),
        ("date_format_mixed", mixed),
        ("bad_time", when.is_null()),
        ("before_earliest", when < pl.lit(earliest).dt.replace_time_zone("UTC")),
        ("in_future", when > pl.lit(options.now + timedelta(days=1))),
        ("unknown_offence", pl.col("offence_group").is_null()),
        ("bad_coordinate", pl.col("given") & ~pl.col("number")),
        ("coordinates_zero", pl.col("given") & pl.col("zero")),
        ("coordinates_swapped", pl.col("given") & swapped),
        ("outside_extent", pl.col("given") & ~inside.fill_null(False)),
    ]
    found = pl.lit(None, pl.String)
    for reason, broken in reversed(rules):
        found = pl.when(broken.fill_null(False)).then(pl.lit(reason)).otherwise(found)
    return found


def _one_of(name: str, allowed: tuple[str, ...], otherwise: str) -> pl.Expr:
    value = pl.col(name).str.to_lowercase()
    return pl.when(value.is_in(list(allowed))).then(value).otherwise(pl.lit(otherwise)).alias(name)


def _keyed(rows: pl.DataFrame, kind: Format, options: IntakeOptions) -> pl.DataFrame:
    hashed = plh.col("said").chash.hmac_sha256(key=options.key.decode("ascii"))
    unplaced = pl.col("latitude").is_null()
    return (
        rows.with_columns(said=pl.lit(kind.source + "\x1f") + pl.col("reference"))
        .with_columns(
            hashed.str.slice(0, 32).alias("incident_key"),
            _one_of("location_precision", _PRECISIONS, kind.place),
            _one_of("reported_by", _REPORTERS, "unknown"),
            _one_of("setting", _SETTINGS, "unknown"),
        )
        .with_columns(location_precision=pl.when(unplaced).then(pl.lit("none")).otherwise("location_precision"))
        .select(list(ACCEPTED_SCHEMA))
        .cast(dict(ACCEPTED_SCHEMA))
    )

"""What a version of an incident is made of, and when two versions say the same.

Belongs here: the columns of versions and the hash of their content. Not here: which of two versions counts
(`versions`), and how rows are read.

The hash is multilinear (Carter and Wegman, 1979): columns as 64-bit numbers, times odd factors drawn from the
column names, summed modulo 2^64. It depends on no library's private hash, so it means the same after an
upgrade. Coordinates count to a millionth of a degree (0.1 m): another rendering of a number is no new place.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import polars as pl
import polars_hash as plh

MOMENT = pl.Datetime("us", "UTC")

ACCEPTED_SCHEMA: dict[str, pl.DataType] = {
    "incident_key": pl.String(),
    "line": pl.Int64(),
    "offence_code": pl.String(),
    "offence_group": pl.String(),
    "occurred_from": MOMENT,
    "occurred_to": MOMENT,
    "time_precision": pl.String(),
    "reported_at": MOMENT,
    "recorded_at": MOMENT,
    "modified_at": MOMENT,
    "status": pl.String(),
    "latitude": pl.Float64(),
    "longitude": pl.Float64(),
    "location_precision": pl.String(),
    "reported_by": pl.String(),
    "setting": pl.String(),
    "reversal": pl.Boolean(),
}

_NOT_CARRIED_OVER = ("incident_key", "line", "reversal")

VERSION_SCHEMA: dict[str, pl.DataType] = {
    "incident_key": pl.String(),
    "delivery_seq": pl.Int64(),
    "line": pl.Int64(),
    "source": pl.String(),
    **{name: kind for name, kind in ACCEPTED_SCHEMA.items() if name not in _NOT_CARRIED_OVER},
    "known_from": MOMENT,
    "known_assumed": pl.Boolean(),
    "closed": pl.Boolean(),
    "reasons": pl.List(pl.String()),
    "content_hash": pl.UInt64(),
}

PLACE = ("latitude", "longitude", "location_precision")
OFFENCE = ("offence_code", "offence_group")
# Not `modified_at`: a source that stamps every record anew has not changed one of them.
CONTENT = (
    *OFFENCE,
    *PLACE,
    *("occurred_from", "occurred_to", "time_precision", "reported_at", "recorded_at"),
    *("status", "reported_by", "setting"),
)

NO_CONTENT = 0
"""Hash of a tombstone that waits for the incident it takes back; no content hashes to it."""

_MISSING = 0x6E6F7468696E6721
_MICRODEGREES = 1_000_000


def content_hash(columns: Sequence[str] = CONTENT) -> pl.Expr:
    """Hash (UInt64, never 0) of the given columns of accepted rows or versions."""
    total = pl.sum_horizontal([_as_number(name) * pl.lit(_factor(name), dtype=pl.UInt64) for name in columns])
    return pl.when(total == NO_CONTENT).then(pl.lit(1, dtype=pl.UInt64)).otherwise(total)


def empty_versions() -> pl.DataFrame:
    """Versions known of a source that has never delivered."""
    return pl.DataFrame(schema=VERSION_SCHEMA)


def _factor(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little") | 1


def _as_number(name: str) -> pl.Expr:
    kind = VERSION_SCHEMA[name]
    if kind == pl.String():
        number = plh.col(name).nchash.xxhash64()
    elif kind == pl.Float64():
        number = (pl.col(name) * _MICRODEGREES).round().cast(pl.Int64).reinterpret(signed=False)
    else:
        number = pl.col(name).to_physical().reinterpret(signed=False)
    return number.fill_null(pl.lit(_MISSING, dtype=pl.UInt64))

"""What a records system delivers: late, amended, imprecise and dirty rows in the project's own contract.

Belongs here: turning incidents into rows as they stood at a moment, and writing them. Not here: how such rows
are read (intake).
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
import polars as pl

from hotspot_assets.simulation.city import METRES_PER_DEGREE, ZONE, write_wards
from hotspot_assets.simulation.process import City

__all__ = ["DIRT", "as_of", "with_dirt", "write_delivery", "write_wards"]

CODES = {"burglary": "BURG", "robbery": "ROBB", "theft": "THEFT", "vehicle_theft": "TFMV", "violence": "VIOL"}
_MISTAKEN_FOR = {
    "burglary": "theft",
    "robbery": "theft",
    "theft": "robbery",
    "vehicle_theft": "theft",
    "violence": "robbery",
}
_DIRTY_SHARE = 0.002
_HOURS_UNSURE = 12

DIRT = (
    "coordinates_zero",
    "coordinates_swapped",
    "coordinate_in_words",
    "in_future",
    "placeholder_date",
    "other_date_format",
    "unknown_code",
    "no_reference",
    "repeated",
)
"""Kinds of dirty rows, in the order in which they take turns."""


def as_of(city: City, moment: datetime, changed_since: datetime | None = None) -> pl.DataFrame:
    """Rows of the contract, as text, as they stood at `moment` (UTC), in the order of their recording.

    With `changed_since` only what was recorded or amended after it: a later delivery, with late and amended
    rows.
    """
    recorded = _timed(city).filter(pl.col("recorded_at") <= moment)
    rows = recorded.with_columns(amended=(pl.col("amended_at") <= moment).fill_null(False))
    if changed_since is not None:
        rows = rows.filter(
            (pl.col("recorded_at") > changed_since)
            | (pl.col("amended") & (pl.col("amended_at") > changed_since))
        )
    return _written(_as_recorded(rows.sort("recorded_at", "reference")))


def _timed(city: City) -> pl.DataFrame:
    """The incidents with the moments (UTC) of their range, report, record and amendment."""
    span = pl.col("span_minutes")
    known = span == 0
    start = (
        pl.col("occurred_at") - pl.duration(minutes=(span * pl.col("before")).cast(pl.Int64))
    ).dt.truncate("5m")
    return (
        city.events.with_columns(occurred_from=pl.when(known).then("occurred_at").otherwise(start))
        # Ranges are kept to five minutes, rounded outwards, so that the incident lies in its range.
        .with_columns(
            occurred_to=pl.when(~known).then(
                (pl.col("occurred_from") + pl.duration(minutes=span + 9)).dt.truncate("5m")
            )
        )
        .with_columns(
            reported_at=pl.coalesce("occurred_to", "occurred_from") + pl.duration(minutes="report_minutes"),
        )
        .with_columns(recorded_at=pl.col("reported_at") + pl.duration(minutes="record_minutes"))
        .with_columns(amended_at=pl.col("recorded_at") + pl.duration(minutes="amended_minutes"))
    )


def _as_recorded(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with what their first record had wrong, unless it has been put right."""
    wrong = {
        kind: (pl.col("amendment") == kind).fill_null(False) & ~pl.col("amended")
        for kind in ("place", "offence", "time")
    }
    east_m = METRES_PER_DEGREE * pl.col("latitude").radians().cos()
    before = pl.col("occurred_from") - pl.duration(hours=_HOURS_UNSURE)
    # A first record that is unsure of the time says when it was noticed, and reaches back half a day.
    return rows.with_columns(
        latitude=pl.col("latitude")
        + pl.when(wrong["place"]).then(pl.col("error_m_north") / METRES_PER_DEGREE).otherwise(0),
        longitude=pl.col("longitude")
        + pl.when(wrong["place"]).then(pl.col("error_m_east") / east_m).otherwise(0),
        group=pl.when(wrong["offence"]).then(pl.col("group").replace(_MISTAKEN_FOR)).otherwise("group"),
        occurred_from=pl.when(wrong["time"]).then(before).otherwise("occurred_from"),
        occurred_to=pl.when(wrong["time"])
        .then(pl.coalesce("occurred_to", "occurred_from"))
        .otherwise("occurred_to"),
    )


def _written(rows: pl.DataFrame) -> pl.DataFrame:
    snapped, placed = pl.col("precision") == "snapped", pl.col("precision") != "none"

    def local(name: str) -> pl.Expr:
        return pl.col(name).dt.convert_time_zone(ZONE).dt.strftime("%Y-%m-%dT%H:%M:%S%:z")

    def degrees(name: str, width: int) -> pl.Expr:
        """All decimals, zeros too: fewer would tell of a coarser place."""
        fine, coarse = (
            pl.col(name).round(decimals).cast(pl.String).str.pad_end(width + decimals, "0")
            for decimals in (6, 4)
        )
        return pl.when(placed).then(pl.when(snapped).then(coarse).otherwise(fine))

    return rows.select(
        "reference",
        offence_code=pl.col("group").replace(CODES),
        offence_group="group",
        occurred_from=local("occurred_from"),
        occurred_to=local("occurred_to"),
        reported_at=local("reported_at"),
        recorded_at=local("recorded_at"),
        modified_at=pl.when("amended").then(local("amended_at")).otherwise(local("recorded_at")),
        status=pl.when("amended").then(pl.lit("amended")).otherwise(pl.lit("recorded")),
        latitude=degrees("latitude", len("46.")),
        longitude=degrees("longitude", len("-30.")),
        location_precision=pl.when(placed).then("precision"),
        reported_by="reported_by",
        setting="setting",
    )


def with_dirt(rows: pl.DataFrame, seed: int) -> pl.DataFrame:
    """The rows and, mixed in, what real files hold: one bad row in 500, of each kind of `DIRT` in turn.

    A bad row is another row's copy, spoilt, under a reference of its own; nothing of the city is lost.
    """
    rng = np.random.Generator(np.random.PCG64([seed, 5]))
    many = min(rows.height, max(len(DIRT), int(rows.height * _DIRTY_SHARE)))
    placed = np.flatnonzero(rows["latitude"].is_not_null().to_numpy())
    picked = rows[np.sort(rng.choice(placed, size=min(many, len(placed)), replace=False))]
    kinds = pl.Series("dirt", [DIRT[i % len(DIRT)] for i in range(picked.height)], dtype=pl.String)
    order = rng.permutation(rows.height + picked.height)
    return pl.concat([rows, _spoilt(picked.with_columns(kinds)).drop("dirt")])[order]


def _spoilt(rows: pl.DataFrame) -> pl.DataFrame:
    def where(kind: str, value: pl.Expr, otherwise: pl.Expr) -> pl.Expr:
        return pl.when(pl.col("dirt") == kind).then(value).otherwise(otherwise)

    nothing = pl.lit(None, pl.String)
    reference, when, code, group = (
        pl.col(name) for name in ("reference", "occurred_from", "offence_code", "offence_group")
    )
    latitude, longitude = pl.col("latitude"), pl.col("longitude")
    day_first = when.str.replace(r"^(\d{4})-(\d\d)-(\d\d)T(\d\d:\d\d).*$", "$3/$2/$1 $4")
    time = where("in_future", pl.lit("2099") + when.str.slice(4), when)
    time = where("placeholder_date", pl.lit("1900-01-01T00:00:00+00:00"), time)
    north = where("coordinates_zero", pl.lit("0.0"), where("coordinates_swapped", longitude, latitude))
    return rows.with_columns(
        reference=where("no_reference", nothing, where("repeated", reference, reference + "X")),
        occurred_from=where("other_date_format", day_first, time),
        latitude=where("coordinate_in_words", pl.lit("not known"), north),
        longitude=where("coordinates_zero", pl.lit("0.0"), where("coordinates_swapped", latitude, longitude)),
        offence_code=where("unknown_code", pl.lit("ZZ99"), code),
        offence_group=where("unknown_code", nothing, group),
    )


def write_delivery(rows: pl.DataFrame, path: Path) -> Path:
    """Write a delivery as CSV; it appears complete or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    rows.write_csv(part)
    part.replace(path)
    return path

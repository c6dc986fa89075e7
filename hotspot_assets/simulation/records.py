"""What a records system makes of the events: late, amended, imprecise and dirty rows in delivered files.

Belongs here: turning events into rows of the project's own delivery contract as they stood at a moment. Not
here: how such rows are read (intake).
"""

from __future__ import annotations

import json
import os
from datetime import datetime, time
from pathlib import Path

import numpy as np
import polars as pl

from hotspot_assets.intake.calendar import local_to_utc
from hotspot_assets.simulation.city import CitySpec, wards
from hotspot_assets.simulation.process import City

ZONE = "Europe/London"
_LATE_SHARE, _AMENDED_SHARE, _DIRTY_SHARE = 0.06, 0.03, 0.002
_CODES = {"burglary": "BURG", "robbery": "ROBB", "theft": "THEFT", "vehicle_theft": "TFMV", "violence": "VIOL"}


def records(city: City) -> pl.DataFrame:
    """Every row that will ever be recorded, with the moments from which it and its amendment stand there."""
    rng = np.random.Generator(np.random.PCG64([city.spec.seed, 4]))
    n = city.events.height
    latitude, longitude = city.places()
    lag_days = np.where(rng.uniform(size=n) < _LATE_SHARE, rng.exponential(9.0, n), rng.exponential(0.15, n))
    span_hours = np.where(rng.uniform(size=n) < _interval_share(city), rng.exponential(9.0, n) + 0.25, 0.0)
    start = datetime.combine(city.start, time(0))
    moment = pl.lit(start) + pl.duration(minutes=(pl.col("day") * 1440).cast(pl.Int64))
    return (
        city.events.select("group", "day")
        .with_columns(
            reference=pl.format("PM{}", pl.int_range(pl.len()).cast(pl.String).str.zfill(8)),
            latitude=pl.Series(latitude),
            longitude=pl.Series(longitude),
            span=pl.Series(np.round(span_hours * 60).astype(np.int64)),
            before=pl.Series(rng.uniform(size=n)),
            lag=pl.Series(np.round(lag_days * 1440).astype(np.int64)),
            shift=pl.Series(np.where(rng.uniform(size=n) < _AMENDED_SHARE, rng.exponential(20.0, n), np.nan)),
            move=pl.Series(rng.normal(0.0, 0.0004, size=n)),
        )
        .with_columns(moment=local_to_utc(moment, ZONE))
        .with_columns(
            occurred_from=pl.col("moment")
            - pl.duration(minutes=(pl.col("span") * pl.col("before")).cast(pl.Int64)),
        )
        .with_columns(
            occurred_to=pl.when(pl.col("span") > 0).then(pl.col("occurred_from") + pl.duration(minutes=pl.col("span"))),
        )
        .with_columns(
            recorded_at=pl.max_horizontal("moment", pl.coalesce("occurred_to", "occurred_from"))
            + pl.duration(minutes=pl.col("lag") + 20)
        )
        .with_columns(
            amended_at=pl.when(pl.col("shift").is_not_nan()).then(
                pl.col("recorded_at") + pl.duration(minutes=(pl.col("shift").fill_nan(0) * 1440).cast(pl.Int64))
            )
        )
    )


def _interval_share(city: City) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    shares = {name: group.interval_share for name, group in city.spec.groups.items()}
    return city.events["group"].replace_strict(shares, return_dtype=pl.Float64).to_numpy()


def as_of(city: City, moment: datetime, changed_since: datetime | None = None) -> pl.DataFrame:
    """Rows of the contract as they stood at `moment` (UTC); `changed_since`: only what came or changed after it."""
    rows = records(city).filter(pl.col("recorded_at") <= moment)
    amended = (pl.col("amended_at") <= moment).fill_null(False)
    if changed_since is not None:
        rows = rows.filter((pl.col("recorded_at") > changed_since) | (amended & (pl.col("amended_at") > changed_since)))
    local = [
        pl.col(name).dt.convert_time_zone(ZONE).dt.strftime("%Y-%m-%dT%H:%M:%S%:z").alias(name)
        for name in ("occurred_from", "occurred_to", "reported_at", "recorded_at", "modified_at")
    ]
    return (
        rows.sort("recorded_at", "reference")
        .with_columns(
            offence_code=pl.col("group").replace_strict(_CODES),
            offence_group=pl.col("group"),
            reported_at=pl.col("recorded_at") - pl.duration(minutes=15),
            modified_at=pl.when(amended).then("amended_at").otherwise("recorded_at"),
            latitude=pl.when(amended).then(pl.col("latitude") + pl.col("move")).otherwise("latitude").round(6),
            status=pl.when(amended).then(pl.lit("amended")).otherwise(pl.lit("recorded")),
            location_precision=pl.lit("point"),
            reported_by=pl.lit("public"),
            setting=pl.lit("unknown"),
        )
        .with_columns(local)
        .select(
            *("reference", "offence_code", "offence_group", "occurred_from", "occurred_to", "reported_at"),
            *("recorded_at", "modified_at", "status", "latitude", "longitude"),
            *("location_precision", "reported_by", "setting"),
        )
    )


def with_dirt(rows: pl.DataFrame, seed: int) -> pl.DataFrame:
    """The rows and, mixed in, what real files hold: zero coordinates, a future, unknown codes, repeated rows."""
    rng = np.random.Generator(np.random.PCG64([seed, 5]))
    many = max(4, int(rows.height * _DIRTY_SHARE))
    picked = rows[np.sort(rng.choice(rows.height, size=min(many, rows.height), replace=False))]
    kind = pl.int_range(pl.len()) % 4
    dirty = picked.with_columns(
        reference=pl.when(kind < 3).then(pl.col("reference") + "X").otherwise("reference"),
        latitude=pl.when(kind == 0).then(0.0).otherwise("latitude"),
        longitude=pl.when(kind == 0).then(0.0).otherwise("longitude"),
        occurred_from=pl.when(kind == 1)
        .then(pl.lit("2099-") + pl.col("occurred_from").str.slice(5))
        .otherwise("occurred_from"),
        offence_code=pl.when(kind == 2).then(pl.lit("ZZ99")).otherwise("offence_code"),
        offence_group=pl.when(kind == 2).then(None).otherwise("offence_group"),
    )
    order = rng.permutation(rows.height + dirty.height)
    return pl.concat([rows, dirty])[order]


def write_delivery(rows: pl.DataFrame, path: Path) -> Path:
    """Write a delivery as CSV; it appears complete or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    rows.write_csv(part)
    os.replace(part, path)
    return path


def write_wards(spec: CitySpec, path: Path) -> Path:
    """Write the wards as GeoJSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(wards(spec)), encoding="utf-8")
    return path


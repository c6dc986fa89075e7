"""Dosage: the minutes that areas were to get, and the minutes they got.

Belongs here: reading visits from a file, and planned against delivered minutes. Not here: who made a visit:
a file with any column besides those named here is refused, so that no officer's name or number gets in.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from hotspot_assets.errors import UserError
from hotspot_assets.intake.calendar import local_to_utc

COLUMNS = ("unit", "area", "enter", "leave", "activity")
"""Columns of a file of visits: unit, area id, local times (ISO 8601, without a zone), activity class."""

SHORTEST_MINUTES, LONGEST_MINUTES = 10.0, 16.0
"""Visits of this length hold crime back longest (Koper 1995); shorter and longer ones count too."""

_LONGEST_VISIT_MINUTES = 12 * 60.0


class VisitsError(UserError):
    """A file of visits that cannot be read."""


@dataclass(frozen=True, eq=False)
class Visits:
    """Visits read from a file.

    Attributes
    ----------
    accepted
        line (Int64, header = 1), unit, area_id, activity (String), entered_at, left_at (UTC), minutes (Float64).
    rejected
        line, reason (String): no_time, order, too_long, no_area.
    """

    accepted: pl.DataFrame
    rejected: pl.DataFrame


def read_visits(content: bytes, zone: str) -> Visits:
    """Read visits from CSV (UTF-8, header with exactly `COLUMNS`, in any order).

    Raises
    ------
    VisitsError
        When the file is no such table; it names columns, never values.
    """
    try:
        table = pl.read_csv(content, infer_schema=False)
    except (pl.exceptions.PolarsError, UnicodeDecodeError) as error:
        raise VisitsError(
            f"The file of visits is no CSV table with a header ({type(error).__name__})."
        ) from error
    names = {name.strip().lower().removeprefix("\ufeff"): name for name in table.columns}
    if set(names) != set(COLUMNS):
        odd = ", ".join(sorted(set(names) - set(COLUMNS))) or "none"
        missing = ", ".join(sorted(set(COLUMNS) - set(names))) or "none"
        raise VisitsError(
            f"The file of visits must have exactly the columns {', '.join(COLUMNS)}."
            f" Not wanted: {odd}; missing: {missing}. Nothing was read."
        )
    read = table.select(pl.col(names[name]).str.strip_chars().alias(name) for name in COLUMNS)
    read = read.with_columns(
        line=pl.int_range(2, pl.len() + 2, dtype=pl.Int64),
        entered_at=local_to_utc(_times(read["enter"]), zone),
        left_at=local_to_utc(_times(read["leave"]), zone),
    ).with_columns(minutes=(pl.col("left_at") - pl.col("entered_at")).dt.total_seconds() / 60.0)
    judged = read.with_columns(reason=_reason())
    accepted = judged.filter(pl.col("reason").is_null()).select(
        "line", "unit", pl.col("area").alias("area_id"), "activity", "entered_at", "left_at", "minutes"
    )
    return Visits(accepted, judged.filter(pl.col("reason").is_not_null()).select("line", "reason"))


def _times(texts: pl.Series) -> pl.Series:
    plain = texts.str.replace("T", " ", literal=True)
    with_seconds = plain.str.to_datetime("%Y-%m-%d %H:%M:%S", strict=False, time_unit="us")
    return with_seconds.fill_null(plain.str.to_datetime("%Y-%m-%d %H:%M", strict=False, time_unit="us"))


def _reason() -> pl.Expr:
    return (
        pl.when(pl.col("area").fill_null("") == "")
        .then(pl.lit("no_area"))
        .when(pl.col("minutes").is_null())
        .then(pl.lit("no_time"))
        .when(pl.col("minutes") <= 0)
        .then(pl.lit("order"))
        .when(pl.col("minutes") > _LONGEST_VISIT_MINUTES)
        .then(pl.lit("too_long"))
    )


def dosage(issued: pl.DataFrame, visits: pl.DataFrame) -> pl.DataFrame:
    """Planned against delivered minutes of issued areas.

    Parameters
    ----------
    issued
        Columns unit, area_id, starts_at, ends_at (UTC), planned_minutes: one row per area and shift.
    visits
        `Visits.accepted`.

    Returns
    -------
    The issued rows with visits (Int64), visits_of_advised_length (Int64), delivered_minutes (Float64;
    the part of each visit within the shift) and delivered_share (of planned).
    """
    within = (
        pl.min_horizontal("left_at", "ends_at") - pl.max_horizontal("entered_at", "starts_at")
    ).dt.total_seconds() / 60.0
    advised = pl.col("minutes").is_between(SHORTEST_MINUTES, LONGEST_MINUTES)
    made = (
        issued.select("unit", "area_id", "starts_at", "ends_at")
        .join(visits, on=["unit", "area_id"])
        .with_columns(within=within)
        .filter(pl.col("within") > 0)
        .group_by("unit", "area_id", "starts_at")
        .agg(
            visits=pl.len().cast(pl.Int64),
            visits_of_advised_length=advised.sum().cast(pl.Int64),
            delivered_minutes=pl.col("within").sort().sum(),
        )
    )
    numbers = ["visits", "visits_of_advised_length", "delivered_minutes"]
    return (
        issued.join(made, on=["unit", "area_id", "starts_at"], how="left", maintain_order="left")
        .with_columns(pl.col(numbers).fill_null(0))
        .with_columns(delivered_share=pl.col("delivered_minutes") / pl.col("planned_minutes"))
    )


def unmatched(issued: pl.DataFrame, visits: pl.DataFrame) -> int:
    """Visits to no issued area, or to one outside its shift: patrol spent elsewhere."""
    found = (
        visits.with_row_index("visit")
        .join(issued.select("unit", "area_id", "starts_at", "ends_at"), on=["unit", "area_id"])
        .filter((pl.col("left_at") > pl.col("starts_at")) & (pl.col("entered_at") < pl.col("ends_at")))
    )
    return visits.height - found["visit"].n_unique()

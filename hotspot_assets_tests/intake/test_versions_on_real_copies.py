"""Two copies of Chicago's March 2014, four years apart, against a diff of the text of the files."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from hotspot_assets.intake.calendar import local_to_utc
from hotspot_assets.intake.content import ACCEPTED_SCHEMA
from hotspot_assets.intake.knowledge import Completeness
from hotspot_assets.intake.versions import Comparison, compare
from hotspot_assets_tests.intake.rows import Lake, facts, sum_of_rows

ZONE = "America/Chicago"


@pytest.fixture(scope="module")
def early(shared_data: Path) -> pl.DataFrame:
    return pl.read_csv(
        shared_data / "chicago_vintages/chicago_2014_03_as_published_2014_04.csv.gz", infer_schema=False
    )


@pytest.fixture(scope="module")
def late(shared_data: Path) -> pl.DataFrame:
    return pl.read_csv(shared_data / "chicago/chicago_crimes_2014.csv.gz", infer_schema=False)


def accepted(portal: pl.DataFrame) -> pl.DataFrame:
    wall = pl.col("Date").str.to_datetime("%m/%d/%Y %I:%M:%S %p", time_unit="us")
    nothing = {name: pl.lit(None, dtype=kind).alias(name) for name, kind in ACCEPTED_SCHEMA.items()}
    given = {
        "incident_key": pl.col("ID"),
        "line": pl.int_range(2, pl.len() + 2),
        "offence_code": pl.col("IUCR"),
        "offence_group": pl.col("Primary Type"),
        "occurred_from": local_to_utc(wall, ZONE),
        "time_precision": pl.lit("minute"),
        "latitude": pl.col("Latitude").cast(pl.Float64),
        "longitude": pl.col("Longitude").cast(pl.Float64),
        "location_precision": pl.lit("point"),
        "reported_by": pl.lit("public"),
        "setting": pl.lit("unknown"),
        "reversal": pl.lit(False),
    }
    return portal.select(
        list((nothing | {name: value.alias(name) for name, value in given.items()}).values())
    )


@pytest.fixture(scope="module")
def second(early: pl.DataFrame, late: pl.DataFrame) -> tuple[pl.DataFrame, Comparison]:
    """The later copy delivered after the early one, complete for the early one's ids and days."""
    lake = Lake()
    first = compare(
        accepted(early), lake.present(), facts(1, zone=ZONE, first_load=True, assumed_lag=timedelta(0))
    )
    assert first.counts.rows_new == early.height == 6957
    complete = Completeness.of_days(
        date(2014, 2, 28), date(2014, 3, 15), ZONE, incident_keys=first.versions["incident_key"]
    )
    of_march = accepted(late.filter(pl.col("Date").str.slice(0, 2).is_in(["02", "03"])))
    return first.versions, compare(of_march, first.versions, facts(2, zone=ZONE, complete_for=complete))


def test_counts_equal_a_diff_of_the_files(
    early: pl.DataFrame, late: pl.DataFrame, second: tuple[pl.DataFrame, Comparison]
) -> None:
    known, comparison = second
    both = early.join(late, on="ID", suffix=" later").fill_null("")
    differs = {
        name: both[name] != both[f"{name} later"] for name in ("Primary Type", "IUCR", "Latitude", "Date")
    }
    gone = set(early["ID"]) - set(late["ID"])
    filled = set(both.filter((pl.col("Latitude") == "") & (pl.col("Latitude later") != ""))["ID"])
    assert (len(gone), differs["Primary Type"].sum(), differs["Date"].sum(), len(filled)) == (38, 70, 2, 72)

    versions = comparison.versions.join(known, on="incident_key", suffix="_before")

    def keys(condition: pl.Expr) -> set[str]:
        return set(versions.filter(condition)["incident_key"])

    reasons = pl.col("reasons").list
    assert keys(reasons.contains("vanished")) == gone
    assert keys(reasons.contains("re-classified")) == set(
        both.filter(differs["IUCR"] | differs["Primary Type"])["ID"]
    )
    assert keys(pl.col("offence_group") != pl.col("offence_group_before")) == set(
        both.filter(differs["Primary Type"])["ID"]
    )
    assert keys(pl.col("occurred_from") != pl.col("occurred_from_before")) == set(
        both.filter(differs["Date"])["ID"]
    )
    assert keys(pl.col("latitude_before").is_null() & pl.col("latitude").is_not_null()) == filled
    assert keys(reasons.contains("re-geocoded")) == set(both.filter(differs["Latitude"])["ID"])


def test_rows_add_up_and_the_few_closings_need_no_word(second: tuple[pl.DataFrame, Comparison]) -> None:
    counts = second[1].counts
    assert (counts.incidents_vanished, counts.closings_waiting) == (38, 0)
    assert counts.rows_amended == 6919
    assert sum_of_rows(second[1]) == counts.rows_new + counts.rows_amended

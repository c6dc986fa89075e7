"""Real files against counts made with Python's csv module alone."""

from __future__ import annotations

import csv
import gzip
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hotspot_assets.intake.delivery import Delivery, read_delivery
from hotspot_assets.intake.offences import DEFAULT_EXCLUDED_GROUPS
from hotspot_assets_tests.intake.deliveries import options

NOW = datetime(2019, 7, 1, tzinfo=UTC)
CHICAGO_EXTENT = (41.6, -88.0, 42.1, -87.5)


def plain(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8-sig", errors="replace", newline="") as file:
        return list(csv.DictReader(file))


def take(path: Path, **values: object) -> Delivery:
    delivery = read_delivery(path, options(**{"now": NOW, "extent": None, **values}))
    assert delivery.rows_read == delivery.accepted.height + delivery.rejected.height + delivery.rows_excluded
    return delivery


@pytest.mark.parametrize(
    "name",
    [
        "chicago/chicago_crimes_2015_jan_apr.csv.gz",
        "chicago_vintages/chicago_2014_03_as_published_2014_04.csv.gz",
    ],
)
def test_chicago(shared_data: Path, name: str) -> None:
    rows = plain(shared_data / name)
    domestic = sum(row["Domestic"].lower() == "true" for row in rows)
    kept = [row for row in rows if row["Domestic"].lower() != "true"]
    origin = ("36.619446395", "-91.686565684")
    unplaced = sum(not row["Latitude"] or (row["Latitude"], row["Longitude"]) == origin for row in kept)
    delivery = take(shared_data / name, extent=CHICAGO_EXTENT)
    assert delivery.rows_read == len(rows)
    assert dict(delivery.excluded) == {"domestic_flag": domestic}
    assert delivery.rejected.height == 0
    assert delivery.accepted["latitude"].null_count() == unplaced == delivery.marks["unplaced"]
    codes = Counter(row["IUCR"].strip() for row in kept)
    assert dict(delivery.accepted["offence_code"].value_counts().rows()) == codes
    assert delivery.accepted["incident_key"].n_unique() == len({row["ID"] for row in kept})
    everything = take(shared_data / name, exclude_domestic=False)
    assert everything.accepted.height == len(rows)
    groups = dict(everything.accepted["offence_group"].value_counts().rows())
    for group in ("burglary", "battery", "robbery", "theft"):
        assert groups[group] == sum(row["Primary Type"].lower() == group for row in rows)


def test_chicago_groups_left_out_by_default(shared_data: Path) -> None:
    path = shared_data / "chicago/chicago_crimes_2015_jan_apr.csv.gz"
    kept = [row for row in plain(path) if row["Domestic"].lower() != "true"]
    excluded = take(path, excluded_groups=DEFAULT_EXCLUDED_GROUPS).excluded
    assert excluded["homicide"] == sum(row["Primary Type"] == "HOMICIDE" for row in kept)
    assert excluded["fraud"] == sum(row["Primary Type"] == "DECEPTIVE PRACTICE" for row in kept)
    narcotics = ("NARCOTICS", "OTHER NARCOTIC VIOLATION")
    assert excluded["drugs"] == sum(row["Primary Type"] in narcotics for row in kept)


@pytest.mark.slow
def test_every_chicago_year_by_its_number_of_rows(shared_data: Path) -> None:
    """The figures of the data's own README."""
    expected = {"2011": 351_749, "2012": 335_921, "2013": 307_030, "2014": 275_200}
    for year, rows in expected.items():
        delivery = take(shared_data / f"chicago/chicago_crimes_{year}.csv.gz", exclude_domestic=False)
        assert (delivery.rows_read, delivery.accepted.height) == (rows, rows)


def test_st_louis(shared_data: Path) -> None:
    read, too_early = 0, []
    for path in sorted((shared_data / "st_louis").glob("*.csv.gz")):
        rows = plain(path)
        delivery = take(path)
        read += delivery.rows_read
        early = [int(row["DateOccur"].split()[0].split("/")[2]) < 1990 for row in rows]
        too_early += [row["DateOccur"] for row, is_early in zip(rows, early, strict=True) if is_early]
        rows = [row for row, is_early in zip(rows, early, strict=True) if not is_early]
        assert set(delivery.rejected["reason"]) <= {"before_earliest"}
        assert (delivery.rejected.height, delivery.accepted.height) == (sum(early), len(rows))
        assert delivery.accepted["reversal"].sum() == sum(row["Count"].strip() == "-1" for row in rows)
        nowhere = sum(float(row["XCoord"] or 0) == 0 == float(row["YCoord"] or 0) for row in rows)
        assert delivery.accepted["latitude"].null_count() == nowhere
        pairs = {(row["Complaint"].strip(), row["Crime"].strip().zfill(6)) for row in rows}
        assert delivery.accepted["incident_key"].n_unique() == len(pairs)
        in_the_city = delivery.accepted["latitude"].drop_nulls().is_between(38.4, 38.9).sum()
        assert in_the_city > 0.99 * (len(rows) - nowhere)
    assert read == 44_506
    assert sorted(too_early) == ["01/01/1900 00:00", "11/07/1986 14:34"]


def test_police_uk(shared_data: Path) -> None:
    for path in sorted((shared_data / "police_uk").glob("*.csv.gz")):
        rows = plain(path)
        delivery = take(path)
        assert delivery.rows_read == delivery.accepted.height == len(rows)
        assert delivery.accepted["latitude"].null_count() == sum(not row["Latitude"] for row in rows)
        assert set(delivery.accepted["time_precision"]) == {"month"}
        assert dict(delivery.accepted["offence_code"].value_counts().rows()) == Counter(
            row["Crime type"] for row in rows
        )
        named = {row["Crime ID"] for row in rows if row["Crime ID"]}
        nameless = sum(not row["Crime ID"] for row in rows)
        assert delivery.accepted["incident_key"].n_unique() == len(named) + nameless


def test_new_york(shared_data: Path) -> None:
    path = shared_data / "nyc_vehicle_thefts/nyc_vehicle_thefts_2014_2017.csv.gz"
    rows = plain(path)
    delivery = take(path)
    assert delivery.rows_read == delivery.accepted.height == len(rows) == 35_746
    assert (
        delivery.accepted["occurred_to"].null_count() == sum(not row["occurred_to"] for row in rows) == 2_852
    )
    first = delivery.accepted.row(0, named=True)
    assert first["occurred_from"] == datetime(2013, 12, 31, 15, tzinfo=UTC)  # ten in the morning there


def test_small_pieces_give_what_large_ones_give(shared_data: Path) -> None:
    path = shared_data / "st_louis/stl_June2014.csv.gz"
    given = options(now=NOW, extent=None)
    whole, pieces = read_delivery(path, given), read_delivery(path, given, piece_bytes=50_000)
    assert whole.accepted.equals(pieces.accepted)
    assert (whole.rows_read, whole.marks, whole.excluded) == (pieces.rows_read, pieces.marks, pieces.excluded)

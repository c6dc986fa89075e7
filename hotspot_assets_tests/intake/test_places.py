"""Coordinates: projections against known points, placeholders, exchanged and truncated ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from hotspot_assets.intake.formats import Format
from hotspot_assets_tests.intake.handmade import HEADER, marks, only, options, reasons, table, take, texts

LONDON = (51.2, -0.6, 51.8, 0.4)
GRID_HEADER = "reference,offence_code,occurred_from,easting,northing"


def row(first: str, second: str, reference: str = "A1") -> str:
    return f"{reference},burglary,2014-06-02,{first},{second}"


def test_british_national_grid(tmp_path: Path) -> None:
    """Ordnance Survey's worked example: Caister water tower, 52 39 28.723 N 1 42 57.787 E (ETRS89, 3 m)."""
    found = only(take(tmp_path, table(row("651409.903", "313177.270"), header=GRID_HEADER)))
    assert found["latitude"] == pytest.approx(52.6579786, abs=5e-5)
    assert found["longitude"] == pytest.approx(1.7160519, abs=5e-5)
    assert found["location_precision"] == "point"


def test_state_plane_of_missouri_is_in_feet(tmp_path: Path) -> None:
    """The Gateway Arch, 38.6247 N 90.1848 W, lies at about 909,200 E and 1,018,600 N feet."""
    header = "Complaint,CodedMonth,DateOccur,Count,Crime,XCoord,YCoord"
    text = table("14-000001,2014-01,1/2/2014 8:00,1, 51312,909200,1018600", header=header)
    found = only(take(tmp_path, text))
    assert found["latitude"] == pytest.approx(38.6247, abs=0.02)
    assert found["longitude"] == pytest.approx(-90.1848, abs=0.02)


@pytest.mark.parametrize(
    ("first", "second", "reason"),
    [
        ("0", "0", "coordinates_zero"),
        ("0.0", "-0.000", "coordinates_zero"),
        ("-0.12345", "51.50123", "coordinates_swapped"),
        ("40.7", "-74.0", "outside_extent"),
        ("95", "200", "outside_extent"),
        ("51.5", "", "bad_coordinate"),
        ("", "-0.1", "bad_coordinate"),
        ("51.5N", "-0.1", "bad_coordinate"),
        ("51,5", "-0.1", "malformed_row"),
        ("inf", "nan1", "bad_coordinate"),
        ("1e400", "-0.1", "bad_coordinate"),
    ],
)
def test_places_that_reject_a_row(tmp_path: Path, first: str, second: str, reason: str) -> None:
    assert reasons(take(tmp_path, table(row(first, second)), extent=LONDON)) == {reason: 1}


def test_the_edge_of_the_extent_is_inside(tmp_path: Path) -> None:
    corners = (row("51.2", "-0.6"), row("51.8", "0.4", "A2"), row("51.8000001", "0.4", "A3"))
    assert reasons(take(tmp_path, table(*corners), extent=LONDON)) == {"outside_extent": 1}


def test_without_an_extent_the_earth_is_the_limit(tmp_path: Path) -> None:
    rows = (row("-95.5", "41.1", "A1"), row("-0.12345", "51.50123", "A2"), row("95", "200", "A3"))
    read = take(tmp_path, table(*rows))
    assert texts(read.rejected, "line", "reason") == [(2, "coordinates_swapped"), (4, "outside_extent")]


def test_exchanged_grid_coordinates_are_found_by_the_extent(tmp_path: Path) -> None:
    text = table(row("180123", "530456"), row("530456", "180123", "A2"), header=GRID_HEADER)
    assert reasons(take(tmp_path, text, extent=LONDON)) == {"coordinates_swapped": 1}
    assert reasons(take(tmp_path, text)) == {}


def test_degrees_among_grid_coordinates_are_no_place(tmp_path: Path) -> None:
    """They would lie in the sea, where the projection has its origin; no extent is needed to see that."""
    text = table(row("-0.12761", "51.50722"), row("530456", "180123", "A2"), header=GRID_HEADER)
    assert reasons(take(tmp_path, text)) == {"outside_extent": 1}


@pytest.mark.parametrize("nothing", ["", "  ", "NULL", "NaN", "n/a", "None", r"\N"])
def test_no_place_is_kept_and_counted(tmp_path: Path, nothing: str) -> None:
    read = take(tmp_path, table(row(nothing, nothing)), extent=LONDON)
    found = only(read)
    assert (found["latitude"], found["longitude"], found["location_precision"]) == (None, None, "none")
    assert marks(read) == {"unplaced": 1}


@pytest.mark.parametrize(
    ("first", "second", "precision"),
    [
        ("51.5012", "-0.1234", "point"),
        ("51.501", "-0.123", "snapped"),
        ("51.5010", "-0.1234", "point"),
        ("51.50", "-0.12", "area"),
        ("52", "0", "area"),
    ],
)
def test_few_decimals_make_no_point(tmp_path: Path, first: str, second: str, precision: str) -> None:
    read = take(tmp_path, table(row(first, second)))
    assert only(read)["location_precision"] == precision
    assert read.marks["coordinates_truncated"] == (precision != "point")


@pytest.mark.parametrize(
    ("first", "second", "precision"),
    [("530456", "180123", "point"), ("530400", "180100", "snapped"), ("530000", "180000", "area")],
)
def test_round_grid_coordinates_make_no_point(
    tmp_path: Path, first: str, second: str, precision: str
) -> None:
    assert (
        only(take(tmp_path, table(row(first, second), header=GRID_HEADER)))["location_precision"] == precision
    )


def test_the_coarser_of_two_precisions_counts(tmp_path: Path) -> None:
    header = HEADER + ",location_precision"
    rows = [row("51.50123", "-0.12345") + ",area", row("51.501", "-0.123", "A2") + ",point"]
    read = take(tmp_path, table(*rows, header=header))
    assert read.accepted["location_precision"].to_list() == ["area", "snapped"]
    assert marks(read) == {"coordinates_truncated": 1}


def test_placeholders_of_a_source_are_no_place(tmp_path: Path) -> None:
    kind = Format(
        name="other",
        source="other",
        layouts=[
            {"reference": "r", "offence_code": "o", "occurred_from": "t", "latitude": "y", "longitude": "x"}
        ],
        offences={"B": "burglary"},
        unplaced_at=[(0.0, 0.0), (51.0, -1.0)],
    )
    text = table(
        "1,B,2014-06-02,0,0", "2,B,2014-06-02,51,-1", "3,B,2014-06-02,51.2345,-1.2345", header="r,o,t,y,x"
    )
    read = take(tmp_path, text, mappings=(kind,))
    assert read.accepted["latitude"].to_list() == [None, None, 51.2345]


def test_a_batch_without_any_place(tmp_path: Path) -> None:
    read = take(tmp_path, table(row("", ""), row("", "", "A2"), header=GRID_HEADER))
    assert marks(read) == {"unplaced": 2}


def test_options_need_a_secret_and_a_zone() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        options(key=b"short")
    with pytest.raises(ValueError, match="time zone"):
        options(now=options().now.replace(tzinfo=None))

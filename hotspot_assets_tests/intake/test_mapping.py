"""Mapping files: one that says everything there is to say, and every way in which one can be wrong."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from hotspot_assets.errors import UserError
from hotspot_assets.intake import mapping
from hotspot_assets.intake.formats import Format
from hotspot_assets.intake.mapping import load_mapping
from hotspot_assets.intake.reading import UnreadableDelivery
from hotspot_assets_tests.intake.deliveries import read, reasons

EXAMPLE = (mapping.__doc__ or "").split("::\n", 1)[1].replace("\n    ", "\n")

SMALL = """
name = "small"
times = ["%d/%m/%Y %H:%M"]
[columns]
reference = "id"
offence_code = "code"
occurred_from = "when"
latitude = "lat"
longitude = "lon"
"""

FILE = (
    b"Crime No,HO Code,From Date,From Time,E,N,Origin,DV Flag,Count\n"
    b"A1,28e,02/07/2014,00:30,530123.4,180456.7,Self Generated,N,1\n"
    b"A2,ROBBERY,13/07/2014,23:00,,,Call,N,1\n"
    b"A3,28E,13/07/2014,23:00,530200,180500,Web,Y,1\n"
    b"A1,28E,02/07/2014,00:30,530123.4,180456.7,Call,N,-1\n"
    b"A4,99Z,13/07/2014,23:00,530201.1,180500.2,Call,N,1\n"
)


def written(folder: Path, text: str) -> Format:
    path = folder / "northshire.toml"
    path.write_text(text, encoding="utf-8")
    return load_mapping(path)


def test_the_example_in_the_docstring_reads_a_file(tmp_path: Path) -> None:
    delivery = read(tmp_path, FILE, mappings=(written(tmp_path, EXAMPLE),))
    assert (delivery.format, delivery.source, delivery.zone) == (
        "borsetshire",
        "borsetshire",
        "Europe/London",
    )
    assert delivery.rows_read == 5
    assert dict(delivery.excluded) == {"domestic_flag": 1}
    assert reasons(delivery) == [(6, "unknown_offence")]
    first, unplaced, reversal = delivery.accepted.iter_rows(named=True)
    assert first["occurred_from"] == datetime(2014, 7, 1, 23, 30, tzinfo=UTC)  # summer time
    assert (first["offence_group"], first["reported_by"], first["reversal"]) == ("burglary", "police", False)
    # A hundred metres east of Nelson's Column (51.5078 N, 0.1280 W).
    assert (first["latitude"], first["longitude"]) == pytest.approx((51.5078, -0.1265), abs=5e-4)
    assert (unplaced["latitude"], unplaced["location_precision"]) == (None, "none")
    assert unplaced["reported_by"] == "public"
    assert reversal["reversal"]
    assert reversal["incident_key"] == first["incident_key"] != unplaced["incident_key"]


def test_a_mapped_file_may_not_bring_forbidden_columns(tmp_path: Path) -> None:
    content = FILE.replace(b",Count\n", b",Count,SuspectName\n", 1)
    with pytest.raises(UnreadableDelivery, match="'SuspectName'"):
        read(tmp_path, content, mappings=(written(tmp_path, EXAMPLE),))


def test_a_small_mapping_is_enough(tmp_path: Path) -> None:
    content = (
        b"id;code;when;lat;lon\n1;robbery;2015-01-02 03:04;51,5;-0.1\n2;robbery;2015-01-02;51.50001;-0.1\n"
    )
    delivery = read(tmp_path, content, mappings=(written(tmp_path, SMALL),))
    assert reasons(delivery) == [(2, "bad_coordinate")]
    assert delivery.accepted["time_precision"].to_list() == ["day"]


def test_rows_without_a_reference_are_keyed_by_what_they_say(tmp_path: Path) -> None:
    kind = written(tmp_path, SMALL.replace('reference = "id"\n', ""))
    row = b"robbery,2015-01-02 03:04,51.50001,-0.10001\n"
    other = row.replace(b"03:04", b"03:05")
    orders = [row + row + other, other + row + row]
    once, again = (
        read(tmp_path, b"code,when,lat,lon\n" + rows, mappings=(kind,)).accepted["incident_key"]
        for rows in orders
    )
    assert once.n_unique() == 3
    assert again.to_list() == [once[2], once[0], once[1]]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (('name = "small"', ""), "name: Field required"),
        (('name = "small"', "name = 3"), "name: "),
        (('name = "small"', 'name = "Small RMS"'), "name: use small letters"),
        (('name = "small"', 'name = "small'), "cannot be read"),
        (('name = "small"', 'name = "s"\nzoen = "Europe/London"'), "zoen: "),
        (('name = "small"', 'name = "s"\nzone = "Europe/Londen"'), "zone: there is no time zone"),
        (('name = "small"', 'name = "s"\nzone = "../etc/passwd"'), "zone: there is no time zone"),
        (('name = "small"', 'name = "s"\ncrs = "EPSG:99999999"'), "crs: there is no projection"),
        (('name = "small"', 'name = "s"\ncrs = "EPSG:4326"'), "crs: there is no projection"),
        (('name = "small"', 'name = "s"\ncrs = "British National Grid"'), "crs: there is no projection"),
        (('"%d/%m/%Y %H:%M"', '"%H:%M"'), "no pattern of a date"),
        (('"%d/%m/%Y %H:%M"', '"dd/mm/yyyy"'), "no pattern of a date"),
        (('"%d/%m/%Y %H:%M"', '"%Q"'), "no pattern of a date"),
        (('"%d/%m/%Y %H:%M"', '"%d/%m/%Y", "%m/%d/%Y"'), "times: '%d/%m/%Y' is there with day and month exchanged"),
        (('name = "small"', 'name = "s"\nlocation_precision = "exact"'), "location_precision: "),
        (('occurred_from = "when"', ""), "occurred_from is needed"),
        (('offence_code = "code"', ""), "offence_code, .* is needed"),
        (('offence_code = "code"', 'ofence_code = "code"'), "did you mean 'offence_code'"),
        (('offence_code = "code"', "offence_code = 4"), "write the name of a column"),
        (('offence_code = "code"', 'offence_code = "code"\nstatus = "Suspect"'), "may not be held"),
        (('longitude = "lon"', ""), "either latitude and longitude"),
        (('longitude = "lon"', 'longitude = "lon"\neasting = "x"'), "either latitude and longitude"),
        (('latitude = "lat"\nlongitude = "lon"', 'easting = "x"\nnorthing = "y"'), "crs is needed"),
        (('longitude = "lon"', 'longitude = "lon"\n[optional]\nreference = "x"'), "keep one"),
        (('longitude = "lon"', 'longitude = "lon"\n[offences]\n"1" = "burglery"'), "did you mean 'burglary'"),
        (('longitude = "lon"', 'longitude = "lon"\n[words.setting]\na = "street"'), "has no column"),
        (('longitude = "lon"', 'longitude = "lon"\n[reversal]\ncolumn = "Count"'), "reversal.value: "),
    ],
)  # fmt: skip
def test_each_fault_is_told(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    with pytest.raises(UserError, match=rf"northshire\.toml.*{message}"):
        written(tmp_path, SMALL.replace(*change))


def test_a_file_that_is_not_there_or_not_in_utf_8(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        load_mapping(tmp_path / "none.toml")
    (tmp_path / "old.toml").write_bytes('name = "caf\xe9"'.encode("cp1252"))
    with pytest.raises(UserError, match="cannot be read"):
        load_mapping(tmp_path / "old.toml")

"""Each format on a few rows made by hand, with values worked out by hand."""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from hotspot_assets.intake.delivery import Delivery, recognise
from hotspot_assets.intake.formats import all_formats
from hotspot_assets.intake.offences import GROUPS
from hotspot_assets_tests.intake.deliveries import KEY, read, reasons

CHICAGO = (
    "ID,Case Number,Date,Block,IUCR,Primary Type,Description,Location Description,Arrest,Domestic,Beat,"
    "District,Ward,Community Area,FBI Code,X Coordinate,Y Coordinate,Updated On,Latitude,Longitude\r\n"
)
PLACE = "41.881234567,-87.612345678"
ST_LOUIS_20 = (
    "Complaint,CodedMonth,DateOccur,FlagCrime,FlagUnfounded,FlagAdministrative,Count,FlagCleanup,Crime,District,"
    "Description,ILEADSAddress,ILEADSStreet,Neighborhood,LocationName,LocationComment,CADAddress,CADStreet,"
    "XCoord,YCoord"
)
ST_LOUIS_18 = (
    "MonthReportedtoMSHP,DateOccured,NewCrimeIndicator,UnfoundedCrimeIndicator,AdministrativeAdjustmentIndicator,"
    "Count,Crime,District,Description,ILEADSAddress,ILEADSStreet,Neighborhood,LocationName,LocationComment,"
    "CADAddress,CADStreet,XCoord,YCoord"
)
ST_LOUIS_26 = (
    "Complaint,Coded Month,Date Occur,Flag-Crime,Flag-Unfounded,Flag-Administrative,Count,Flag Cleanup,"
    "Crime,ILeads Add,ILeads Approve,District,Beat,Description,ILEADS-Address,ILEADS-Street,Neighborhood,"
    "ILeads Asg,ILeads Type,Location Name,Location Comment,CAD-Address,CAD-Street,X-Coord,Y-Coord,Date Crime Coded"
)


def take(folder: Path, text: str, **values: Any) -> Delivery:
    return read(folder, text.encode(), **{"extent": None, "now": datetime(2026, 1, 1, tzinfo=UTC), **values})


def chicago(row_id: str, date: str, kind: str = "THEFT", domestic: str = "false", place: str = PLACE) -> str:
    what = f"001XX N STATE ST,0820,{kind},DESCRIPTION,STREET,false,{domestic}"
    return f"{row_id},HX1,{date},{what},0111,1,42,32,06,,,,{place}\r\n"


def test_every_format_puts_its_offences_into_known_groups() -> None:
    for kind in all_formats():
        assert set(kind.offences.values()) <= GROUPS, kind.name
        assert all(code == code.upper() for code in kind.offences), kind.name


def test_chicago_times_keys_and_groups(tmp_path: Path) -> None:
    text = CHICAGO + "".join(
        (
            chicago("1", "01/15/2014 12:00:00 AM"),  # midnight; winter, six hours behind
            chicago("2", "07/04/2014 12:05:00 PM", "CRIM SEXUAL ASSAULT"),  # noon; summer, five hours behind
            chicago("3", "03/09/2014 02:30:00 AM"),  # skipped: the clock went from 2 to 3
            chicago("4", "11/02/2014 01:30:00 AM"),  # twice: the first is meant
            chicago("5", "07/04/2014 12:05:00 PM", domestic="true"),
            chicago("6", "07/04/2014 12:05:00 PM", "NEW CATEGORY"),
            chicago("7", "07/04/2014 12:05:00 PM", "NON - CRIMINAL", place=","),
            chicago("8", "07/04/2014 12:05:00 PM", place="36.619446395,-91.686565684"),  # origin of the grid
            chicago("9", "07/04/2014 12:05:00 PM", place="41.5,-87.6"),
        )
    )
    delivery = take(tmp_path, text, extent=(41.6, -88.0, 42.1, -87.5))
    assert (delivery.format, delivery.source, delivery.zone) == ("chicago_portal",) * 2 + ("America/Chicago",)
    assert dict(delivery.excluded) == {"domestic_flag": 1}
    assert reasons(delivery) == [(7, "unknown_offence"), (10, "outside_extent")]
    rows = delivery.accepted.select(
        "occurred_from", "time_precision", "offence_group", "location_precision"
    ).rows()
    assert rows == [
        (datetime(2014, 1, 15, 6, tzinfo=UTC), "minute", "theft", "snapped"),
        (datetime(2014, 7, 4, 17, 5, tzinfo=UTC), "minute", "sexual", "snapped"),
        (datetime(2014, 3, 9, 8, 30, tzinfo=UTC), "hour", "theft", "snapped"),
        (datetime(2014, 11, 2, 6, 30, tzinfo=UTC), "hour", "theft", "snapped"),
        (datetime(2014, 7, 4, 17, 5, tzinfo=UTC), "minute", "other", "none"),
        (datetime(2014, 7, 4, 17, 5, tzinfo=UTC), "minute", "theft", "none"),
    ]
    assert delivery.accepted["incident_key"][0] == key("chicago_portal", "1")
    assert delivery.accepted["incident_key"].n_unique() == 6  # they share a case number


@pytest.mark.parametrize(
    ("place", "setting"),
    [
        ("STREET", "street"),
        ("RESIDENTIAL YARD (FRONT/BACK)", "street"),
        ("PARKING LOT/GARAGE(NON.RESID.)", "street"),
        ("APARTMENT", "dwelling"),
        ("Residence-Garage", "dwelling"),
        ("SMALL RETAIL STORE", "indoor"),
        ("", "unknown"),
    ],
)
def test_chicago_tells_the_setting_by_the_place(tmp_path: Path, place: str, setting: str) -> None:
    row = chicago("1", "01/15/2014 12:00:00 AM").replace(",STREET,", f",{place},")
    assert take(tmp_path, CHICAGO + row).accepted["setting"].to_list() == [setting]


def test_chicago_without_the_description_knows_no_setting(tmp_path: Path) -> None:
    header, row = (
        ",".join(text.split(",")[:7] + text.split(",")[8:])
        for text in (CHICAGO, chicago("1", "01/15/2014 12:00:00 AM"))
    )
    assert take(tmp_path, header + row).accepted["setting"].to_list() == ["unknown"]


def key(source: str, reference: str) -> str:
    said = f"{source}\x1f{reference}".encode()
    return hmac.new(KEY, said, hashlib.sha256).hexdigest()[:32]


def st_louis(layout: str, count: str = "1", place: str = "820208.3333,0", code: str = " 51111") -> str:
    x, y = place.split(",")
    given = {
        "Complaint": "14-000001", "Count": count, "Crime": code,
        "XCoord": x, "YCoord": y, "X-Coord": x, "Y-Coord": y,
        **dict.fromkeys(("DateOccur", "Date Occur", "DateOccured"), "7/4/2014 8:00"),
    }  # fmt: skip
    return ",".join(given.get(name, " ") for name in layout.split(",")) + "\n"


@pytest.mark.parametrize("layout", [ST_LOUIS_20, ST_LOUIS_18, ST_LOUIS_26])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_st_louis_in_its_three_layouts(tmp_path: Path, layout: str, mark: str) -> None:
    """The projection's own origin, 250 km east of zero, is 35 deg 50 min N, 90 deg 30 min W by definition."""
    rows = (
        st_louis(layout),
        st_louis(layout, "-1"),
        st_louis(layout, place="0,0"),
        st_louis(layout, code="051111"),
    )
    delivery = take(tmp_path, mark + layout + "\n" + "".join(rows))
    first, reversal, unplaced, same_code = delivery.accepted.iter_rows(named=True)
    assert delivery.source == "st_louis"
    assert (first["latitude"], first["longitude"]) == pytest.approx((35 + 50 / 60, -90.5), abs=1e-6)
    assert first["occurred_from"] == datetime(2014, 7, 4, 13, tzinfo=UTC)
    assert (first["offence_code"], first["offence_group"], first["reversal"]) == ("051111", "burglary", False)
    assert (reversal["reversal"], reversal["incident_key"]) == (True, first["incident_key"])
    assert (unplaced["latitude"], unplaced["location_precision"], unplaced["reversal"]) == (
        None,
        "none",
        False,
    )
    if layout != ST_LOUIS_18:  # without complaint numbers a second row of the same words is a second incident
        assert same_code["incident_key"] == first["incident_key"] == key("st_louis", "14-000001|051111")
    else:
        assert delivery.accepted["incident_key"].n_unique() == 3


def test_police_uk_is_known_to_the_month_and_keyed_by_what_it_says(tmp_path: Path) -> None:
    header = "Crime ID,Month,Reported by,Falls within,Longitude,Latitude,Location,LSOA code,LSOA name,"
    header += "Crime type,Context\n"
    theft = "abc,2014-05,A,A,-0.140035,51.589112,On or near High Street,E01,Camden 001A,Burglary,\n"
    nameless = theft.replace("abc", "").replace("Burglary", "Anti-social behaviour")
    elsewhere = nameless.replace("-0.140035,51.589112", ",")
    one = take(tmp_path, header + theft + nameless + nameless + elsewhere).accepted
    other = take(tmp_path, header + elsewhere + nameless + theft + nameless).accepted
    assert (
        one["occurred_from"].to_list() == [datetime(2014, 4, 30, 23, tzinfo=UTC)] * 4
    )  # British Summer Time
    assert one["time_precision"].to_list() == ["month"] * 4
    assert one["location_precision"].to_list() == ["snapped", "snapped", "snapped", "none"]
    assert one["offence_group"].to_list() == ["burglary"] + ["anti_social_behaviour"] * 3
    assert one["incident_key"].n_unique() == 4
    assert one["incident_key"][0] == key("police_uk", "abc")
    assert other["incident_key"].to_list() == [one["incident_key"][n] for n in (3, 1, 0, 2)]


def test_new_york_intervals(tmp_path: Path) -> None:
    text = (
        "incident_id,offence_type,occurred_from,occurred_to,latitude,longitude\n"
        "1,MOTOR VEHICLE THEFT,2014-01-31T22:00:00,2014-02-01T07:30:00,40.740061,-73.866212\n"
        "2,MOTOR VEHICLE THEFT,2014-07-31T22:00:00,,40.740061,-73.866212\n"
        "3,MOTOR VEHICLE THEFT,2014-07-31T22:00:00,2014-07-31T21:00:00,40.740061,-73.866212\n"
    )
    delivery = take(tmp_path, text)
    assert delivery.accepted.select("occurred_from", "occurred_to").rows() == [
        (datetime(2014, 2, 1, 3, tzinfo=UTC), datetime(2014, 2, 1, 12, 30, tzinfo=UTC)),
        (datetime(2014, 8, 1, 2, tzinfo=UTC), None),
        (datetime(2014, 8, 1, 2, tzinfo=UTC), datetime(2014, 8, 1, 1, tzinfo=UTC)),
    ]
    assert delivery.marks["to_before_from"] == 1


def test_washington_times_are_utc(tmp_path: Path) -> None:
    text = (
        "CCN,REPORT_DAT,SHIFT,METHOD,OFFENSE,BLOCK,START_DATE,END_DATE,LATITUDE,LONGITUDE\n"
        "24025,2024/02/20 11:08:25+00,DAY,OTHERS,THEFT F/AUTO,100 BLOCK,2024/02/19 03:00:00+00,"
        "2024/02/20 02:30:00+00,38.90,-77.03\n"
    )
    (row,) = take(tmp_path, text).accepted.iter_rows(named=True)
    assert row["occurred_from"] == datetime(2024, 2, 19, 3, tzinfo=UTC)
    assert row["occurred_to"] == datetime(2024, 2, 20, 2, 30, tzinfo=UTC)
    assert row["reported_at"] == datetime(2024, 2, 20, 11, 8, 25, tzinfo=UTC)
    assert (row["offence_group"], row["location_precision"]) == ("theft_from_vehicle", "area")


def test_vancouver_withholds_places_and_hours_on_purpose(tmp_path: Path) -> None:
    """UTM zone 10 has 123 W in its middle, at 500 km east."""
    text = (
        "TYPE,YEAR,MONTH,DAY,HOUR,MINUTE,HUNDRED_BLOCK,NEIGHBOURHOOD,X,Y\n"
        "Theft of Bicycle,2014,7,4,9,5,10XX X ST,Fairview,500000.0,5456789.1\n"
        "Offence Against a Person,2014,12,4,,,OFFSET,,0.0,0.0\n"
        "Theft of Bicycle,2014,7,4,9,5,10XX X ST,Fairview,500000.0,5456789.1\n"
    )
    bicycle, person, again = take(tmp_path, text).accepted.iter_rows(named=True)
    assert bicycle["occurred_from"] == datetime(2014, 7, 4, 16, 5, tzinfo=UTC)
    assert bicycle["longitude"] == pytest.approx(-123, abs=1e-6)
    assert 49.2 < bicycle["latitude"] < 49.3
    assert (person["latitude"], person["time_precision"]) == (None, "day")
    assert person["occurred_from"] == datetime(2014, 12, 4, tzinfo=UTC)  # the date, in the home's calendar
    assert len({bicycle["incident_key"], person["incident_key"], again["incident_key"]}) == 3


def test_contract_in_british_national_grid(tmp_path: Path) -> None:
    """A test point of the Ordnance Survey for OSTN15, on St Mary's, Isles of Scilly, to two metres."""
    text = (
        "reference,offence_code,occurred_from,easting,northing,recorded_at,reported_by,setting,location_precision\n"
        "1,burglary dwelling,2014-03-30T01:30,91492.146,11318.804,2014-03-31 09:00,Police,INDOOR,point\n"
        "2,burglary,2014-10-26T01:30,,,not a time,neighbour,,\n"
        "3,burglary,2014-10-26T01:30+01:00,91492.146,11318.804,,,,\n"
    )
    delivery = take(tmp_path, text)
    first, second, third = delivery.accepted.iter_rows(named=True)
    assert (first["latitude"], first["longitude"]) == pytest.approx((49.92226394, -6.29977752), abs=7e-5)
    assert (first["occurred_from"], first["time_precision"]) == (
        datetime(2014, 3, 30, 1, 30, tzinfo=UTC),
        "hour",
    )
    assert first["recorded_at"] == datetime(2014, 3, 31, 8, tzinfo=UTC)
    assert (first["reported_by"], first["setting"]) == ("police", "indoor")
    assert (second["occurred_from"], second["time_precision"]) == (
        datetime(2014, 10, 26, 0, 30, tzinfo=UTC),
        "hour",
    )
    assert (second["recorded_at"], second["reported_by"], second["setting"]) == (None, "unknown", "unknown")
    assert (third["occurred_from"], third["time_precision"]) == (
        datetime(2014, 10, 26, 0, 30, tzinfo=UTC),
        "minute",
    )
    assert {name: count for name, count in delivery.marks.items() if count} == {
        "clock_skipped": 1, "clock_doubled": 1, "unplaced": 1, "record_time_unusable": 1, "word_unknown": 1,
    }  # fmt: skip


def test_a_header_is_recognised_whatever_its_case_and_order(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text(" LONGITUDE ,latitude,MONTH,crime id,Crime Type,anything\n", encoding="utf-8")
    assert recognise(path).kind.name == "police_uk"

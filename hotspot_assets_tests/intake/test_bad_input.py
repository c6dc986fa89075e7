"""Every kind of bad input: a reason code or a clear refusal, and nothing good is lost."""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path

import polars as pl
import pytest

from hotspot_assets.intake import reading, records
from hotspot_assets.intake.reading import UnreadableDelivery
from hotspot_assets_tests.intake.deliveries import COLUMNS, line, read, reasons, rows_with, table

GOOD_THREE = table(line(1), line(2), line(3))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"\n\r\n  \n", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (gzip.compress(b""), "empty"),
        (gzip.compress(GOOD_THREE * 50)[:-20], "damaged or cut short"),
        (gzip.compress(GOOD_THREE * 50)[:40], "damaged or cut short"),
        (b"\x1f\x8b", "damaged or cut short"),
        (b"PK\x03\x04 no zip at all", "damaged or cut short"),
        (b"PAR1 no parquet at all PAR1", "delivery.csv"),
        (b"\xff\xfe" + "reference,offence_code\n".encode("utf-16-le"), "UTF-16"),
        (b"\x00\x01\x02\x03" * 100, "no text"),
        (b"a,b,c\n1,2,3\n", "no format has the columns"),
        (b"Dear colleague, please find attached the figures.\n", "no format has the columns"),
    ],
)  # fmt: skip
def test_files_that_are_refused_as_a_whole(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(UnreadableDelivery, match=message):
        read(tmp_path, content)


def test_a_header_without_rows_is_a_delivery_of_nothing(tmp_path: Path) -> None:
    delivery = read(tmp_path, table())
    assert (delivery.rows_read, delivery.accepted.height, delivery.rejected.height) == (0, 0, 0)


def test_a_truncated_gzip_gives_no_rows_at_all(tmp_path: Path) -> None:
    """Not even those before the cut: a delivery is taken as a whole or not at all."""
    many = table(*(line(n) for n in range(50_000)))
    packed = gzip.compress(many)
    assert read(tmp_path, packed).rows_read == 50_000
    with pytest.raises(UnreadableDelivery, match="cut short"):
        read(tmp_path, packed[: len(packed) // 2])


def test_a_line_too_long_for_a_table_is_refused_without_reading_on(tmp_path: Path) -> None:
    giant = b"x" * (reading.LONGEST_RECORD_BYTES + 1)
    with pytest.raises(UnreadableDelivery, match="a line longer than 4 MB"):
        read(tmp_path, giant)
    with pytest.raises(UnreadableDelivery, match="a line longer than 4 MB"):
        read(tmp_path, GOOD_THREE + giant)


def test_a_record_too_long_is_rejected_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "LONGEST_RECORD_BYTES", 200)
    delivery = read(tmp_path, table(line(1), line(2, offence_code="x" * 300), line(3)))
    assert reasons(delivery) == [(3, "malformed_row")]
    assert delivery.accepted["line"].to_list() == [2, 4]


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"reference": ""}, "missing_reference"),
        ({"occurred_from": ""}, "bad_time"),
        ({"occurred_from": "yesterday"}, "bad_time"),
        ({"occurred_from": "2015-02-30T10:00:00"}, "bad_time"),
        ({"occurred_from": "02/03/2015 10:30"}, "ambiguous_date_format"),
        ({"occurred_from": "1900-01-01T00:00:00"}, "before_earliest"),
        ({"occurred_from": "1989-12-31T23:59:59"}, "before_earliest"),
        ({"occurred_from": "2015-06-02T12:00:01+00:00"}, "in_future"),
        ({"occurred_from": "2051-03-02T10:30:00"}, "in_future"),
        ({"offence_code": "ZZ9"}, "unknown_offence"),
        ({"offence_code": ""}, "unknown_offence"),
        ({"latitude": "51.5x"}, "bad_coordinate"),
        ({"latitude": ""}, "bad_coordinate"),
        ({"latitude": "inf"}, "bad_coordinate"),
        ({"latitude": "0", "longitude": "0"}, "coordinates_zero"),
        ({"latitude": "0.0", "longitude": "-0.000"}, "coordinates_zero"),
        ({"latitude": "-0.104321", "longitude": "51.501234"}, "coordinates_swapped"),
        ({"latitude": "53.480950", "longitude": "-2.237430"}, "outside_extent"),
        ({"latitude": "151.501234"}, "outside_extent"),
    ],
)
def test_rows_that_are_rejected_with_a_reason(tmp_path: Path, values: dict[str, str], reason: str) -> None:
    delivery = read(tmp_path, rows_with(**values))
    assert reasons(delivery) == [(3, reason)]
    assert delivery.accepted["line"].to_list() == [2, 4]


@pytest.mark.parametrize(
    "bad",
    [
        line(2) + ",one more",
        line(2).rsplit(",", 1)[0],
        "R2",
        '"' + line(2),
        line(2).replace("BURGLARY", '"BURGLARY'),
        line(2).replace("BURGLARY", 'BURG"LARY",'),
    ],
)
def test_rows_of_another_width_or_with_stray_quotes_leave_their_neighbours_alone(
    tmp_path: Path, bad: str
) -> None:
    for packed in (table(line(1), bad, line(3), line(4)), table(line(1), line(3), line(4), bad)):
        delivery = read(tmp_path, packed)
        assert delivery.rows_read == 4
        assert delivery.rejected["reason"].to_list() == ["malformed_row"]
        assert delivery.accepted.height == 3


def test_a_stray_quote_at_the_end_spoils_its_own_field_only(tmp_path: Path) -> None:
    assert reasons(read(tmp_path, table(line(1), line(2) + '"', line(3)))) == [(3, "bad_coordinate")]


def test_the_edge_of_what_is_taken_is_taken(tmp_path: Path) -> None:
    first = line(1, occurred_from="1990-01-01T00:00:00")
    last = line(2, occurred_from="2015-06-02T12:00:00+00:00")
    corner = line(3, latitude="51.8", longitude="0.4")
    assert reasons(read(tmp_path, table(first, last, corner))) == []


def test_duplicate_references_are_accepted_and_share_a_key(tmp_path: Path) -> None:
    """Which of them counts is found out when the delivery is compared with what is known."""
    keys = read(tmp_path, table(line(1), line(2), line(1), line(1))).accepted["incident_key"]
    assert keys[0] == keys[2] == keys[3] != keys[1]


def test_rows_left_out_are_counted_and_leave_no_trace(tmp_path: Path) -> None:
    header = ",".join((*COLUMNS, "domestic"))
    rows = [f"{line(1)},true", f"{line(2)},false", f"{line(3, offence_code='DRUGS')},", f"{line(4)},"]
    delivery = read(tmp_path, table(*rows, header=header), excluded_groups=frozenset({"drugs"}))
    assert delivery.accepted["line"].to_list() == [3, 5]
    assert delivery.rejected.height == 0
    assert dict(delivery.excluded) == {"domestic_flag": 1, "drugs": 1}


def test_too_few_decimals_make_an_area_of_a_point(tmp_path: Path) -> None:
    places = [("51.5", "-0.1"), ("51.50", "-0.12"), ("51.501", "-0.123"), ("51.5", "-0.123456"), ("", "")]
    rows = [line(n, latitude=lat, longitude=lng) for n, (lat, lng) in enumerate(places)]
    precision = read(tmp_path, table(*rows)).accepted["location_precision"].to_list()
    assert precision == ["area", "area", "snapped", "point", "none"]


def test_ways_to_write_the_same_three_rows(tmp_path: Path) -> None:
    expected = read(tmp_path, GOOD_THREE).accepted
    assert expected.height == 3
    text = GOOD_THREE.decode()
    quoted = "\n".join(",".join(f'"{field}"' for field in row.split(",")) for row in text.splitlines())
    wrapped = "\n".join('"' + row.replace('"', '""') + '"' for row in text.splitlines())
    twice = "\n".join('"' + row.replace('"', '""') + '"' for row in quoted.splitlines())
    spaced = "\n\n".join(text.splitlines())
    ways = {
        "BOM": b"\xef\xbb\xbf" + GOOD_THREE,
        "CRLF": text.replace("\n", "\r\n").encode(),
        "old line ends": text.replace("\n", "\r").encode(),
        "no last line end": GOOD_THREE.rstrip(),
        "quoted": quoted.encode(),
        "wrapped in one more pair of quotes": wrapped.encode(),
        "quoted and wrapped": twice.encode(),
        "semicolons": text.replace(",", ";").encode(),
        "tabs": text.replace(",", "\t").encode(),
        "padded": text.replace(",", " , ").encode(),
        "capital header": text.replace("reference", "Reference ").encode(),
        "gzip": gzip.compress(GOOD_THREE),
        "two gzip members": gzip.compress(GOOD_THREE[:100]) + gzip.compress(GOOD_THREE[100:]),
        "zip": zipped({"data.csv": GOOD_THREE}),
        "empty lines": spaced.encode(),
    }
    for name, content in ways.items():
        delivery = read(tmp_path, content)
        same = delivery.accepted.drop("line").equals(expected.drop("line"))
        assert same, name
        lines = [3, 5, 7] if name == "empty lines" else [2, 3, 4]
        assert delivery.accepted["line"].to_list() == lines, name


def zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def test_a_zip_of_several_files_or_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableDelivery, match="holds 2 files"):
        read(tmp_path, zipped({"a.csv": GOOD_THREE, "b.csv": GOOD_THREE}))
    with pytest.raises(UnreadableDelivery, match="holds 0 files"):
        read(tmp_path, zipped({}))
    broken = bytearray(zipped({"a.csv": GOOD_THREE * 100}))
    broken[60:90] = bytes(30)
    with pytest.raises(UnreadableDelivery, match="damaged"):
        read(tmp_path, bytes(broken))


def test_windows_1252_is_read_as_such(tmp_path: Path) -> None:
    content = table(f"{line(1)},gekl\xe4rt", f"{line(2)},\x93open\x94", header=",".join((*COLUMNS, "status")))
    written = content.decode().replace("\x93", "“").replace("\x94", "”").encode("cp1252")
    assert read(tmp_path, written).accepted["status"].to_list() == ["geklärt", "“open”"]
    assert read(tmp_path, content.decode().encode("utf-8")).accepted["status"][0] == "geklärt"


def test_parquet_means_the_same_as_csv(tmp_path: Path) -> None:
    expected = read(tmp_path, GOOD_THREE).accepted
    typed = pl.read_csv(GOOD_THREE, try_parse_dates=True)
    assert typed.schema["latitude"] == pl.Float64()
    for frame in (typed, typed.cast(pl.String), typed.cast({"reference": pl.Categorical()})):
        buffer = io.BytesIO()
        frame.write_parquet(buffer)
        assert read(tmp_path, buffer.getvalue()).accepted.drop("line").equals(expected.drop("line"))
    assert read(tmp_path, buffer.getvalue()).accepted["line"].to_list() == expected["line"].to_list()


def test_a_quoted_field_may_hold_line_ends_and_separators(tmp_path: Path) -> None:
    header = ",".join((*COLUMNS, "status"))
    rows = [f'{line(1)},"open,\nsince ""May"""', f"{line(2)},closed"]
    delivery = read(tmp_path, table(*rows, header=header))
    assert delivery.accepted.select("line", "status").rows() == [(2, 'open,\nsince "May"'), (4, "closed")]


def test_a_column_that_stands_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableDelivery, match="'latitude' stands there twice"):
        read(tmp_path, table(f"{line(1)},51.5", header=",".join((*COLUMNS, "latitude"))))


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    from hotspot_assets.intake.delivery import read_delivery
    from hotspot_assets_tests.intake.deliveries import options

    with pytest.raises(UnreadableDelivery, match="cannot be read"):
        read_delivery(tmp_path, options())
    with pytest.raises(UnreadableDelivery, match="cannot be read"):
        read_delivery(tmp_path / "missing.csv", options())

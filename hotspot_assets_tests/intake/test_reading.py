"""Compression, encodings, line ends and damage of delivered files."""

from __future__ import annotations

import gzip
import io
import math
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hotspot_assets.intake.delivery import read_delivery
from hotspot_assets.intake.reading import LONGEST_RECORD_BYTES, UnreadableDelivery, read_header
from hotspot_assets_tests.intake.handmade import GOOD, HEADER, options, table, take, texts, written

TEXT = table(GOOD, GOOD.replace("A1", "A2"))
STATUS_HEADER = HEADER + ",status"


def wrapped(text: str) -> str:
    """Every row in one more pair of quotes."""
    return "".join('"' + row.replace('"', '""') + '"\n' for row in text.splitlines())


WRAPPED = wrapped(TEXT)
QUOTED = "".join(",".join(f'"{field}"' for field in row.split(",")) + "\n" for row in TEXT.splitlines())


def refused(folder: Path, content: str | bytes, name: str = "delivery.csv") -> str:
    """Why a file is not taken."""
    path = written(folder, content, name)
    with pytest.raises(UnreadableDelivery) as caught:
        read_delivery(path, options())
    return str(caught.value)


def zipped(*members: tuple[str, str]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return packed.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        TEXT,
        TEXT.rstrip("\n"),
        TEXT.replace("\n", "\r\n"),
        TEXT.replace("\n", "\r"),
        "\ufeff" + TEXT,
        "\n\n" + TEXT,
        gzip.compress(TEXT.encode()),
        gzip.compress(TEXT[:90].encode()) + gzip.compress(TEXT[90:].encode()),
        zipped(("a.csv", TEXT)),
        zipped(("folder/", ""), ("folder/a.csv", TEXT), ("__MACOSX/folder/._a.csv", "rubbish")),
        TEXT.replace(",", ";"),
        TEXT.replace(",", "\t"),
        TEXT.replace(",", "|"),
        TEXT.replace("reference", '"reference"').replace("A1", '"A1"'),
        TEXT.upper(),
        TEXT.replace(",", " , "),
        WRAPPED,
        wrapped(QUOTED),
    ],
    ids=[
        *(
            "plain",
            "no last line end",
            "CRLF",
            "CR",
            "byte-order mark",
            "blank lines first",
            "gzip",
            "two gzips",
        ),
        *("zip", "zip of a Mac", "semicolons", "tabs", "bars", "quotes", "capitals", "padded"),
        *("wrapped", "quoted and wrapped"),
    ],
)
def test_the_same_table_in_many_guises(tmp_path: Path, content: str | bytes) -> None:
    read = take(tmp_path, content)
    assert (read.format, read.rows_read, read.accepted.height) == ("contract", 2, 2)
    plain = take(tmp_path, TEXT)
    assert read.accepted.drop("line", "offence_code").equals(plain.accepted.drop("line", "offence_code"))


def test_lines_are_those_of_the_file(tmp_path: Path) -> None:
    read = take(tmp_path, "\n" + HEADER + "\r\n\r\n" + GOOD + "\r\n  \r\nA2,burglary,never,51.5,-0.1\r\n\r\n")
    assert texts(read.accepted, "line") == [(4,)]
    assert texts(read.rejected, "line", "reason") == [(6, "bad_time")]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["an LF at the very end", "CRLF", "CR"])
def test_line_ends_that_change_in_a_large_file_lose_no_row(tmp_path: Path, end: str) -> None:
    """The header is looked for in the first 64 KB, rows in 32 MB: both must see the same lines."""
    many = [GOOD.replace("A1", f"A{number}") for number in range(3000)]
    old = "\r".join([HEADER, *many])
    assert len(old) > 64 << 10
    read = take(tmp_path, old + end + end.join(GOOD.replace("A1", f"B{number}") for number in range(3)) + end)
    assert (read.accepted.height, read.rejected.height) == (3003, 0)
    quoted = old + "\r" + GOOD.replace("A1", '"A\nB"') + "\r"
    read = take(tmp_path, quoted)
    assert read.accepted.height + read.rejected.height == 3001
    assert read.accepted.height >= 3000


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
def test_letters_of_both_encodings(tmp_path: Path, encoding: str) -> None:
    content = table("Ä1£,burglary,2014-06-02,51.5,-0.1,geklärt", header=STATUS_HEADER).encode(encoding)
    read = take(tmp_path, content)
    assert read.accepted["status"].to_list() == ["geklärt"]
    in_ascii = take(tmp_path, table("Ä1£,burglary,2014-06-02,51.5,-0.1,geklärt", header=STATUS_HEADER))
    assert read.accepted["incident_key"].equals(in_ascii.accepted["incident_key"])


def test_a_stray_byte_changes_no_other_letter(tmp_path: Path) -> None:
    rows = table("Ä1,burglary,2014-06-02,51.5,-0.1,x", header=STATUS_HEADER).encode()
    read = take(tmp_path, rows + b"A2,burglary,2014-06-02,51.5,-0.1,gekl\xe4rt\x81\n")
    clean = take(tmp_path, rows)
    assert read.accepted["status"].to_list() == ["x", "geklärt\ufffd"]
    assert read.accepted["incident_key"][0] == clean.accepted["incident_key"][0]


def test_an_empty_file(tmp_path: Path) -> None:
    assert "is empty" in refused(tmp_path, "")
    assert "is empty" in refused(tmp_path, "\n \r\n")
    assert "is empty" in refused(tmp_path, gzip.compress(b""))


def test_a_header_without_rows_is_a_delivery_of_none(tmp_path: Path) -> None:
    for content in (HEADER, HEADER + "\n", HEADER + "\r\n\r\n"):
        read = take(tmp_path, content)
        assert (read.rows_read, read.accepted.height) == (0, 0)


def test_a_truncated_gzip(tmp_path: Path) -> None:
    packed = gzip.compress((TEXT + "".join(f"{GOOD[1:]}{n}\n" for n in range(9999))).encode())
    for cut in (5, 100, len(packed) // 2, len(packed) - 4):
        assert "damaged or cut short" in refused(tmp_path, packed[:cut])


def test_damaged_and_locked_zips(tmp_path: Path) -> None:
    packed = bytearray(zipped(("a.csv", TEXT * 50)))
    assert "damaged" in refused(tmp_path, bytes(packed[:-30]))
    packed[60] ^= 0xFF
    assert "damaged" in refused(tmp_path, bytes(packed))
    locked = bytearray(zipped(("a.csv", TEXT)))
    locked[6] |= 1
    locked[locked.index(b"PK\x01\x02") + 8] |= 1
    assert "encrypted" in refused(tmp_path, bytes(locked))


def test_zips_that_hold_something_else(tmp_path: Path) -> None:
    assert "holds 2 files" in refused(tmp_path, zipped(("a.csv", TEXT), ("b.csv", TEXT)))
    assert "holds 0 files" in refused(tmp_path, zipped())
    assert "Office" in refused(tmp_path, zipped(("[Content_Types].xml", ""), ("xl/a.xml", "")))


def test_what_is_no_text(tmp_path: Path) -> None:
    assert "UTF-16" in refused(tmp_path, TEXT.encode("utf-16"))
    assert "UTF-32" in refused(tmp_path, TEXT.encode("utf-32"))
    assert "no text" in refused(tmp_path, b"\x7fELF\x02\x01\x01\x00\x00" + TEXT.encode())
    assert "Parquet" in refused(tmp_path, gzip.compress(b"PAR1" + b"x" * 99))


def test_a_file_that_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(UnreadableDelivery, match="cannot be read"):
        read_delivery(tmp_path, options())
    with pytest.raises(UnreadableDelivery, match="cannot be read"):
        read_delivery(tmp_path / "gone.csv", options())


def test_a_line_of_two_gigabytes_is_refused_without_reading_it(tmp_path: Path) -> None:
    sixteen_mb = gzip.compress(b"x" * (16 << 20))
    header = gzip.compress((HEADER + "\n").encode())
    message = refused(tmp_path, header + sixteen_mb * 128)
    assert "a line longer than 4 MB" in message
    assert "a line longer than 4 MB" in refused(tmp_path, sixteen_mb * 128)


def test_a_line_of_five_megabytes_among_others(tmp_path: Path) -> None:
    long = f'A2,burglary,2014-06-02,51.5,-0.1,"{"x" * (LONGEST_RECORD_BYTES + 9)}"'
    read = take(tmp_path, table(GOOD + ",", long, GOOD + ",", header=STATUS_HEADER))
    assert (read.rows_read, read.accepted.height) == (3, 2)
    assert texts(read.rejected, "line", "reason", "detail") == [
        (3, "malformed_row", "a record longer than 4 MB")
    ]


def test_the_header_tells_the_separator(tmp_path: Path) -> None:
    assert read_header(written(tmp_path, 'a;"b, c";d\n')).names == ("a", "b, c", "d")
    assert read_header(written(tmp_path, '"a,b,""c d"""\n"1,2,3"\n')).names == ("a", "b", "c d")


def test_a_file_without_a_header_is_refused_without_quoting_it(tmp_path: Path) -> None:
    message = refused(tmp_path, "John Smith,1 High Street,1980-01-01\nJane Doe,2 High Street,1981-01-01\n")
    assert "no format has the columns" in message
    assert "Smith" not in message
    assert "High" not in message


def test_the_nearest_format_is_named_with_what_it_lacks(tmp_path: Path) -> None:
    message = refused(tmp_path, "Reference,offence_code,occurred_from,latitude,lng\n")
    assert "Nearest is contract, but there is no longitude." in message


def test_a_column_twice(tmp_path: Path) -> None:
    assert "'latitude' stands there twice" in refused(
        tmp_path, table(GOOD + ",1", header=HEADER + ",latitude")
    )
    read = take(tmp_path, table(GOOD + ",1,2,3", header=HEADER + ",extra,extra,"))
    assert read.accepted.height == 1
    assert len(read.columns_ignored) == 3


def test_parquet(tmp_path: Path) -> None:
    moments = pl.Series(["2014-06-02 12:30", "2014-10-26 01:30"]).str.to_datetime()
    frame = pl.DataFrame(
        {
            "shift": ["night", "late"],
            "reference": [17, 18],
            "offence_code": pl.Series(["burglary", "robbery"], dtype=pl.Categorical),
            "occurred_from": moments,
            "recorded_at": moments.dt.offset_by("1d").dt.replace_time_zone("UTC"),
            "latitude": [51.50123, None],
            "longitude": [-0.12345, None],
        }
    )
    path = tmp_path / "delivery.parquet"
    frame.write_parquet(path)
    read = read_delivery(path, options())
    assert read.accepted["recorded_at"].to_list() == frame["recorded_at"].to_list()
    rows = frame.with_columns(pl.col("recorded_at").dt.strftime("%Y-%m-%dT%H:%M:%SZ")).write_csv()
    assert read.accepted.equals(take(tmp_path, rows).accepted)
    assert (read.rows_read, read.marks["unplaced"], read.marks["clock_doubled"]) == (2, 1, 1)


def test_parquet_with_zones_of_fixed_offset(tmp_path: Path) -> None:
    """+05:30 is a zone of its own in a Parquet file; a moment is the same in each."""
    moments = [datetime(2014, 6, 2, 12, 30, tzinfo=UTC), None]
    rows = {
        "reference": ["a", "b"],
        "offence_code": ["burglary"] * 2,
        "latitude": [51.5] * 2,
        "longitude": [0.1] * 2,
    }
    for zone in ("+05:30", "-07:00", "Asia/Kolkata", "UTC"):
        zoned = pa.array(moments, pa.timestamp("us", zone))
        path = tmp_path / "delivery.parquet"
        pq.write_table(pa.table({**rows, "occurred_from": [moments[0]] * 2, "recorded_at": zoned}), path)
        assert read_delivery(path, options()).accepted["recorded_at"].to_list() == moments


def test_numbers_that_parquet_holds_as_floats_are_those_of_a_csv(tmp_path: Path) -> None:
    """A column of whole numbers becomes one of floats where a row has none, and some write that as not a number."""
    path = tmp_path / "delivery.parquet"
    rows = {
        "offence_code": ["burglary"] * 3,
        "occurred_from": ["2014-06-02 12:30"] * 3,
        "latitude": [51.50123, math.nan, 51.0],
        "longitude": [-0.12345, math.nan, 0.0],
    }
    references = {"floats": [17.0, 18.5, 2.0**60], "text": ["17", "18.5", str(2.0**60)]}
    found = []
    for reference in references.values():
        pl.DataFrame({"reference": reference, **rows}).write_parquet(path)
        read = read_delivery(path, options())
        found.append(read.accepted)
        assert (read.accepted.height, read.marks["unplaced"]) == (3, 1)
    assert found[0].equals(found[1])


def test_damaged_parquet(tmp_path: Path) -> None:
    path = tmp_path / "delivery.parquet"
    pl.DataFrame({name: ["x"] * 1000 for name in HEADER.split(",")}).write_parquet(path)
    whole = path.read_bytes()
    for content in (whole[:-1], whole[: len(whole) // 2], b"PAR1" + whole[400:], b"PAR1"):
        assert "cannot be read" in refused(tmp_path, content) or "Parquet" in refused(tmp_path, content)


def test_parquet_with_nested_columns(tmp_path: Path) -> None:
    columns = {name: ["x"] for name in HEADER.split(",")}
    path = tmp_path / "delivery.parquet"
    pl.DataFrame({**columns, "extra": [{"victim_name": "x"}]}).write_parquet(path)
    with pytest.raises(UnreadableDelivery, match="deliver flat ones"):
        read_delivery(path, options())

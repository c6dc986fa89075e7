"""Records: what is a row, what is none, and that no fault swallows a neighbour."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hotspot_assets.intake.reading import read_header, read_pieces
from hotspot_assets.intake.records import Columns, split_records, unique_names
from hotspot_assets_tests.intake.handmade import written

Rows = list[tuple[str | None, ...]]


def split(path: Path, piece_bytes: int = 1 << 20) -> tuple[Rows, list[tuple[int, str]], list[int]]:
    """Rows, lines that are none, and the lines of the rows."""
    header = read_header(path)
    names = unique_names(header.names)
    columns = Columns(names, header.separator, names)
    rows: Rows = []
    bad: list[tuple[int, str]] = []
    lines: list[int] = []
    for piece in read_pieces(path, piece_bytes):
        chunk = split_records(piece, columns)
        rows += chunk.rows.drop("line").rows()
        lines += chunk.rows["line"].to_list()
        bad += chunk.malformed.rows()
    return rows, bad, lines


@pytest.mark.parametrize(
    ("body", "rows", "bad"),
    [
        ("1,2,3\n4,5\n6,7,8,9\n,,\n", [("1", "2", "3"), (None, None, None)], [3, 4]),
        ('"x ""q"" y",2,"a,b"\n', [('x "q" y', "2", "a,b")], []),
        ('1,"two\nlines",3\n4,5,6\n', [("1", "two\nlines", "3"), ("4", "5", "6")], []),
        ('1,"a\n\nb",3\n"c\nd",5,"e\nf"\n', [("1", "a\nb", "3"), ("c\nd", "5", "e\nf")], []),
        ('1,"open,3\n4,5,6\n7,8,9\n', [("4", "5", "6"), ("7", "8", "9")], [2]),
        ('1,"open,3\n4,5,6\n7,"open,9\n8,8,8\n', [("4", "5", "6"), ("8", "8", "8")], [2, 4]),
        ('1,"open\n4,5,6\nshut",3\n', [("4", "5", "6")], [2, 4]),
        ('1,"a,b\n4,5,6\nc",3\n7,8,9\n', [("4", "5", "6"), ("7", "8", "9")], [2, 4]),
        ('5" pipe,2,3\n4,5,6\n', [('5" pipe', "2", "3"), ("4", "5", "6")], []),
        ('5" by 6",2,3\n', [('5" by 6"', "2", "3")], []),
        ('a "b, c" d,2,3\n', [], [2]),
        ('"a"b,2,3\n4,5,6\n', [("4", "5", "6")], [2]),
        ('1,"open,3\n5,"two\nlines",6\n', [("5", "two\nlines", "6")], [2]),
        ('"two\nlines",2,3\n', [("two\nlines", "2", "3")], []),
        ('"1,2,3"\n"4,""5, five"",6"\n7,8,9\n', [("1", "2", "3"), ("4", "5, five", "6"), ("7", "8", "9")], []),
        ("1,2,3\n\n   \n4,5,6\n\n", [("1", "2", "3"), ("4", "5", "6")], []),
        ("1,2,3\r\n4,5,\r\n", [("1", "2", "3"), ("4", "5", None)], []),
    ],
)  # fmt: skip
def test_records(tmp_path: Path, body: str, rows: Rows, bad: list[int]) -> None:
    found, malformed, _ = split(written(tmp_path, "a,b,c\n" + body))
    assert found == rows
    assert [line for line, _ in malformed] == bad


def test_details_say_what_is_wrong(tmp_path: Path) -> None:
    _, malformed, _ = split(written(tmp_path, 'a,b,c\n1,2\n1,"2,3\n'))
    assert malformed == [
        (2, "2 fields where the header has 3"),
        (3, "a quote is not closed, or stands within a field"),
    ]


def test_a_whole_file_in_one_more_pair_of_quotes(tmp_path: Path) -> None:
    body = "".join(f'"{n},""x, {n}"",{n}"\n' for n in range(999))
    found, malformed, lines = split(written(tmp_path, '"a,b,c"\n' + body))
    assert found == [(str(n), f"x, {n}", str(n)) for n in range(999)]
    assert malformed == []
    assert lines == list(range(2, 1001))


FIELD = st.text(alphabet='ab1 ,;"\n\té£', max_size=6)
TABLE = st.lists(st.tuples(FIELD, FIELD, FIELD, st.just("z")), min_size=1, max_size=30)


@given(rows=TABLE, piece_bytes=st.integers(40, 400), line_end=st.sampled_from(["\n", "\r\n"]))
@settings(max_examples=60)
def test_what_a_csv_writer_writes_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, ...]], piece_bytes: int, line_end: str
) -> None:
    """Whatever the fields hold, wherever the pieces end; against the csv module of Python."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator=line_end, quoting=csv.QUOTE_ALL)
    writer.writerows([("a", "b", "c", "d"), *rows])
    path = written(tmp_path_factory.mktemp("csv"), text.getvalue())
    found, malformed, _ = split(path, piece_bytes)
    in_quotes = [tuple(row) for row in csv.reader(io.StringIO(text.getvalue(), newline=""))][1:]
    kept = [tuple(_without_blank_lines(field) for field in row) for row in in_quotes]
    assert malformed == []
    assert [tuple(_without_blank_lines(field or "") for field in row) for row in found] == kept


def _without_blank_lines(text: str) -> str:
    """A blank line within a field is dropped where a record is put together line by line."""
    lines = text.replace("\r\n", "\n").split("\n")
    return "\n".join(line for line in lines if line.strip(" \t"))


@given(
    faults=st.lists(st.sampled_from(["1,2", "1,2,3,4", '1,"2,3', 'x"y"z,"2,3']), max_size=6),
    positions=st.lists(st.integers(0, 60), min_size=6, max_size=6),
    piece_bytes=st.integers(30, 500),
)
@settings(max_examples=60)
def test_faulty_lines_cost_nothing_but_themselves(
    tmp_path_factory: pytest.TempPathFactory, faults: list[str], positions: list[int], piece_bytes: int
) -> None:
    good = [f"{n},row,{n}" for n in range(60)]
    lines = list(good)
    for fault, position in zip(faults, positions, strict=False):
        lines.insert(position, fault)
    path = written(tmp_path_factory.mktemp("csv"), "\n".join(("a,b,c", *lines)) + "\n")
    found, malformed, numbers = split(path, piece_bytes)
    assert [",".join(map(str, row)) for row in found] == good
    assert len(malformed) == len(faults)
    assert sorted([*numbers, *(line for line, _ in malformed)]) == list(range(2, len(lines) + 2))


def test_pieces_join_to_the_same_rows(tmp_path: Path) -> None:
    body = "".join(f'{n},"text {n}\nmore, and ""more""",{n}\n' for n in range(500))
    path = written(tmp_path, "a,b,c\n" + body)
    whole = split(path)
    assert len(whole[0]) == 500
    assert all(split(path, size) == whole for size in (700, 5000))


def test_names_are_told_apart() -> None:
    assert unique_names(["a", "", "a", "b", "", "a#3"]) == ("a", "#2", "a#3", "b", "#5", "a#3#6")


def test_a_column_alone(tmp_path: Path) -> None:
    found, malformed, _ = split(written(tmp_path, "a\n1\n2\n\n"))
    assert (found, malformed) == ([("1",), ("2",)], [])
    assert pl.DataFrame(found, orient="row").height == 2

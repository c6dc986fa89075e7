"""St. Louis 2014, month by month: reversals against a count of complaint and crime code in the files."""

from __future__ import annotations

import calendar
from pathlib import Path

import polars as pl
import pytest

from hotspot_assets.intake.content import ACCEPTED_SCHEMA, empty_versions
from hotspot_assets.intake.versions import Counts, compare
from hotspot_assets_tests.intake.rows import DEFAULT_ROW, facts, sum_of_rows


@pytest.fixture(scope="module")
def months(shared_data: Path) -> list[pl.DataFrame]:
    paths = [shared_data / f"st_louis/stl_{month}2014.csv.gz" for month in calendar.month_name[1:]]
    files = [pl.read_csv(path, infer_schema=False, encoding="utf8-lossy") for path in paths]
    return [file.with_columns(pl.col("Complaint", "Crime", "Count").str.strip_chars()) for file in files]


def accepted(month: pl.DataFrame) -> pl.DataFrame:
    given = {
        "incident_key": pl.concat_str("Complaint", "Crime", separator=" "),
        "line": pl.int_range(2, pl.len() + 2),
        "offence_code": pl.col("Crime"),
        "status": pl.col("DateOccur"),
        "reversal": pl.col("Count") == "-1",
    }
    plain = {name: pl.lit(DEFAULT_ROW.get(name), dtype=kind) for name, kind in ACCEPTED_SCHEMA.items()}
    return month.select(**(plain | given))


def take_in(months: list[pl.DataFrame]) -> tuple[pl.DataFrame, list[Counts]]:
    known, counts = empty_versions(), []
    for seq, month in enumerate(months, start=1):
        comparison = compare(accepted(month), known, facts(seq))
        assert sum_of_rows(comparison) == month.height
        counts.append(comparison.counts)
        known = pl.concat([known, comparison.versions]).unique(
            "incident_key", keep="last", maintain_order=True
        )
    return known, counts


def test_matched_and_unmatched_reversals_equal_a_plain_count(months: list[pl.DataFrame]) -> None:
    known, counts = take_in(months)
    seen: set[tuple[str, str]] = set()
    taken_back: set[tuple[str, str]] = set()
    for month, count in zip(months, counts, strict=True):
        pairs = {
            sign: set(month.filter(pl.col("Count") == sign).select("Complaint", "Crime").rows())
            for sign in ("1", "-1")
        }
        reversals = pairs["-1"] - taken_back
        assert count.rows_new == len(pairs["1"] - seen)
        assert count.reversals_unmatched == len(reversals - pairs["1"] - seen)
        assert count.rows_reversed == len(reversals)
        seen |= pairs["1"]
        taken_back |= pairs["-1"]
    assert known.filter(~pl.col("closed")).height == len(seen - taken_back)
    assert sum(count.rows_reversed for count in counts) == len(taken_back) == 582
    assert sum(count.reversals_unmatched for count in counts) == len(taken_back - seen) == 59


def test_reversals_that_come_first_meet_their_originals(months: list[pl.DataFrame]) -> None:
    """The year delivered backwards ends with the same incidents open."""
    forwards, _ = take_in(months)
    backwards, counts = take_in(months[::-1])
    late = sum(count.reversals_matched_late for count in counts)
    assert sum(count.reversals_unmatched for count in counts) - late == 59
    last: dict[str, dict[tuple[str, str], int]] = {"1": {}, "-1": {}}
    for number, month in enumerate(months):
        for complaint, crime, sign in month.select("Complaint", "Crime", "Count").rows():
            last[sign][complaint, crime] = number
    assert late == sum(last["1"].get(pair, 99) < number for pair, number in last["-1"].items()) == 229
    still_open = [set(known.filter(~pl.col("closed"))["incident_key"]) for known in (forwards, backwards)]
    assert still_open[0] == still_open[1]

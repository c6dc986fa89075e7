"""Detectors against a corpus of column names and values, hostile and benign."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from hotspot_assets.intake.contract import check_columns, check_values
from hotspot_assets.intake.detectors import forbidden_header, forbidden_value
from hotspot_assets.intake.formats.contract import CONTRACT_COLUMNS
from hotspot_assets.intake.reading import UnreadableDelivery

NOW = datetime(2015, 5, 1, tzinfo=UTC)


def corpus(name: str) -> list[str]:
    lines = (Path(__file__).parent / f"corpus_{name}.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line]


def test_the_corpus_is_as_large_as_promised() -> None:
    hostile = {*corpus("hostile_headers"), *corpus("hostile_values")}
    assert len(hostile) >= 150
    assert len(set(corpus("benign_headers"))) >= 500


def test_no_hostile_header_is_accepted() -> None:
    assert [name for name in corpus("hostile_headers") if forbidden_header(name) is None] == []


def test_no_hostile_header_is_accepted_however_it_is_written() -> None:
    """Upper case, lower case, spaces for underscores and back, a number behind it."""
    ways = (str.upper, str.lower, lambda name: name.replace(" ", "_"), lambda name: f" {name}_2 ")
    written = {way(name) for name in corpus("hostile_headers") for way in ways}
    missed = [name for name in written if forbidden_header(name) is None]
    assert len(missed) <= 0.01 * len(written), missed


def test_hardly_a_benign_header_is_rejected() -> None:
    names = corpus("benign_headers")
    rejected = [name for name in names if forbidden_header(name) is not None]
    assert len(rejected) <= 0.02 * len(names), rejected


def test_the_contract_passes_its_own_detectors() -> None:
    assert [name for name in CONTRACT_COLUMNS if forbidden_header(name) is not None] == []


@pytest.mark.parametrize("value", corpus("hostile_values"))
def test_hostile_values_are_found_alone_and_among_others(value: str) -> None:
    assert forbidden_value(pl.Series([value]), NOW) is not None
    among = pl.Series(
        [None, "", "BURGLARY", "closed", "4A", "Theft From Vehicle", "open", "17", "none", value]
    )
    assert forbidden_value(among, NOW) is not None


@pytest.mark.parametrize(
    "values",
    [
        ["BURGLARY", "Theft, Other", "ASSAULT W/DANGEROUS WEAPON", "MOTOR VEHICLE THEFT - $500 AND UNDER"],
        ["HX218162", "14-018154", "12386084", "2412345/14", "42CR/12345/19"],
        ["closed", "under investigation", "Status update unavailable", "Offender sent to prison"],
        ["2014-05-01", "2014-05-02", "2015-04-30"],
        ["2014-05-01T23:59:00", "2014-05-01 08:00"],
        ["530123", "180456.5", "51.50735", "-0.12776", "0", "-1"],
        ["true", "false", "Y", "N", "1"],
        ["Camden Town", "Kensington And Chelsea", "Barking and Dagenham 001A", "On or near High Street"],
        ["E01000027", "E09000002", "W05000123", "8a194ad32167fff"],
        ["OTHER OFFENCE AGAINST THE STATE OR PUBLIC ORDER WITHOUT ANY MORE PRECISE CLASSIFICATION"] * 40,
        ["0d9c4bac29d6f3b1482a227b8127a03db92997df95e5f050447c12ef2596033f"],
    ],
)  # fmt: skip
def test_harmless_values_pass(values: list[str]) -> None:
    assert forbidden_value(pl.Series(values), NOW) is None


def test_one_address_of_e_mail_in_a_thousand_rows_is_found() -> None:
    values = [f"code {number}" for number in range(150)] * 7
    assert forbidden_value(pl.Series(values), NOW) is None
    assert forbidden_value(pl.Series([*values, "jane.doe@example.com"]), NOW) == "e-mail addresses"


def test_messages_name_the_column_and_no_value() -> None:
    with pytest.raises(UnreadableDelivery, match=r"x\.csv: the column 'SuspDOB' .* may not be held"):
        check_columns("x.csv", ["reference", "SuspDOB"])
    with pytest.raises(UnreadableDelivery, match="'extra'") as caught:
        check_values("x.csv", pl.DataFrame({"extra": ["jane.doe@example.com"]}), NOW)
    assert "jane" not in str(caught.value)
    with pytest.raises(UnreadableDelivery, match="column 1") as caught:
        check_columns("x.csv", ["victim jane.doe@example.com"])
    assert "jane" not in str(caught.value)

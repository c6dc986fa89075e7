"""Bad input, one counted case each, among good rows that are all kept."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from hotspot_assets.intake.delivery import batches_of, read_delivery, recognise
from hotspot_assets.intake.formats.contract import CONTRACT_COLUMNS
from hotspot_assets.intake.formats.contract import FORMAT as CONTRACT
from hotspot_assets.intake.offences import DEFAULT_EXCLUDED_GROUPS, GROUPS, POLICE_GENERATED, UNFIT
from hotspot_assets.intake.reading import UnreadableDelivery
from hotspot_assets.intake.reasons import REASONS
from hotspot_assets_tests.intake.handmade import (
    GOOD,
    HEADER,
    KEY,
    marks,
    only,
    options,
    reasons,
    table,
    take,
    texts,
    written,
)

LONDON = (51.2, -0.6, 51.8, 0.4)

BAD_ROWS = {
    "malformed_row": ["A2,burglary,2014-06-02,51.5", "A2,burglary,2014-06-02,51.50123,-0.12345,1", 'A2,"burglary'],
    "missing_reference": [",burglary,2014-06-02,51.50123,-0.12345", ",,,,"],
    "bad_time": [
        "A2,burglary,,51.50123,-0.12345",
        "A2,burglary,2014-02-30,51.50123,-0.12345",
        "A2,burglary,2014-06-02T25:00,51.50123,-0.12345",
        "A2,burglary,NULL,51.50123,-0.12345",
        "A2,burglary,last week,51.50123,-0.12345",
    ],
    "ambiguous_date_format": [
        "A2,burglary,02/06/2014,51.50123,-0.12345",
        "A2,burglary,2.6.2014 12:30,51.50123,-0.12345",
        "A2,burglary,2 June 2014,51.50123,-0.12345",
    ],
    "before_earliest": [
        "A2,burglary,1900-01-01,51.50123,-0.12345",
        "A2,burglary,1989-12-31T23:59,51.50123,-0.12345",
        "A2,burglary,0014-06-02,51.50123,-0.12345",
    ],
    "in_future": ["A2,burglary,2016-01-02T00:01,51.50123,-0.12345", "A2,burglary,9999-12-31,51.50123,-0.12345"],
    "unknown_offence": ["A2,ZZ99,2014-06-02,51.50123,-0.12345", "A2,,2014-06-02,51.50123,-0.12345"],
    "bad_coordinate": ["A2,burglary,2014-06-02,51.50123,", "A2,burglary,2014-06-02,north,west"],
    "coordinates_zero": ["A2,burglary,2014-06-02,0,0"],
    "coordinates_swapped": ["A2,burglary,2014-06-02,-0.12345,51.50123"],
    "outside_extent": ["A2,burglary,2014-06-02,52.50123,-0.12345", "A2,burglary,2014-06-02,99,-0.12345"],
}  # fmt: skip


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_is_counted_and_costs_no_other_row(tmp_path: Path, reason: str) -> None:
    bad = BAD_ROWS[reason]
    good = [GOOD.replace("A1", f"G{n}") for n in range(3)]
    read = take(tmp_path, table(good[0], *bad[:1], good[1], *bad[1:], good[2]), extent=LONDON)
    assert reasons(read) == {reason: len(bad)}
    assert (read.rows_read, read.accepted.height) == (len(bad) + 3, 3)
    assert read.accepted["line"].to_list() == [2, 4, len(bad) + 4]


def test_the_first_rule_broken_is_the_reason(tmp_path: Path) -> None:
    read = take(tmp_path, table("A2,ZZ99,1900-01-01,0,0", "A3,ZZ99,2014-06-02,0,0"))
    assert read.rejected["reason"].to_list() == ["before_earliest", "unknown_offence"]


def test_rejected_rows_keep_the_allowed_fields_only(tmp_path: Path) -> None:
    long = "x" * 41
    header = HEADER + ",status"
    read = take(
        tmp_path, table("A2,ZZ99,2014-06-02,51.5,-0.1,x", f"A3,{long},2014-06-02,51.5,-0.1,x", header=header)
    )
    moment = datetime(2014, 6, 1, 23, tzinfo=UTC)
    assert read.rejected.drop("detail").rows() == [
        (2, "unknown_offence", "ZZ99", moment, 51.5, -0.1),
        (3, "unknown_offence", None, moment, 51.5, -0.1),
    ]
    assert set(read.rejected["detail"]) == {REASONS["unknown_offence"]}


def test_the_limits_of_time_themselves_are_taken(tmp_path: Path) -> None:
    rows = ("A1,burglary,1990-01-01,51.50123,-0.12345", "A2,burglary,2016-01-02T00:00,51.50123,-0.12345")
    assert take(tmp_path, table(*rows)).accepted.height == 2
    assert reasons(take(tmp_path, table(*rows), earliest=date(1990, 1, 2))) == {"before_earliest": 1}
    in_chicago = take(tmp_path, table(rows[0]), zone="America/Chicago")
    assert only(in_chicago)["occurred_from"] == datetime(1990, 1, 1, 6, tzinfo=UTC)


def test_repeated_references_are_left_to_the_comparison(tmp_path: Path) -> None:
    read = take(tmp_path, table(GOOD, GOOD, GOOD.replace("burglary", "robbery")))
    assert (read.accepted.height, read.accepted["incident_key"].n_unique()) == (3, 1)


def test_every_column_of_the_contract(tmp_path: Path) -> None:
    values = {
        "reference": "A1",
        "offence_code": "28E",
        "offence_group": "Vehicle Theft",
        "occurred_from": "2014-06-02T22:00:00+01:00",
        "occurred_to": "2014-06-03T06:00:00+01:00",
        "reported_at": "2014-06-03T07:00:00+01:00",
        "recorded_at": "2014-06-03T07:30:00+01:00",
        "modified_at": "2014-07-01T09:00:00+01:00",
        "status": "under investigation",
        "latitude": "51.50123",
        "longitude": "-0.12345",
        "location_precision": "Snapped",
        "reported_by": "police",
        "setting": "indoor",
        "domestic": "false",
    }
    found = only(take(tmp_path, table(",".join(values.values()), header=",".join(values))))
    assert {**values, "easting": "", "northing": ""}.keys() == CONTRACT_COLUMNS.keys()
    assert len(found.pop("incident_key")) == 32
    assert found == {
        "line": 2,
        "offence_code": "28E",
        "offence_group": "vehicle_theft",
        "occurred_from": datetime(2014, 6, 2, 21, tzinfo=UTC),
        "occurred_to": datetime(2014, 6, 3, 5, tzinfo=UTC),
        "time_precision": "minute",
        "reported_at": datetime(2014, 6, 3, 6, tzinfo=UTC),
        "recorded_at": datetime(2014, 6, 3, 6, 30, tzinfo=UTC),
        "modified_at": datetime(2014, 7, 1, 8, tzinfo=UTC),
        "status": "under investigation",
        "latitude": 51.50123,
        "longitude": -0.12345,
        "location_precision": "snapped",
        "reported_by": "police",
        "setting": "indoor",
        "reversal": False,
    }


TIMES_HEADER = HEADER + ",occurred_to,reported_at,recorded_at,modified_at"


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ("2014-06-02T11:00,,,", {"to_before_from": 1}),
        ("soon,,,", {"occurred_to_unusable": 1}),
        ("2019-01-01,,,", {"occurred_to_unusable": 1}),
        (",1900-01-01,,", {"record_time_unusable": 1}),
        (",,2016-02-01,", {"record_time_unusable": 1}),
        (",,,tomorrow", {"record_time_unusable": 1}),
        (",2014-06-02,2014-06-01T13:00,2014-06-02", {}),
    ],
)
def test_other_times_mark_a_row_and_do_not_reject_it(
    tmp_path: Path, times: str, expected: dict[str, int]
) -> None:
    read = take(tmp_path, table(f"{GOOD},{times}", header=TIMES_HEADER))
    assert marks(read) == expected
    found = only(read)
    if "to_before_from" in expected:
        assert found["occurred_to"] == datetime(2014, 6, 2, 10, tzinfo=UTC)
    elif expected:
        assert [found[name] for name in TIMES_HEADER.split(",")[5:]] == [None] * 4


def test_words_outside_the_contract_claim_nothing(tmp_path: Path) -> None:
    header = HEADER + ",location_precision,reported_by,setting"
    read = take(tmp_path, table(f"{GOOD},exact,mayor,boat", f"{GOOD},,,", header=header))
    assert texts(read.accepted, "location_precision", "reported_by", "setting") == [
        ("area", "unknown", "unknown"),
        ("point", "unknown", "unknown"),
    ]
    assert marks(read) == {"word_unknown": 1}


def test_excluded_rows_leave_a_count_and_nothing_else(tmp_path: Path) -> None:
    header = HEADER + ",domestic"
    rows = (
        f"{GOOD},no",
        f"{GOOD},true",
        f"{GOOD},perhaps",
        f"{GOOD.replace('burglary', 'stalking')},",
        f"{GOOD.replace('burglary', 'stalking')},yes",
        "A1,drugs,1900-01-01,0,0,",
        "A1,burglary,1900-01-01,0,0,yes",
    )
    groups = DEFAULT_EXCLUDED_GROUPS
    read = take(tmp_path, table(*rows, header=header), excluded_groups=groups)
    assert read.excluded == {"domestic_flag": 4, "stalking": 1, "drugs": 1}
    assert (read.rows_excluded, read.accepted.height, read.rejected.height) == (6, 1, 0)
    kept = take(tmp_path, table(*rows, header=header), exclude_domestic=False)
    assert (kept.excluded, kept.accepted.height, kept.rejected.height) == ({}, 5, 2)


def test_what_is_off_by_default() -> None:
    named = {"sexual", "domestic", "stalking", "modern_slavery", "drugs", "weapons", "public_order"}
    assert named <= DEFAULT_EXCLUDED_GROUPS <= GROUPS
    assert not UNFIT & POLICE_GENERATED
    assert not DEFAULT_EXCLUDED_GROUPS & {
        "burglary",
        "robbery",
        "theft",
        "vehicle_theft",
        "violence",
        "battery",
    }


@pytest.mark.parametrize("group", sorted(GROUPS))
def test_every_group_is_a_code_in_plain_words(tmp_path: Path, group: str) -> None:
    spoken = group.replace("_", " ").title()
    assert only(take(tmp_path, table(GOOD.replace("burglary", spoken))))["offence_group"] == group


def test_forbidden_columns_and_values_refuse_the_whole_file(tmp_path: Path) -> None:
    with pytest.raises(UnreadableDelivery, match="'Victim Surname'"):
        take(tmp_path, table(f"{GOOD},x", header=HEADER + ",Victim Surname"))
    with pytest.raises(UnreadableDelivery, match="'status'") as caught:
        take(tmp_path, table(f"{GOOD},x", f"{GOOD},jane.doe@example.com", header=HEADER + ",status"))
    assert "jane" not in str(caught.value)


def test_neither_reference_nor_key_is_in_what_comes_out(tmp_path: Path) -> None:
    read = take(tmp_path, table(GOOD.replace("A1", "CR/12345/14"), "CR/999/14,ZZ99,2014-06-02,51.5,-0.1"))
    everything = read.accepted.write_csv() + read.rejected.write_csv()
    assert "CR/" not in everything
    assert KEY.decode() not in everything


def test_batches_are_the_delivery_in_pieces(tmp_path: Path) -> None:
    rows = [GOOD.replace("A1", f"A{n}") for n in range(500)] + ["B1,burglary,never,51.5,-0.1"] * 9
    path = written(tmp_path, table(*rows))
    batches = list(batches_of(recognise(path), options(), piece_bytes=2000))
    whole = read_delivery(path, options())
    assert len(batches) > 5
    assert all(
        b.rows_read == b.accepted.height + b.rejected.height + sum(b.excluded.values()) for b in batches
    )
    assert sum(b.rows_read for b in batches) == whole.rows_read == 509
    in_pieces = read_delivery(path, options(), piece_bytes=2000)
    assert in_pieces.accepted.equals(whole.accepted)
    assert in_pieces.rejected.equals(whole.rejected)


def test_an_operators_mapping_goes_before_the_shipped_formats(tmp_path: Path) -> None:
    own = CONTRACT.__class__(
        name="own",
        source="own",
        layouts=CONTRACT.layouts,
        offences={"BURGLARY": "robbery"},
        known_public=False,
    )
    read = take(tmp_path, table(GOOD), mappings=(own,))
    assert (read.format, only(read)["offence_group"]) == ("own", "robbery")

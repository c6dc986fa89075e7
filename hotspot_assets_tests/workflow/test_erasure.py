"""Erased means gone: from tables, older states of the lake, files, logs; and it stays gone."""

from __future__ import annotations

import shutil
import sqlite3
import struct
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path

import dagster as dg
import polars as pl
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from hotspot_assets.assurance.ledger import verify
from hotspot_assets.defs.operate import instance_of
from hotspot_assets.intake.keys import incident_keys
from hotspot_assets.settings import Settings, load_settings
from hotspot_assets.warehouse import audits
from hotspot_assets.warehouse.chain import export_lines
from hotspot_assets.warehouse.erasure import erase, unreplayable
from hotspot_assets.warehouse.lake import Stamp
from hotspot_assets.warehouse.weights import append_entries
from hotspot_assets.workflow.bucketing import entries_of_delivery
from hotspot_assets.workflow.deliveries import Declaration, take_in
from hotspot_assets.workflow.erasure import (
    FilesWait,
    NothingToErase,
    erase_incident,
    erase_key,
    erase_period,
    period,
)
from hotspot_assets.workflow.replay import CannotReplay, replay
from hotspot_assets.workflow.traces import Needles

from .homes import SOURCE, deliver, forecast, home_in, lake_of, row, town

STAMP = Stamp("tester", "erasing")
REFERENCE = "BX-48213/77Q"
AT = datetime(
    2020, 1, 1, 3, 33, 33, tzinfo=UTC
)  # before all others, and further north and east: it stands in
FIRST_PLACE, SECOND_PLACE = (51.612345, -0.012345), (51.623456, -0.023456)  # every statistic of its tables
LATER = datetime(2020, 2, 2, 4, 44, 44, tzinfo=UTC)
DAYS = (date(2020, 3, 5), date(2020, 3, 6), date(2020, 3, 7))


def key_of(settings: Settings, reference: str = REFERENCE) -> str:
    return incident_keys(pl.Series([reference]), SOURCE, settings.source_key()).item()


def deliveries_with_the_incident() -> dict[str, list[tuple[str, ...]]]:
    """First delivered, then moved, then rejected for its code."""
    rows = town()
    return {
        "first.csv": [*rows, row(REFERENCE, AT, *FIRST_PLACE)],
        "second.csv": [*rows[:40], row(REFERENCE, AT, *SECOND_PLACE)],
        "third.csv": [*rows[40:60], row(REFERENCE, AT, *SECOND_PLACE, code="no such code")],
    }


@pytest.fixture
def settings(full_home: Path, tmp_path: Path) -> Settings:
    """A copy of the full home that a test may change."""
    shutil.copytree(full_home, tmp_path / "home")
    return load_settings({"HOTSPOT_HOME": str(tmp_path / "home")})


@pytest.fixture(scope="module")
def full_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose every corner holds one incident: tables, old states, files, pages, Dagster's history."""
    settings = home_in(tmp_path_factory.mktemp("full"))
    for name, rows in deliveries_with_the_incident().items():
        deliver(settings, name, rows)
    unreadable = settings.landing / "unreadable.csv"
    unreadable.write_text(f"what,is,this\n{REFERENCE},{AT.isoformat()},{FIRST_PLACE[0]}\n", encoding="utf-8")
    lake = lake_of(settings)
    assert take_in(lake, settings, unreadable, Declaration(), STAMP).set_aside
    lake.close()
    forecast(settings, DAYS[0], DAYS[-1])
    write_page(settings, DAYS[0])
    leave_parts(settings, rows=deliveries_with_the_incident()["first.csv"])
    log_in_dagster(settings, f"incident {key_of(settings)} of {REFERENCE} stands twice")
    return settings.home


def write_page(settings: Settings, day: date) -> Path:
    page = settings.outputs / day.isoformat() / "why" / "area-1.html"
    page.parent.mkdir(parents=True)
    page.write_text(f"<p>{AT.isoformat()} {FIRST_PLACE[0]} {key_of(settings)}</p>", encoding="utf-8")
    (settings.outputs / day.isoformat() / "map.png").write_bytes(b"a map")
    return page


def leave_parts(settings: Settings, rows: list[tuple[str, ...]]) -> None:
    """What a killed intake leaves of a large file."""
    folder = settings.cache / "intake-killed"
    folder.mkdir(parents=True)
    pl.DataFrame(rows, orient="row").write_parquet(folder / "0.accepted.parquet")


def log_in_dagster(settings: Settings, text: str) -> None:
    @dg.op
    def tells(context) -> None:  # type: ignore[no-untyped-def]
        context.log.error(text)
        context.add_output_metadata({"found": text})
        print(text)

    @dg.job
    def tells_too_much() -> None:
        tells()

    with instance_of(settings) as instance:
        assert tells_too_much.execute_in_process(instance=instance, tags={"about": text}).success


def places_of(
    home: Path, texts: list[str], numbers: list[float], moments: list[datetime]
) -> set[tuple[str, str]]:
    """Files that hold one of these, as (what, file): bytes of every file, and every value of every Parquet file."""
    micros = [int(moment.timestamp() * 1_000_000) for moment in moments]
    needles = {text: text.encode() for text in texts}
    needles |= {str(number): str(number).encode() for number in numbers}
    needles |= {f"double {number}": struct.pack("<d", number) for number in numbers}
    needles |= {str(moment): f"{moment:%H:%M:%S}".encode() for moment in moments}
    needles |= {f"micros {number}": struct.pack("<q", number) for number in micros}
    found = set()
    for path in (each for each in home.rglob("*") if each.is_file()):
        content = path.read_bytes()
        found |= {(what, path.name) for what, needle in needles.items() if needle in content}
        if path.suffix == ".parquet":
            frame = pl.read_parquet(path)
            found |= {(what, path.name) for what in values_of(frame) & {*texts, *numbers, *micros}}  # type: ignore[misc]
    return found


def values_of(frame: pl.DataFrame) -> set[object]:
    values: set[object] = set()
    for column in frame.get_columns():
        if column.dtype.is_temporal() and column.dtype != pl.Date:
            column = column.dt.timestamp("us")
        values |= set((column.explode() if column.dtype == pl.List else column).to_list())
    return values


def everything_of_it(settings: Settings) -> set[tuple[str, str]]:
    places = [*FIRST_PLACE, *SECOND_PLACE]
    return places_of(settings.home, [REFERENCE, key_of(settings)], places, [AT])


def test_after_an_erasure_a_byte_scan_of_the_home_finds_nothing_but_the_tombstone(settings: Settings) -> None:
    key = key_of(settings)
    before = everything_of_it(settings)
    assert {what for what, _ in before} >= {REFERENCE, key, *map(str, (*FIRST_PLACE, *SECOND_PLACE)), str(AT)}
    assert {"first.csv", "unreadable.csv", "area-1.html", "catalog.sqlite", "runs.db"} <= {
        file for _, file in before
    }
    lake = lake_of(settings)
    done = erase_incident(lake, settings, SOURCE, REFERENCE, STAMP)
    assert (done.rows.incidents.height, done.rows.versions, done.rows.rejected_rows) == (1, 2, 1)
    assert done.delivered_files == 4  # its source's three and the one set aside
    assert (done.pages, done.blackened > 0) == (1, True)
    lake.close()
    left = everything_of_it(settings)
    assert {what for what, _ in left} <= {key}
    files = {file for _, file in left}
    tombstone = lake.read("FROM ducklake_list_files('lake', 'incidents', schema => 'hotspot')")[
        "data_file"
    ].to_list()
    assert files - {"catalog.sqlite"} == {Path(path).name for path in tombstone}
    assert tables_of_the_catalog_that_hold(settings, key) <= {
        "ducklake_file_column_stats",
        "ducklake_table_column_stats",
    }
    (row,) = lake.read("SELECT * FROM incidents WHERE incident_key = ?", [key]).to_dicts()
    assert (row["reasons"], row["closed"], row["latitude"], row["offence_code"]) == (
        ["erased"],
        True,
        None,
        "erased",
    )
    assert (settings.outputs / DAYS[0].isoformat() / "map.png").exists()
    with instance_of(settings) as instance:  # what was blackened can still be read
        (run,) = instance.get_runs()
        assert key not in str(run.tags)
        assert len(instance.all_logs(run.run_id)) > 5


def tables_of_the_catalog_that_hold(settings: Settings, text: str) -> set[str]:
    with closing(sqlite3.connect(settings.home / "lake" / "catalog.sqlite")) as catalog:
        tables = [name for (name,) in catalog.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {
            table for table in tables if text in str(catalog.execute(f'SELECT * FROM "{table}"').fetchall())
        }


def test_the_ledger_says_what_was_erased_and_not_which(settings: Settings) -> None:
    lake = lake_of(settings)
    done = erase_key(lake, settings, key_of(settings), STAMP)
    lines = list(export_lines(lake))
    assert verify(lines).holds
    entries = lake.read("SELECT subject, facts FROM ledger WHERE kind = 'erasure' ORDER BY sequence").rows()
    assert [subject for subject, _ in entries] == [
        "one incident of contract",
        "files that held one incident of contract",
    ]
    assert f'"forecasts_not_replayable":{done.rows.forecasts.height}' in entries[0][1]
    assert key_of(settings) not in "".join(lines)


@pytest.mark.parametrize("order", [("first.csv", "second.csv"), ("second.csv", "first.csv")])
def test_no_later_delivery_in_any_order_brings_it_back(settings: Settings, order: tuple[str, str]) -> None:
    lake = lake_of(settings)
    erase_incident(lake, settings, SOURCE, REFERENCE, STAMP)
    lake.close()
    files = deliveries_with_the_incident()
    same_bytes = deliver(settings, "first.csv", files["first.csv"])
    assert same_bytes.again and same_bytes.discarded
    for name in order:
        other_bytes = deliver(settings, f"again-{name}", [*files[name], row(f"NEW-{name}", LATER)])
        assert (other_bytes.counts["rows_new"], other_bytes.counts["rows_amended"]) == (1, 0)
        assert other_bytes.discarded
    left_out = deliver(settings, "left-out.csv", [row(REFERENCE, AT, code="sexual"), row("NEW-4", LATER)])
    assert left_out.discarded  # a row that is not taken names it all the same
    harmless = deliver(settings, "harmless.csv", [row("NEW-3", LATER)])
    assert not harmless.discarded
    lake = lake_of(settings)
    versions = lake.read("SELECT reasons FROM incidents WHERE incident_key = ?", [key_of(settings)])
    assert versions["reasons"].to_list() == [["erased"]]
    assert (
        lake.read("SELECT count(*) FROM hexagon_incidents WHERE incident_key = ?", [key_of(settings)]).item()
        == 0
    )
    lake.close()
    assert {what for what, _ in everything_of_it(settings)} <= {key_of(settings)}
    for look in (
        audits.deliveries_that_do_not_add_up,
        audits.doubled_versions,
        audits.rejected_rows_missing,
        audits.broken_weights,
        audits.closed_but_weighing,
    ):
        assert look(lake).is_empty(), look.__name__


def test_an_erasure_that_was_cut_short_is_finished_when_asked_for_again(settings: Settings) -> None:
    lake = lake_of(settings)
    key = key_of(settings)
    erase_by_transaction_only(settings)
    assert "first.csv" in {file for _, file in everything_of_it(settings)}
    again = erase_incident(lake, settings, SOURCE, REFERENCE, STAMP)
    assert (again.rows.incidents.height, again.delivered_files) == (0, 4)
    lake.close()
    assert {what for what, _ in everything_of_it(settings)} <= {key}


def erase_by_transaction_only(settings: Settings) -> None:
    from hotspot_assets.warehouse.erasure import Target

    lake = lake_of(settings)
    erase(lake, Target(incident_key=key_of(settings), source=SOURCE), datetime.now(UTC), STAMP)
    lake.close()


def test_forecasts_that_read_it_are_named_and_refuse_a_replay_and_the_others_replay(tmp_path: Path) -> None:
    settings = home_in(tmp_path)
    late = datetime(2020, 3, 6, 10, 0, 7, tzinfo=UTC)
    deliver(settings, "first.csv", [*town(), row(REFERENCE, late)])
    headers = forecast(settings, DAYS[0], DAYS[-1])
    lake = lake_of(settings)
    stored = lake.read("SELECT * FROM proximity_scores ORDER BY forecast_date, rank")
    done = erase_incident(lake, settings, SOURCE, REFERENCE, STAMP)
    assert done.rows.forecasts["forecast_date"].to_list() == [DAYS[2]]
    assert unreplayable(lake)["forecast_id"].to_list() == headers["forecast_id"].to_list()[2:]
    assert "2020-03-07 to 2020-03-07" in done.lines()[-1]
    for day in DAYS[:2]:
        assert replay(lake, settings, day).sort("rank").equals(stored.filter(pl.col("forecast_date") == day))
    with pytest.raises(CannotReplay, match="erased"):
        replay(lake, settings, DAYS[2])
    assert lake.read("SELECT * FROM proximity_scores ORDER BY forecast_date, rank").equals(stored)
    remade = forecast(settings, DAYS[2], DAYS[2])
    assert remade["forecast_id"][0] not in headers["forecast_id"].to_list()  # a vintage of its own
    assert remade["delivery_seq"][0] == done.rows.delivery_seq
    again = lake.read("SELECT * FROM proximity_scores WHERE forecast_date = ? ORDER BY rank", [DAYS[2]])
    assert replay(lake, settings, DAYS[2]).sort("rank").equals(again)


def test_entries_made_before_an_erasure_and_written_after_it_leave_the_incident_out(tmp_path: Path) -> None:
    settings = home_in(tmp_path)
    deliver(settings, "first.csv", town(20))
    lake = lake_of(settings)
    path = settings.landing / "second.csv"
    path.write_text(
        "reference,offence_code,occurred_from,latitude,longitude\n"
        f"{REFERENCE},burglary,{AT.isoformat()},51.5,-0.1\nother,burglary,{AT.isoformat()},51.5,-0.1\n"
    )
    seq = take_in(lake, settings, path, Declaration(), Stamp("tester", "other")).row["delivery_seq"]
    made_before = list(entries_of_delivery(lake, settings, seq))
    erase_by_transaction_only(settings)
    append_entries(lake, lambda: made_before, seq, STAMP)
    added = lake.read("SELECT incident_key FROM hexagon_incidents WHERE delivery_seq = ?", [seq])[
        "incident_key"
    ]
    assert added.to_list() == [key_of(settings, "other")]


def test_a_period_goes_with_all_that_may_have_happened_in_it_and_only_that(tmp_path: Path) -> None:
    settings = home_in(tmp_path)
    first, last = date(2020, 2, 10), date(2020, 2, 12)
    cases = {  # reference: (from, to, whether it may be of these local days)
        "before": ("2020-02-09T23:59:59+00:00", "", False),
        "first moment": ("2020-02-10T00:00:00+00:00", "", True),
        "into it": ("2020-02-08T10:00:00+00:00", "2020-02-10T00:00:00+00:00", True),
        "around it": ("2020-02-01T10:00:00+00:00", "2020-02-20T00:00:00+00:00", True),
        "last second": ("2020-02-12T23:59:59+00:00", "", True),
        "after": ("2020-02-13T00:00:00+00:00", "", False),
        "ends before": ("2020-02-08T10:00:00+00:00", "2020-02-09T20:00:00+00:00", False),
    }
    rows = [(name, "burglary", start, end, "51.5", "-0.1") for name, (start, end, _) in cases.items()]
    deliver(settings, "first.csv", rows)
    lake = lake_of(settings)
    done = erase_period(lake, settings, first, last, None, STAMP)
    gone = {name for name in cases if key_of(settings, name) in done.rows.incidents["incident_key"].to_list()}
    assert gone == {name for name, (_, _, inside) in cases.items() if inside}
    open_keys = lake.read("SELECT incident_key FROM incidents WHERE NOT closed")["incident_key"].to_list()
    assert set(open_keys) == {key_of(settings, name) for name in cases.keys() - gone}
    again = erase_period(lake, settings, first, last, None, STAMP)
    assert again.rows.delivery_seq is None
    with pytest.raises(NothingToErase, match="2019"):
        erase_period(lake, settings, date(2019, 1, 1), date(2019, 1, 2), "another source", STAMP)


def test_an_incident_corrected_out_of_a_period_goes_with_it_unless_only_what_lies_wholly_in_it_shall(
    tmp_path: Path,
) -> None:
    settings = home_in(tmp_path)
    deliver(settings, "first.csv", [row(REFERENCE, AT)])
    deliver(settings, "second.csv", [row(REFERENCE, AT.replace(year=2021))])
    lake = lake_of(settings)
    day = AT.date()
    kept = erase(lake, period(settings, day, day, wholly=True), datetime.now(UTC), STAMP).result
    assert kept.delivery_seq is None
    assert erase(lake, period(settings, day, day), datetime.now(UTC), STAMP).result.versions == 2


def test_what_cannot_be_erased_is_said(tmp_path: Path) -> None:
    settings = home_in(tmp_path)
    deliver(settings, "first.csv", [row(REFERENCE, AT)])
    lake = lake_of(settings)
    with pytest.raises(NothingToErase, match="No incident"):
        erase_incident(lake, settings, SOURCE, "no such reference", STAMP)
    with pytest.raises(NothingToErase, match="32 digits"):
        erase_key(lake, settings, "abc", STAMP)
    (settings.landing / "waiting.csv").write_text("x")
    with pytest.raises(FilesWait, match=r"waiting\.csv"):
        erase_incident(lake, settings, SOURCE, REFERENCE, STAMP)
    assert lake.read("SELECT closed FROM incidents")["closed"].to_list() == [False]


KEYS = st.text("0123456789abcdef", min_size=32, max_size=32)
PLAIN = st.text("ghijkl -:,.{}\"'\n", max_size=12)


@hypothesis_settings(max_examples=200)
@given(st.lists(st.tuples(PLAIN, KEYS, st.booleans()), max_size=6), PLAIN)
def test_only_erased_keys_are_blackened_wherever_they_stand(
    parts: list[tuple[str, str, bool]], end: str
) -> None:
    wanted = frozenset(key for _, key, erased in parts if erased)
    text = "".join(f"{before}/{key}/" for before, key, _ in parts) + end
    expected = "".join(f"{before}/{'0' * 32 if key in wanted else key}/" for before, key, _ in parts) + end
    assert Needles(wanted).blackener()(text.encode()).decode() == expected

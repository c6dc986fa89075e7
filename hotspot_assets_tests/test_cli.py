"""The command line: what a mistake looks like to the person who made it, and what a command leaves behind."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from hotspot_assets.settings import PROJECT_ROOT, load_settings
from hotspot_assets.warehouse.lake import Lake, Stamp
from hotspot_assets.workflow.forecasts import make_forecasts

from .terminal import DAYS, FIRST, Terminal, assert_clear, contents, delivery, some_rows

SETTINGS = """\
[grid]
resolution = 9
[forecast]
model = "count_28"
groups = ["burglary"]
first_date = 2024-01-01
"""
FORECAST = date(2024, 2, 15)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home with one delivery, made by `hotspot import` in a process of its own, and one forecast."""
    folder = tmp_path_factory.mktemp("cli")
    home = folder / "home"
    home.mkdir()
    (home / "settings.toml").write_text(SETTINGS, encoding="utf-8")
    file = delivery(folder / "first.csv", some_rows())
    env = {name: value for name, value in os.environ.items() if not name.startswith(("HOTSPOT_", "DAGSTER_"))}
    done = subprocess.run(
        [sys.executable, "-c", "from hotspot_assets.cli import main; main()", "import", str(file)],
        cwd=PROJECT_ROOT, env={**env, "HOTSPOT_HOME": str(home), "PYTHONWARNINGS": "ignore"},
        capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert f"{3 * DAYS} rows (contract) = {3 * DAYS} new" in done.stdout
    settings = load_settings({"HOTSPOT_HOME": str(home)})
    lake = Lake(settings.warehouse, settings.data_path)
    (made,) = make_forecasts(lake, settings, FORECAST, FORECAST, Stamp("test", "cli"))
    assert made.rows > 0
    lake.close()
    yield home


@pytest.fixture
def terminal(
    filled: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Terminal:
    """A terminal whose home is a copy of the filled one."""
    shutil.copytree(filled, tmp_path / "home", ignore=shutil.ignore_patterns("dagster"))
    return Terminal(tmp_path / "home", capsys, monkeypatch)


@pytest.fixture
def fresh(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """A terminal whose home is not there yet."""
    return Terminal(tmp_path / "home", capsys, monkeypatch)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nonsense"], ["nonsense"]),
        (["import"], ["FILES"]),
        (["import", "a.csv", "--complete", "2024-01-01", "soon"], ["'soon' is no date", "2026-01-31"]),
        (["replay", "2024-02-30"], ["'2024-02-30' is no date"]),
        (["replay", "15/02/2024"], ["'15/02/2024' is no date"]),
        (["hindsight", "yesterday"], ["is no date"]),
        (
            ["explain", "8928308280fffff", "--date", "tomorrow", "--offence", "burglary"],
            ["'tomorrow' is no date"],
        ),
        (["explain", "8928308280fffff", "--offence", "burglary"], ["--date"]),
        (["run", "--days", "0"], ["--days"]),
        (["run", "--days", "many"], ["--days"]),
        (["serve", "--port", "70000"], ["--port"]),
        (["verify", "/no/such/ledger.jsonl"], ["/no/such/ledger.jsonl"]),
    ],
)
def test_a_mistyped_command_is_explained(fresh: Terminal, words: list[str], said: list[str]) -> None:
    assert_clear(fresh.type(*words), *said)
    assert not fresh.home.exists()


@pytest.mark.parametrize("options", [[], ["--dry-run"]])
def test_a_file_that_is_not_there_is_named(terminal: Terminal, options: list[str]) -> None:
    assert_clear(terminal.type("import", terminal.home / "nowhere.csv", *options), "nowhere.csv")


@pytest.mark.parametrize("options", [[], ["--dry-run"]])
def test_a_folder_in_the_place_of_a_file_is_named(terminal: Terminal, options: list[str]) -> None:
    folder = terminal.home / "folder.csv"
    folder.mkdir()
    assert_clear(terminal.type("import", folder, *options), "folder.csv")


def test_a_dry_run_of_a_file_with_unknown_columns_says_what_is_expected(
    terminal: Terminal, tmp_path: Path
) -> None:
    file = tmp_path / "unknown.csv"
    file.write_text("alpha,beta\n1,2\n", encoding="utf-8")
    assert_clear(terminal.type("import", file, "--dry-run"), "unknown.csv")


def test_a_file_with_unknown_columns_is_set_aside_with_a_reason_and_the_others_go_on(
    terminal: Terminal, tmp_path: Path
) -> None:
    bad = tmp_path / "unknown.csv"
    bad.write_text("alpha,beta\n1,2\n", encoding="utf-8")
    good = delivery(tmp_path / "good.csv", some_rows(FIRST + timedelta(days=DAYS), 2))
    ended = terminal.type("import", bad, good)
    assert ended.code == 1
    assert "unknown.csv: set aside." in ended.out
    assert "good.csv: 6 rows (contract) = 6 new" in ended.out
    assert "Traceback" not in ended.out + ended.err
    assert (terminal.home / "landing" / "set_aside" / "unknown.csv").exists()
    again = terminal.type("import", good)  # the same bytes once more
    assert again.code == 0
    assert "the same bytes came as delivery" in again.out
    assert "nothing changed" in again.out
    counted = terminal.lake.read(
        "SELECT count(*) AS rows, count(DISTINCT incident_key) AS keys FROM incidents"
    )
    assert counted.row(0) == (3 * DAYS + 6, 3 * DAYS + 6)
    amended = delivery(
        tmp_path / "amended.csv", [some_rows()[0].replace("51.5000", "51.6000"), some_rows()[1]]
    )
    assert "2 rows (contract) = 0 new, 1 amended, 1 unchanged" in terminal.type("import", amended).out


def test_a_period_that_ends_before_it_begins_is_refused(terminal: Terminal, tmp_path: Path) -> None:
    file = delivery(tmp_path / "more.csv", some_rows(FIRST, 1))
    before = terminal.lake.read("SELECT count(*) FROM incidents WHERE closed").item()
    ended = terminal.type("import", file, "--complete", "2024-03-01", "2024-01-01", "--dry-run")
    assert_clear(ended, "2024-03-01")
    assert terminal.lake.read("SELECT count(*) FROM incidents WHERE closed").item() == before


def test_a_file_counts_as_known_from_when_it_was_published(terminal: Terminal, tmp_path: Path) -> None:
    file = delivery(tmp_path / "more.csv", some_rows(FIRST + timedelta(days=DAYS), 1))
    assert_clear(terminal.type("import", file, "--published", "yesterday"), "'yesterday' is no moment")
    published = f"{FIRST + timedelta(days=DAYS + 2)}T12:00+02:00"
    assert terminal.type("import", file, "--published", published).code == 0
    newest = terminal.lake.read(
        "SELECT DISTINCT strftime(known_from AT TIME ZONE 'UTC', '%Y-%m-%d %H:%M') AS known_from, known_assumed"
        " FROM incidents WHERE delivery_seq = (SELECT max(delivery_seq) FROM incidents)"
    )
    assert newest.rows() == [(f"{FIRST + timedelta(days=DAYS + 2)} 10:00", False)]


def test_a_dry_run_counts_and_writes_nothing(terminal: Terminal, tmp_path: Path) -> None:
    file = delivery(
        tmp_path / "more.csv",
        [*some_rows(FIRST + timedelta(days=DAYS), 2), "z,burglary,1890-01-01,51.5,-0.1"],
    )
    terminal.lake.read("SELECT 1")
    before, snapshot = contents(terminal.home), terminal.lake.read("FROM ducklake_snapshots('lake')")
    ended = terminal.type("import", file, "--dry-run")
    assert ended.code == 0, ended.err
    assert "more.csv: 7 rows (contract) = 6 new, 0 amended, 0 unchanged, 1 rejected" in ended.out
    assert "rejected, " in ended.out
    assert contents(terminal.home) == before
    assert terminal.lake.read("FROM ducklake_snapshots('lake')").equals(snapshot)
    assert file.exists()


def test_a_dry_run_in_a_home_that_is_not_there_leaves_none(fresh: Terminal, tmp_path: Path) -> None:
    file = delivery(tmp_path / "first.csv", some_rows(FIRST, 2))
    ended = fresh.type("import", file, "--dry-run")
    assert ended.code == 0, ended.err
    assert "6 rows (contract) = 6 new" in ended.out
    assert not fresh.home.exists()


def test_settings_that_cannot_be_used_are_named(terminal: Terminal) -> None:
    settings = terminal.home / "settings.toml"
    settings.write_text(SETTINGS + "speed = 3\n", encoding="utf-8")
    for words in (
        ["sql", "SELECT 1"],
        ["run", "--no-serve"],
        ["import", "x.csv"],
        ["simulate"],
        ["replay", "2024-02-15"],
    ):
        assert_clear(terminal.type(*words), "settings.toml", "forecast.speed")
    settings.write_text("[forecast\n", encoding="utf-8")
    assert_clear(terminal.type("sql", "SELECT 1"), "settings.toml", "cannot be read")


def test_a_warehouse_that_is_no_lake_is_named(terminal: Terminal) -> None:
    terminal.set("HOTSPOT_WAREHOUSE", "incidents.duckdb")
    assert_clear(terminal.type("sql", "SELECT 1"), "HOTSPOT_WAREHOUSE", "incidents.duckdb")


def test_a_model_that_does_not_exist_is_named(terminal: Terminal) -> None:
    text = SETTINGS.replace("count_28", "oracle")
    (terminal.home / "settings.toml").write_text(text, encoding="utf-8")
    assert_clear(
        terminal.type("run", "--no-serve", "--days", "1"),
        "There is no model 'oracle'; choose one of count_28",
    )


@pytest.mark.parametrize("command", [["serve"], ["run"]])
def test_a_taken_port_is_named_before_anything_is_done(fresh: Terminal, command: list[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert_clear(fresh.type(*command, "--port", str(port)), str(port), "--port")
    assert not fresh.home.exists()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_to_is_named(terminal: Terminal) -> None:
    closed = terminal.home / "closed"
    closed.mkdir(mode=0o500)
    terminal.set("HOTSPOT_HOME", str(closed / "home"))
    for words in (["run", "--no-serve"], ["simulate"]):
        assert_clear(terminal.type(*words), str(closed))


@pytest.mark.parametrize(
    "words",
    [
        ["simulate"],
        ["run", "--no-serve"],
        ["sql", "SELECT 1"],
    ],
)
def test_a_home_that_is_a_file_is_named(fresh: Terminal, words: list[str]) -> None:
    fresh.home.write_text("", encoding="utf-8")
    assert_clear(fresh.type(*words), str(fresh.home))


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM incidents",
        "DROP TABLE incidents",
        "SELECT 1; DELETE FROM incidents",
        "COPY incidents TO 'incidents.csv'",
        "ATTACH 'other.db'",
        "CALL ducklake_expire_snapshots('lake')",
        "INSERT INTO incidents SELECT * FROM incidents",
        "SELEKT 1",
        "SELECT * FROM no_such_table",
        "SELECT no_such_column FROM incidents",
        "",
    ],
)
def test_sql_reads_and_does_nothing_else(terminal: Terminal, query: str) -> None:
    before = terminal.lake.read("FROM ducklake_snapshots('lake')")
    ended = terminal.type("sql", query)
    assert ended.code == 1
    assert "Traceback" not in ended.err
    assert ended.err.startswith("hotspot: ")
    assert terminal.lake.read("FROM ducklake_snapshots('lake')").equals(before)


def test_sql_prints_rows_as_a_table_or_comma_separated_now_or_as_of_a_snapshot(terminal: Terminal) -> None:
    query = "SELECT delivery_seq, count(*) AS rows FROM incidents GROUP BY 1"
    assert str(3 * DAYS) in terminal.type("sql", query).out
    assert terminal.type("sql", query, "--csv").out == f"delivery_seq,rows\n1,{3 * DAYS}\n"
    empty = terminal.type("sql", "SELECT count(*) AS rows FROM incidents", "--csv", "--at", "1")
    assert empty.out == "rows\n0\n"
    lists = terminal.type("sql", "SELECT reasons FROM incidents LIMIT 1", "--csv")
    assert lists.out == "reasons\nnew\n"


def test_a_snapshot_that_never_was_is_refused(terminal: Terminal) -> None:
    assert_clear(terminal.type("sql", "SELECT 1", "--at", "99999"), "99999")


@pytest.mark.parametrize(
    "words",
    [
        ["sql", "SELECT 1"],
        ["export-ledger", "l.jsonl"],
        ["replay", "2024-02-15"],
        ["hindsight", "2024-02-15"],
    ],
)
def test_where_there_is_no_lake_it_is_said_and_none_is_made(
    fresh: Terminal, words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert_clear(fresh.type(*words), "no lake")
    assert not fresh.home.exists()
    assert not (tmp_path / "l.jsonl").exists()


def test_a_forecast_is_replayed_explained_and_looked_back_at(terminal: Terminal) -> None:
    assert "each equal to the one stored" in terminal.type("replay", str(FORECAST)).out
    cell = terminal.lake.read("SELECT printf('%x', cell) AS cell FROM proximity_scores WHERE rank = 1").item()
    explained = terminal.type("explain", cell, "--date", str(FORECAST), "--offence", "burglary")
    assert explained.code == 0, explained.err
    assert "rank 1 " in explained.out
    assert terminal.type("hindsight", str(FORECAST)).code == 0


@pytest.mark.parametrize("command", ["replay", "hindsight"])
def test_a_day_without_a_forecast_is_named(terminal: Terminal, command: str) -> None:
    assert_clear(terminal.type(command, "2024-02-16"), "2024-02-16")


@pytest.mark.parametrize(
    ("cell", "offence", "day", "said"),
    [
        ("not-a-cell", "burglary", FORECAST, "not-a-cell"),
        ("8928308280fffff", "burglary", FORECAST, "outside the study area"),  # San Francisco
        ("f" * 20, "burglary", FORECAST, "f" * 20),
        ("", "burglary", FORECAST, ""),
        (None, "arson", FORECAST, "arson"),
        (None, "burglary", FORECAST + timedelta(days=1), "2024-02-16"),
    ],
)
def test_what_cannot_be_explained_is_named(
    terminal: Terminal, cell: str | None, offence: str, day: date, said: str
) -> None:
    known = terminal.lake.read(
        "SELECT printf('%x', cell) AS cell FROM proximity_scores WHERE rank = 1"
    ).item()
    asked = known if cell is None else cell
    assert_clear(terminal.type("explain", asked, "--date", str(day), "--offence", offence), said)


def test_a_ledger_that_was_changed_is_found_out(terminal: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "ledger.jsonl"
    assert terminal.type("export-ledger", file).code == 0
    assert terminal.type("verify", file).code == 0
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("first.csv", "other.csv"), encoding="utf-8")
    assert terminal.type("verify", file).code == 1
    file.write_text("this is no ledger\n", encoding="utf-8")
    ended = terminal.type("verify", file)
    assert ended.code == 1
    assert "Traceback" not in ended.err


def test_a_city_is_not_mixed_with_a_home_in_use(terminal: Terminal, fresh: Terminal) -> None:
    assert_clear(terminal.type("simulate"), "settings.toml", "HOTSPOT_HOME")


def test_a_late_file_needs_a_city(terminal: Terminal) -> None:
    assert_clear(terminal.type("simulate", "--late-file"), "hotspot simulate")

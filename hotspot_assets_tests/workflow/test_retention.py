"""The daily upkeep: what goes goes, what stays still replays."""

from __future__ import annotations

import os
import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
import pytest

from hotspot_assets.assurance.ledger import verify
from hotspot_assets.defs import maintenance
from hotspot_assets.defs.operate import instance_of, run_job
from hotspot_assets.settings import Settings, SettingsError, load_settings
from hotspot_assets.warehouse import audits, upkeep
from hotspot_assets.warehouse.chain import export_lines
from hotspot_assets.warehouse.lake import Lake, Stamp
from hotspot_assets.warehouse.upkeep import let_go
from hotspot_assets.workflow.replay import CannotReplay, replay
from hotspot_assets.workflow.retention import keep_house

from .homes import LAST_DAY, deliver, forecast, home_in, lake_of, row, town

STAMP = Stamp("tester", "upkeep")
DAYS = (date(2020, 3, 5), date(2020, 3, 6), date(2020, 3, 7))
TODAY = LAST_DAY


@pytest.fixture(scope="module")
def delivered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with five deliveries and, day by day, three forecasts: many small files."""
    settings = home_in(tmp_path_factory.mktemp("delivered"))
    rows = town()
    for number in range(5):
        deliver(settings, f"part-{number}.csv", rows[number::5], run="first load")
    deliver(
        settings,
        "bad.csv",
        [row("BAD-1", datetime(2020, 2, 2, tzinfo=UTC), code="nonsense")],
        run="first load",
    )
    for day in DAYS:
        forecast(settings, day, day)
    return settings.home


@pytest.fixture
def home(delivered: Path, tmp_path: Path) -> Path:
    """A copy of it, for one test."""
    return shutil.copytree(delivered, tmp_path / "home")


def stored(lake: Lake, day: date) -> pl.DataFrame:
    return lake.read("SELECT * FROM proximity_scores WHERE forecast_date = ? ORDER BY rank", [day])


def threads(lake: Lake) -> int:
    return int(lake.read("SELECT current_setting('threads')").item())


def data_files(settings: Settings) -> int:
    return len(list(Path(settings.data_path).rglob("*.parquet")))


def test_by_default_nothing_goes_but_old_delivered_files(home: Path) -> None:
    settings = home_in(home)
    lake = lake_of(settings)
    before = {
        table: lake.read(f"SELECT count(*) FROM {table}").item() for table in ("incidents", "forecasts")
    }
    first = keep_house(lake, settings, TODAY, STAMP)
    assert {name for name, count in first.facts().items() if count} == {"lake_files_merged"}
    ingested = settings.landing / "ingested"
    assert len(list(ingested.iterdir())) == 6
    long_ago = datetime.now(UTC) - timedelta(days=31)
    lake.transact(
        lambda transaction: transaction.execute(
            "UPDATE deliveries SET delivered_at = ? WHERE file_name < 'part-2'", [long_ago]
        ),
        tables=["deliveries"],
        message="make some old",
    )
    unknown = settings.landing / "set_aside" / "unknown.csv"
    unknown.parent.mkdir(exist_ok=True)
    unknown.write_text("x")
    unknown.with_name("unknown.csv.reason.txt").write_text("why")
    os.utime(unknown, (long_ago.timestamp(), long_ago.timestamp()))
    done = keep_house(lake, settings, TODAY, STAMP)
    assert done.delivered_files == 4  # bad.csv, part-0, part-1, and the one nobody knows
    assert sorted(path.name for path in ingested.iterdir()) == ["part-2.csv", "part-3.csv", "part-4.csv"]
    assert list(unknown.parent.iterdir()) == []
    assert before == {table: lake.read(f"SELECT count(*) FROM {table}").item() for table in before}
    for day in DAYS:
        assert replay(lake, settings, day).sort("rank").equals(stored(lake, day))


def test_after_merging_and_letting_go_of_snapshots_forecasts_replay(home: Path) -> None:
    settings = home_in(home)
    lake = lake_of(settings)
    scores = {day: stored(lake, day) for day in DAYS}
    files, snapshots = (
        data_files(settings),
        lake.read("SELECT count(*) FROM ducklake_snapshots('lake')").item(),
    )
    done = keep_house(lake, settings, TODAY, STAMP)
    assert done.files_merged > 5
    assert (done.snapshots, done.lake_files) == (0, 0)  # 30 days are kept, and readers have their time
    later = datetime.now(UTC) + timedelta(days=31)
    let_go_of, deleted = let_go(lake, later, later)
    assert let_go_of >= snapshots - 1
    assert deleted > 0
    assert data_files(settings) < files
    lake.close()
    for day in DAYS:
        assert stored(lake, day).equals(scores[day])
        assert replay(lake, settings, day).sort("rank").equals(scores[day])
    assert not deliver(settings, "more.csv", town(10, seed=8)).again  # and the lake still takes more


def test_tables_are_rewritten_on_one_thread(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lake = lake_of(home_in(home))
    seen = []
    call = upkeep._call

    def spied(*arguments: Any) -> Any:
        seen.append(threads(lake))
        return call(*arguments)

    monkeypatch.setattr(upkeep, "_call", spied)
    default = threads(lake)
    assert upkeep.compact(lake) > 5
    assert seen == [1, 1, 1]
    assert threads(lake) == default


def test_each_table_is_kept_for_its_days(home: Path) -> None:
    more = "[retention.tables]\nproximity_scores = 4\nrejected_rows = 1\n"
    settings = home_in(home, more)
    lake = lake_of(settings)
    kept = keep_house(lake, settings, TODAY, STAMP)
    assert kept.rows == {"proximity_scores": kept.rows["proximity_scores"], "rejected_rows": 0}
    days = lake.read("SELECT DISTINCT forecast_date AS day FROM proximity_scores ORDER BY 1")["day"].to_list()
    assert days == [day for day in DAYS if day >= TODAY - timedelta(days=4)]
    assert kept.rows["proximity_scores"] > 0
    assert replay(lake, settings, DAYS[0]).height > 0  # made again from its header, though no longer stored
    in_two_days = datetime.now(UTC).date() + timedelta(days=2)
    assert keep_house(lake, settings, in_two_days, STAMP).rows["rejected_rows"] == 1
    (rejected,) = lake.read("SELECT * FROM rejected_rows").to_dicts()
    assert {name for name, value in rejected.items() if value is not None} == {
        "delivery_seq",
        "line",
        "reason",
        "detail",
    }
    assert audits.rejected_rows_missing(lake).is_empty()
    assert keep_house(lake, settings, in_two_days, STAMP).rows["rejected_rows"] == 0
    subjects = lake.read("SELECT subject FROM ledger WHERE kind = 'erasure'")["subject"].to_list()
    assert subjects.count("retention of rejected_rows") == 1
    assert verify(list(export_lines(lake))).holds


def test_incidents_past_their_days_are_erased_by_whole_months(home: Path) -> None:
    settings = home_in(home, "[retention.tables]\nincidents = 30\n")
    lake = lake_of(settings)
    done = keep_house(lake, settings, date(2020, 3, 10), STAMP)  # 30 days before: 9 February
    days = lake.read("SELECT min(day) AS first, count(*) AS entries FROM hexagon_incidents").row(
        0, named=True
    )
    assert days["first"] >= date(2020, 2, 1)
    assert days["entries"] > 0
    open_days = lake.read("SELECT min(occurred_from) AS first FROM incidents WHERE NOT closed").item()
    assert open_days >= datetime(2020, 2, 1, tzinfo=UTC)
    assert done.rows["incidents"] > 10
    assert done.forecasts_not_replayable == len(DAYS)
    with pytest.raises(CannotReplay, match="erased"):
        replay(lake, settings, DAYS[0])
    assert len(list((settings.landing / "ingested").iterdir())) == 6  # kept for their own days
    assert keep_house(lake, settings, date(2020, 3, 11), STAMP).rows["incidents"] == 0
    assert audits.broken_weights(lake).is_empty()


def test_the_asset_says_what_was_done(home: Path) -> None:
    settings = home_in(home)
    definitions = dg.Definitions(
        assets=maintenance.ASSETS,
        jobs=maintenance.JOBS,
        schedules=maintenance.schedules(settings),
        executor=dg.in_process_executor,
        resources={"settings": settings, "lake": lake_of(settings)},
    )
    run_job(settings, definitions, maintenance.MAINTENANCE_JOB)
    with instance_of(settings) as instance:
        (record,) = instance.fetch_materializations(dg.AssetKey("lake_upkeep"), limit=10).records
    metadata = record.asset_materialization.metadata
    assert metadata["lake_files_merged"].value > 5
    assert metadata["delivered_files_deleted"].value == 0
    (schedule,) = maintenance.schedules(settings)
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("15 3 * * *", "Europe/London")


def test_only_tables_that_may_lose_rows_have_days(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text("[retention.tables]\nledger = 10\n")
    with pytest.raises(SettingsError, match="ledger"):
        load_settings({"HOTSPOT_HOME": str(tmp_path)})

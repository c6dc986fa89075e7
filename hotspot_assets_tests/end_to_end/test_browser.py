"""What a person sees in Dagster's UI, in a real browser, with the real webserver and daemon.

Looking takes a minute and is always done; a backfill, a tick of a schedule and a late file take some more and
are marked slow. Screenshots lie in the test's temporary folder (`--basetemp` names another).
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from hotspot_assets.warehouse.lake import Lake

from .conftest import ON_DEMAND, Home, settings_in
from .servers import Servers, hotspot, serving, until

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = Path("/usr/bin/chromium")
pytestmark = [
    pytest.mark.skipif(
        not CHROMIUM.exists(), reason=f"{CHROMIUM} is not there; on Debian: apt-get install chromium"
    ),
    pytest.mark.skipif(sys.platform == "win32", reason="process groups are POSIX"),
]
TICK_AFTER = timedelta(minutes=4)
PATIENCE_MS = 60_000
CANVAS_FROM_X = 540


def tick_soon(home: Path, now: datetime) -> datetime:
    """Let the schedule of outcomes, half an hour after the daily run, tick in a few minutes; the minute it ticks."""
    tick = (now + TICK_AFTER).replace(second=0, microsecond=0)
    run_at = tick - timedelta(minutes=30)
    settings = home / "settings.toml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(
        text.replace("[forecast]\n", f"[forecast]\nrun_at = {run_at:%H:%M}:00\n"), encoding="utf-8"
    )
    return tick


@pytest.fixture(scope="module")
def servers(home: Home, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """The servers on a copy of the home, Dagster's history included."""
    path = tmp_path_factory.mktemp("served") / "home"
    shutil.copytree(home.settings.home, path, ignore=shutil.ignore_patterns("ingested"))
    tick_soon(path, datetime.now(ZoneInfo(home.settings.area.timezone)))
    with serving(path, path.parent / "servers.log") as found:
        yield found


@pytest.fixture(scope="module")
def page(servers: Servers) -> Iterator[Any]:
    """A window of Chromium, past Dagster's greeting."""
    arguments = ["--no-sandbox", "--headless=new", "--disable-gpu", "--disable-dev-shm-usage"]
    with playwright.sync_playwright() as player:
        browser = player.chromium.launch(executable_path=str(CHROMIUM), args=arguments)
        window = browser.new_page(viewport={"width": 1500, "height": 950})
        window.set_default_timeout(PATIENCE_MS)
        window.goto(f"{servers.url}/asset-groups", wait_until="domcontentloaded")
        greeting = window.get_by_role("button", name="Skip")
        window.get_by_text("Global asset lineage").or_(greeting).first.wait_for()
        window.wait_for_timeout(2000)
        if greeting.is_visible():
            greeting.click()
            greeting.wait_for(state="hidden")
        yield window
        browser.close()


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("screenshots")


def show(page: Any, servers: Servers, path: str) -> None:
    page.goto(servers.url + path, wait_until="domcontentloaded")


def last_day(home: Path) -> str:
    settings = settings_in(home)
    lake = Lake(settings.warehouse, settings.data_path)
    return str(lake.read("SELECT max(forecast_date) FROM proximity_scores").item())


def test_the_graph_shows_the_groups_in_the_order_of_the_flow(
    page: Any, servers: Servers, pictures: Path
) -> None:
    show(page, servers, "/asset-groups")

    def places() -> dict[str, float] | None:
        """Where on the canvas, right of the list of groups, each group stands."""
        found = {}
        for group in ("intake", "forecasts", "patrols", "trial"):
            boxes = [each.bounding_box() for each in page.get_by_text(group, exact=True).all()]
            on_canvas = [box["x"] for box in boxes if box and box["x"] > CANVAS_FROM_X]
            if on_canvas:
                found[group] = on_canvas[0]
        return found if len(found) == 4 else None

    x = until("the groups to be drawn", places, 60)
    page.screenshot(path=pictures / "graph.png")
    assert x["intake"] < x["forecasts"] < min(x["patrols"], x["trial"])


def test_an_asset_shows_its_columns_owner_and_checks(page: Any, servers: Servers, pictures: Path) -> None:
    show(page, servers, "/assets/proximity_scores?view=overview")
    page.get_by_placeholder("Filter columns").wait_for()
    page.get_by_text("Share of the day's expected incidents; a surface sums to 1.").wait_for()
    for text in (
        "offence_group",
        "UInt64",
        "hotspot.proximity_scores",
        "forecasting",
        "Latest check results",
    ):
        assert page.get_by_text(text).first.is_visible(), text
    page.screenshot(path=pictures / "asset.png")


def test_a_day_shows_its_cut_off_memory_and_ids(page: Any, servers: Servers, pictures: Path) -> None:
    day = last_day(servers.home)
    show(page, servers, f"/assets/proximity_scores?view=partitions&partition={day}")
    page.get_by_text("settings_hash").wait_for()
    for text in ("cut_off", "memory", "delivery_seq", "fitted_model_id", "study_area_id", "snapshot_id"):
        assert page.get_by_text(text, exact=True).first.is_visible(), text
    page.get_by_text(re.compile(rf"^{day}T0[45]:00:00")).wait_for()
    page.screenshot(path=pictures / "day.png")


def test_the_lineage_of_an_asset_is_drawn(page: Any, servers: Servers, pictures: Path) -> None:
    show(page, servers, "/assets/proximity_scores?view=lineage")
    for name in ("hexagon_incidents", "study_areas", "fitted_models", "patrol_areas", "forecast_outcomes"):
        page.locator("svg foreignObject", has_text=name).first.wait_for()
    page.screenshot(path=pictures / "lineage.png")


def test_a_day_shows_its_map(page: Any, servers: Servers, pictures: Path) -> None:
    show(page, servers, "/assets/patrol_maps?view=overview")
    page.get_by_text("[Show Markdown]").first.click()
    image = page.locator("img[alt^='patrol areas of']").first
    image.wait_for()
    size = image.evaluate("picture => [picture.naturalWidth, picture.naturalHeight]")
    page.screenshot(path=pictures / "map.png")
    assert min(size) >= 500


OF_FILES = {"patrol_maps", "patrol_briefing", "model_trial", "model_trial_table"}


def test_runs_and_column_lineage_are_read_back(servers: Servers) -> None:
    found = servers.ask("""{
        runsOrError { ... on Runs { results { jobName status } } }
        assetNodes { assetKey { path } kinds owners { ... on TeamAssetOwner { team } }
            metadataEntries { label }
            assetMaterializations(limit: 1) { partition metadataEntries { label
                ... on TableColumnLineageMetadataEntry { lineage { columnName columnDeps { columnName } } } } } } }""")
    runs = found["runsOrError"]["results"]
    assert {run["jobName"] for run in runs} >= {"take_in", "monthly_fit", "forecast_range"}
    assert {run["status"] for run in runs} <= {"SUCCESS", "STARTED", "QUEUED", "STARTING"}
    for node in found["assetNodes"]:
        name = node["assetKey"]["path"][0]
        assert node["owners"], name
        assert node["kinds"], name
        if name in ON_DEMAND | {"deliveries", *OF_FILES}:
            continue
        (event,) = node["assetMaterializations"]
        lineage = [
            each["lineage"] for each in event["metadataEntries"] if each["label"] == "dagster/column_lineage"
        ]
        assert lineage, f"{name} does not say where its columns come from"
        assert lineage[0], name


@pytest.mark.slow
def test_a_week_is_backfilled_by_clicking(page: Any, servers: Servers, pictures: Path) -> None:
    settings = settings_in(servers.home)
    lake = Lake(settings.warehouse, settings.data_path)
    first_made = lake.read("SELECT min(forecast_date) FROM proximity_scores").item()
    days = [first_made - timedelta(days=back) for back in range(7, 0, -1)]
    show(page, servers, "/assets/proximity_scores?view=partitions")
    page.get_by_role("button", name="Materialize").first.click()
    dialog = page.get_by_role("dialog")
    box = dialog.locator("input[type=text]").first
    box.click()
    box.fill(f"[{days[0]}...{days[-1]}]")
    box.press("Enter")
    dialog.get_by_text("7 partitions").wait_for()
    page.screenshot(path=pictures / "backfill.png")
    dialog.get_by_role("button", name="Launch backfill").click()

    def done() -> str | None:
        query = (
            "{ partitionBackfillsOrError(limit: 1) { ... on PartitionBackfills { results { id status } } } }"
        )
        found = servers.ask(query)["partitionBackfillsOrError"]["results"]
        return found[0]["status"] if found and found[0]["status"] != "REQUESTED" else None

    assert until("the backfill to end", done, 300, pause=2) == "COMPLETED_SUCCESS"
    show(page, servers, f"/assets/proximity_scores?view=partitions&partition={days[0]}")
    page.get_by_text("settings_hash").wait_for()
    page.screenshot(path=pictures / "backfilled.png")
    made = lake.read("SELECT forecast_date, count(*) AS rows FROM proximity_scores GROUP BY 1 ORDER BY 1")
    assert set(days) <= set(made["forecast_date"].to_list())
    assert made["rows"].n_unique() == 1


@pytest.mark.slow
def test_a_late_file_is_taken_in_by_the_sensor_and_the_days_it_changes_are_judged_again(
    servers: Servers,
) -> None:
    settings = settings_in(servers.home)
    lake = Lake(settings.warehouse, settings.data_path)
    before = lake.read("SELECT max(delivery_seq) FROM deliveries").item()
    dropped = hotspot(servers.home, "simulate", "--late-file")
    assert dropped.returncode == 0, dropped.stderr
    name = Path(dropped.stdout.split()[-1]).name
    (tick, *_) = until("a tick of the landing sensor", lambda: servers.ticks("sensor", "landing_folder"), 180)
    (run_id,) = tick["runIds"]
    run = servers.finished(run_id, 180)
    assert run["status"] == "SUCCESS"
    assert run["jobName"] == "take_in"
    row = lake.read("SELECT * FROM deliveries WHERE delivery_seq > ?", [before]).row(0, named=True)
    assert (row["file_name"], row["status"], row["run_id"]) == (name, "ingested", run_id)
    assert row["rows_new"] > 0
    assert row["rows_amended"] > 0
    assert (settings.landing / "ingested" / name).exists()
    numbers = {
        entry["label"]: entry.get("intValue")
        for event in run["assetMaterializations"] if event["assetKey"]["path"] == ["deliveries"]
        for entry in event["metadataEntries"]
    }  # fmt: skip
    assert numbers["rows_new"] == row["rows_new"]
    stale = lake.read("SELECT count(*) FROM stale_days WHERE delivery_seq = ?", [row["delivery_seq"]]).item()
    assert stale > 0, "a late file changed no day that had been judged"
    for tick in until(
        "a tick of the sensor of stale days", lambda: servers.ticks("sensor", "stale_days"), 200
    ):
        for run_id in tick["runIds"]:
            assert servers.finished(run_id, 180)["status"] == "SUCCESS"
    assert lake.read("SELECT count(*) FROM stale_days").item() == 0


@pytest.mark.slow
def test_the_schedule_ticks_and_its_run_judges_a_day(page: Any, servers: Servers, pictures: Path) -> None:
    seconds = TICK_AFTER.total_seconds() + 120
    (tick, *_) = until(
        "a tick of the schedule", lambda: servers.ticks("schedule", "yesterdays_outcomes"), seconds
    )
    (run_id,) = tick["runIds"]
    run = servers.finished(run_id, 180)
    assert run["status"] == "SUCCESS"
    tags = {each["key"]: each["value"] for each in run["tags"]}
    zone = ZoneInfo(settings_in(servers.home).area.timezone)
    day = datetime.fromtimestamp(tick["timestamp"], zone).date() - timedelta(days=2)
    assert tags["dagster/partition"] == day.isoformat()
    show(page, servers, "/automation")
    page.get_by_text("yesterdays_outcomes").first.wait_for()
    page.wait_for_timeout(2000)
    page.screenshot(path=pictures / "automation.png")


def test_ctrl_c_ends_every_server(servers: Servers) -> None:
    """The last test of this file: after it nothing of the servers is left."""
    from .servers import end

    start = time.monotonic()
    end(servers.process)
    assert servers.process.returncode in (0, 1, -2, 130), servers.log.read_text(encoding="utf-8")[-2000:]
    assert time.monotonic() - start < 40, "the servers did not end by Ctrl+C"
    with pytest.raises(ProcessLookupError):
        os.killpg(servers.process.pid, 0)

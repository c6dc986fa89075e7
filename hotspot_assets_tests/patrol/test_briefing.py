"""The sheet and the overview: all that must be on them, in a real browser with the network off."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from hotspot_assets.hexgrid.boundaries import assign_units, read_boundaries
from hotspot_assets.hexgrid.neighbours import neighbours
from hotspot_assets.hexgrid.study_areas import from_boundary
from hotspot_assets.patrol.areas import Evidence, patrol_areas
from hotspot_assets.patrol.briefing import as_script, list_of, overtaken_html, sheet_html
from hotspot_assets.patrol.briefing_pdf import sheets_pdf
from hotspot_assets.patrol.budgets import Budget
from hotspot_assets.patrol.drawing import shading_of
from hotspot_assets.patrol.exports import WARNING
from hotspot_assets.patrol.ground import lay_ground, rings_needed
from hotspot_assets.patrol.overview import SHOWN_AREAS, SHOWN_DAYS, Overview, overview_html
from hotspot_assets.patrol.review import list_hash
from hotspot_assets.patrol.sheet_map import sheet_map
from hotspot_assets.patrol.sheets import Approval, Sheet, short_codes
from hotspot_assets_tests.patrol.towns import DAY, ground_of, surface_of, town

EVIL = "<script>alert('&\"')</script>"
FOUR = datetime(2014, 6, 2, 4, 0, tzinfo=UTC)
GROUPS = ("burglary", "robbery", "theft", "vehicle_theft", "violence")
APPROVAL = Approval(
    f"A. Person {EVIL}", "duty inspector", "declared", FOUR, datetime(2100, 6, 3, tzinfo=UTC), "i-4711"
)


def _sheet(
    areas: int = 2, groups: tuple[str, ...] = GROUPS[:3], approval: Approval | None = APPROVAL
) -> Sheet:
    area = town(8)
    unit = f"Harbour {EVIL}"
    units = pl.DataFrame({"cell": area.cells, "unit": unit})
    ground = ground_of(area, Budget(0.045 * areas, areas=areas, max_radius_m=150), units)
    surfaces = {
        group: surface_of(area, np.random.default_rng(seed).gamma(0.2, size=area.n))
        for seed, group in enumerate(groups)
    }
    windows = [pl.DataFrame({"cell": area.cells, "days": days, "incidents": 1.0}) for days in (28, 365)]
    counts = pl.concat(windows).with_columns(pl.col("days").cast(pl.Int32))
    found = pl.concat(
        patrol_areas(surface, ground, DAY, group, "late", Evidence(counts, 12.3)).with_columns(
            forecast_id=pl.lit(f"f-{group}")
        )
        for group, surface in surfaces.items()
    )
    assert found.height == areas * len(groups)
    return Sheet(
        place="Port Ellis",
        synthetic=False,
        unit=unit,
        forecast_date=DAY,
        shift="late",
        shift_window="15:00 to 23:00",
        starts_at=datetime(2014, 6, 2, 14, tzinfo=UTC),
        zone="Europe/London",
        cut_off=FOUR,
        run_id="run-1",
        areas=found,
        ground=ground,
        shading=shading_of(area, surfaces),
        approval=approval,
        hours={group: [1.0 + hour % 5 for hour in range(24)] for group in groups},
        track=pl.DataFrame(
            {
                "offence_group": "burglary",
                "rank": [1],
                "hit_rate": 0.043,
                "average_hit_rate": 0.011,
                "days": 300,
            }
        ),
        exclusions=pl.DataFrame(
            {"reason": [f"park {EVIL}"], "cells": [2], "area_km2": [0.03], "share": [0.002]}
        ),
    )


def _html(sheet: Sheet) -> str:
    return sheet_html(sheet, sheet_map(sheet))


def _pdf(sheet: Sheet) -> bytes:
    return sheets_pdf([(sheet, sheet_map(sheet))])


class _Text(HTMLParser):
    """The text of a page, its tags, and all addresses in it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in {"src", "href", "action"}]

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))


def test_all_that_must_be_on_a_sheet() -> None:
    sheet = _sheet()
    page = _Text(_html(sheet))
    text = page.text
    for words in (
        "Patrol areas: Harbour <script>alert(",
        "Monday 2 June 2014, late shift, 15:00 to 23:00",
        "Known up to Mon 2 June 2014, 05:00 (10 h before the shift)",
        "4.3 %; average 1.1 % (300 days)",
        "not yet measured",
        "Not patrolled: park <script>alert('&\"')</script> (0.03 km2, 0.2 % of expected).",
        WARNING,
        "Approved by A. Person <script>alert('&\"')</script>, duty inspector (by own declaration)",
        "Issue i-4711",
        f"Run run-1. Forecasts f-burglary, f-robbery, f-theft. List {list_hash(sheet.areas)[:12]}.",
        "Return box",
        "in 28 days",
    ):
        assert words in text, words
    for row in sheet.areas.iter_rows(named=True):
        assert row["why"] in text
        assert row["name"].removeprefix(f"{sheet.unit}, ") in text
    assert "DRAFT" not in text and "SYNTHETIC" not in text
    assert page.tags.count("script") == 2, "no text became a script"
    assert page.addresses == [], "nothing is loaded"
    assert 'lang="en"' in _html(sheet)


def test_without_approval_there_is_no_sheet_but_a_draft() -> None:
    draft = _Text(_html(_sheet(approval=None))).text
    assert "DRAFT: nobody has approved these areas. Not for use on patrol." in draft
    assert "Approved by" not in draft and "Not approved." in draft
    assert b"DRAFT" in _pdf(_sheet(approval=None))


def test_a_sheet_says_what_is_wrong_with_it() -> None:
    sheet = _sheet()
    later = overtaken_html(_html(sheet), "SUPERSEDED", "Superseded by forecast f-9.")
    assert "Superseded by forecast f-9" in _Text(later).text and "APPROVED" not in later
    assert overtaken_html(later, "SUPERSEDED", "Superseded by forecast f-10.") == later and list_of(
        later
    ) == list_hash(sheet.areas)
    simulated = replace(sheet, approval=replace(APPROVAL, simulated=True), synthetic=True)
    text = _Text(_html(simulated)).text
    assert "SIMULATED: this approval was made by a demonstration" in text and "SYNTHETIC" in text
    early = replace(sheet, starts_at=FOUR - timedelta(hours=3))
    text = _Text(_html(early)).text
    assert "(3 h after the shift began)" in text and "too late for a part of it" in text


def test_short_codes_tell_groups_apart() -> None:
    codes = short_codes(list(GROUPS))
    assert codes == {"burglary": "B", "robbery": "R", "theft": "T", "vehicle_theft": "Ve", "violence": "Vi"}
    assert short_codes(["theft", "theft_bicycle"]) == {"theft": "Theft", "theft_bicycle": "TheftB"}


def test_script_data_cannot_end_its_element() -> None:
    assert "</script>" not in as_script({"name": "</script><b>&"})


def test_pdf_is_one_a4_page_and_repeatable() -> None:
    for areas, groups in ((2, GROUPS[:3]), (5, GROUPS)):
        sheet = _sheet(areas, groups)
        pdf = _pdf(sheet)
        assert pdf == _pdf(sheet)
        assert len(re.findall(rb"/Type /Page\b", pdf)) == 1
        box = re.search(rb"/MediaBox \[ ?0 0 ([\d.]+) ([\d.]+)", pdf)
        assert box is not None
        assert [float(side) for side in box.groups()] == pytest.approx([595, 842], abs=1)


def test_pdf_shades_each_hexagon_of_the_map_once() -> None:
    sheet = _sheet()
    packed = re.findall(rb"/FlateDecode[^\n]*\n>>\nstream\r?\n(.*?)endstream", _pdf(sheet), re.DOTALL)
    texts = [zlib.decompress(each) for each in packed]
    (page,) = [text for text in texts if b" cm" in text]
    shaded = re.findall(rb"([^\n]*)B\b", page)
    assert sum(text.count(b" h ") for text in shaded) == sheet_map(sheet).hexagons.height > 0


def test_overview_keeps_the_last_days_and_the_highest_areas() -> None:
    area = town(9)
    ground = ground_of(area, Budget(2.5, areas=130, max_radius_m=50.0))
    surface = surface_of(area, np.random.default_rng(0).gamma(0.3, size=area.n))
    one = patrol_areas(surface, ground, DAY, "theft")
    assert one.height > SHOWN_AREAS
    many = pl.concat(
        one.with_columns(forecast_date=DAY + timedelta(days=day)) for day in range(SHOWN_DAYS + 3)
    )
    page = overview_html(Overview(EVIL, True, "draft", many))
    assert _Text(page).tags.count("script") == 3
    assert str(DAY + timedelta(days=3)) in page and str(DAY + timedelta(days=2)) not in page
    data = json.loads(page.split('id="data">')[1].split("</script>")[0])
    assert [len(groups["theft"]["day"]) for groups in data.values()] == [SHOWN_AREAS] * SHOWN_DAYS
    by_shift = pl.concat(one.with_columns(shift=pl.lit(shift)) for shift in ("early", "late"))
    page = overview_html(Overview(EVIL, True, "draft", by_shift))
    (groups,) = json.loads(page.split('id="data">')[1].split("</script>")[0]).values()
    assert {shift: len(areas) for shift, areas in groups["theft"].items()} == {"early": 50, "late": 50}
    paths = json.loads(page.split('id="paths">')[1].split("</script>")[0])
    assert len(paths) == 50, "shifts with the same areas share their outlines"


# In a browser.


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("no Chromium on this machine")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A common sheet, the fullest one, a draft, and the overview."""
    folder = tmp_path_factory.mktemp("pages")
    full = _sheet(5, GROUPS)
    unit = full.areas.with_columns(unit=pl.lit("Harbour"))
    days = pl.concat(
        unit.with_columns(forecast_date=DAY + timedelta(days=day)).head(25 - day) for day in range(3)
    )
    links = {(str(DAY), unit["area_id"][0]): "why/one.html"}
    texts = {
        "sheet": _html(_sheet()),
        "full": _html(full),
        "draft": overtaken_html(
            _html(replace(_sheet(approval=None), synthetic=True)),
            "SUPERSEDED",
            "Superseded by forecast f-9.",
        ),
        "overview": overview_html(Overview("Port Ellis", True, "draft", days, None, links)),
    }
    for name, text in texts.items():
        (folder / f"{name}.html").write_text(text, encoding="utf-8")
    return {name: folder / f"{name}.html" for name in texts}


def _open(browser: Any, path: Path) -> tuple[Any, list[str], list[str]]:
    page = browser.new_context(offline=True, viewport={"width": 1100, "height": 1300}).new_page()
    requests: list[str] = []
    errors: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: errors.append(message.text))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(path.as_uri())
    return page, requests, errors


@pytest.mark.parametrize("name", ["sheet", "full", "draft", "overview"])
def test_opens_offline_without_a_request_or_an_error(browser: Any, pages: dict[str, Path], name: str) -> None:
    _, requests, errors = _open(browser, pages[name])
    assert requests == [pages[name].as_uri()]
    assert errors == []


@pytest.mark.parametrize(("areas", "groups"), [(2, 3), (1, 5), (2, 4), (3, 4), (3, 5), (5, 5)])
def test_prints_on_one_page(browser: Any, areas: int, groups: int) -> None:
    """With no notice and with three, up to 25 areas."""
    best = _sheet(areas, GROUPS[:groups])
    worst = replace(best, approval=None, synthetic=True)
    page = browser.new_page()
    for sheet in (best, worst):
        page.set_content(_html(sheet))
        pdf = page.pdf(prefer_css_page_size=True, print_background=True)
        assert len(re.findall(rb"/Type\s*/Page\b", pdf)) == 1
    page.close()


def test_map_moves_by_keys_and_repaints(browser: Any, pages: dict[str, Path]) -> None:
    page, _, errors = _open(browser, pages["sheet"])

    def view() -> list[float]:
        return [float(each) for each in page.get_attribute("#map svg", "viewBox").split()]

    start = view()
    page.focus("#map")
    page.keyboard.press("+")
    assert view()[2] == pytest.approx(start[2] * 0.8, rel=1e-3)
    page.keyboard.press("ArrowRight")
    assert view()[0] > start[0]
    page.keyboard.press("0")
    assert view() == pytest.approx(start)
    before = page.eval_on_selector_all(".hex", "all => all.map(each => each.getAttribute('fill'))")
    page.select_option("#group", label="theft")
    after = page.eval_on_selector_all(".hex", "all => all.map(each => each.getAttribute('fill'))")
    assert before != after
    page.hover(".hex >> nth=40", force=True)
    assert page.inner_text("#said").startswith("Cell 8a")
    assert page.locator("#expired").is_hidden() and errors == []


def test_an_ended_sheet_says_so(browser: Any, tmp_path: Path) -> None:
    ended = replace(_sheet(), approval=replace(APPROVAL, expires_at=datetime(2014, 6, 3, tzinfo=UTC)))
    (tmp_path / "ended.html").write_text(_html(ended), encoding="utf-8")
    page, _, _ = _open(browser, tmp_path / "ended.html")
    assert page.locator("#expired").is_visible()
    assert page.inner_text(".status") == "EXPIRED"


def test_slider_changes_the_day(browser: Any, pages: dict[str, Path]) -> None:
    page, _, _ = _open(browser, pages["overview"])
    assert page.inner_text("#date") == "2014-06-04"
    page.focus("#day")
    page.keyboard.press("Home")
    assert page.inner_text("#date") == "2014-06-02"
    assert page.locator("#areas path").count() == page.locator("#rows tr").count() == 5
    assert page.get_attribute("#rows a", "href") == "why/one.html"
    page.select_option("#group", label="violence")
    assert "violence, 2014-06-02" in page.inner_text("#told")


@pytest.fixture(scope="session")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The accessibility checker, fetched by npm; skipped without it."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("no npm on this machine")
    folder = tmp_path_factory.mktemp("axe")
    fetched = subprocess.run([npm, "pack", "axe-core@4.14.1"], cwd=folder, capture_output=True, timeout=120)
    archives = list(folder.glob("*.tgz"))
    if fetched.returncode or not archives:
        pytest.skip("axe-core could not be fetched")
    with tarfile.open(archives[0]) as archive:
        member = archive.extractfile("package/axe.min.js")
        assert member is not None
        return member.read().decode()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["sheet", "full", "draft", "overview"])
def test_no_barrier_found_by_axe(browser: Any, pages: dict[str, Path], axe: str, name: str) -> None:
    page, _, _ = _open(browser, pages[name])
    found = page.evaluate(axe + "; axe.run(document)")
    assert [(each["id"], each["impact"], each["nodes"][0]["html"]) for each in found["violations"]] == []
    assert len(found["passes"]) > 10


def test_chicago_unit_sheet(shared_data: Path) -> None:
    """A real beat with its neighbours' names and boundaries."""
    boundaries = read_boundaries(shared_data / "reference" / "chicago_police_beats.geojson")
    some = boundaries[boundaries["unit"].isin(["0311", "0312", "0313", "0321", "0322"])]
    area = from_boundary(some.geometry.union_all(), 10)
    budget = Budget(share=0.05, areas=3)
    ground = lay_ground(area, neighbours(area, rings_needed(area, budget)), budget, assign_units(area, some))
    surface = surface_of(area, np.random.default_rng(1).gamma(0.3, size=area.n))
    areas = patrol_areas(surface, ground, DAY, "theft").with_columns(forecast_id=pl.lit("f"))
    sheet = replace(
        _sheet(), unit="0312", ground=ground, shading=shading_of(area, {"theft": surface}), hours={},
        boundaries=boundaries, areas=areas.filter(pl.col("unit") == "0312"),
    )  # fmt: skip
    text = _Text(_html(sheet)).text
    assert {"0311", "0313", "0321", "0322"} <= set(re.findall(r"\b03\d\d\b", text))
    assert _pdf(sheet).startswith(b"%PDF")

"""The page in a real browser: clicks and seconds for 24 units in three shifts, and everything by keyboard."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hotspot_assets_tests.review_desk.desks import Served, served
from hotspot_assets_tests.workflow.homes import lake_of
from hotspot_assets_tests.workflow.reviewable import MANY_UNITS, SHIFTS, WEST, reviewable

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = Path("/usr/bin/chromium")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not CHROMIUM.exists(), reason=f"{CHROMIUM} is not there; on Debian: apt-get install chromium"
    ),
]
PATIENCE_MS = 180_000


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    arguments = ["--no-sandbox", "--headless=new", "--disable-gpu", "--disable-dev-shm-usage"]
    with playwright.sync_playwright() as player:
        found = player.chromium.launch(executable_path=str(CHROMIUM), args=arguments)
        yield found
        found.close()


class Window:
    """A page that counts clicks and keeps what goes wrong."""

    def __init__(self, browser: Any, desk: Served) -> None:
        self.page = browser.new_page(viewport={"width": 1300, "height": 950})
        self.page.set_default_timeout(PATIENCE_MS)
        self.wrong: list[str] = []
        self.elsewhere: list[str] = []
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("console", self._console)
        self.page.on("request", lambda each: self._request(each.url, desk))
        self.clicks = 0
        self.page.goto(f"http://{desk.host}/")

    def _console(self, message: Any) -> None:
        if message.type == "error":
            self.wrong.append(message.text)

    def _request(self, url: str, desk: Served) -> None:
        if not url.startswith((f"http://{desk.host}/", "data:")):
            self.elsewhere.append(url)

    def introduce(self) -> None:
        self.page.fill("#name", "A. Sergeant")
        self.page.fill("#role", "duty sergeant")

    def click(self, selector: str) -> None:
        self.clicks += 1
        self.page.click(selector)

    def said(self, words: str) -> None:
        self.page.locator("#said", has_text=words).wait_for()


def test_two_clicks_approve_and_issue_24_units_in_three_shifts(browser: Any, tmp_path: Path) -> None:
    settings = reviewable(tmp_path / "home", MANY_UNITS, SHIFTS)
    with served(settings) as desk:
        window = Window(browser, desk)
        lists = window.page.locator("article.open").count()
        assert lists == 72
        window.introduce()
        start = time.monotonic()
        window.click("#go")
        assert "72 lists approved and issued as the model made them" in window.page.inner_text("#confirm")
        window.click("#confirm-go")
        window.said("72 decisions recorded, 72 lists issued.")
        seconds = time.monotonic() - start
        print(f"{lists} lists: {window.clicks} clicks, {seconds:.1f} s from the first click to the answer")
        assert window.clicks <= 3
        window.page.screenshot(path=str(tmp_path / "issued.png"))
        assert window.page.locator("article.open").count() == 0
        assert window.wrong == [] and window.elsewhere == []
    lake = lake_of(settings)
    assert lake.read("SELECT count(DISTINCT issue_id) FROM issued_patrol_areas").item() == 72
    assert len(lake.read("SELECT DISTINCT run_id FROM reviews")) == 1


def test_changes_by_keyboard_and_what_is_missing_is_said(browser: Any, tmp_path: Path) -> None:
    settings = reviewable(tmp_path / "home")
    with served(settings) as desk:
        window = Window(browser, desk)
        page = window.page
        page.locator("#go").press("Enter")
        assert page.evaluate("document.activeElement.id") == "name", "the name is asked for"
        window.introduce()
        west = page.get_by_role("article", name=re.compile(WEST))
        west.get_by_label(re.compile("^B2 .*keep or change")).select_option("drop")
        page.locator("#go").press("Enter")
        window.said("Something is missing")
        assert page.evaluate("document.activeElement.hasAttribute('data-reason')"), "the reason is asked for"
        west.get_by_label("Reason").select_option("not_patrolable")
        west.get_by_label(re.compile("^B1 .*keep or change")).select_option("move")
        west.get_by_role("button", name="Choose cells").press("Enter")
        page.locator(".cell").first.wait_for()
        page.locator(".cell").first.focus()
        page.keyboard.press("Space")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Space")
        assert "2 cells chosen" in page.inner_text("#picker-sum")
        page.keyboard.press("Space")
        page.locator("#picker-go").press("Enter")
        west.get_by_label("Reason").first.select_option("event_changed")
        east = page.get_by_role("article", name=re.compile("East side"))
        east.get_by_label("Reject").check()
        east.get_by_label("Reason").select_option("resource")
        page.locator("#go").press("Enter")
        page.locator("#confirm-go").press("Enter")
        window.said("2 decisions recorded, 1 list issued.")
        west.get_by_role("button", name="Withdraw").press("Enter")
        page.locator("#withdrawal").get_by_label("Reason").select_option("legal")
        page.locator("#withdrawal-go").press("Enter")
        window.said("1 issue withdrawn.")
        assert window.wrong == [] and window.elsewhere == []
    lake = lake_of(settings)
    changes = lake.read(
        "SELECT action, reason, len(cells) AS cells FROM review_changes ORDER BY action"
    ).rows()
    assert changes == [("drop", "not_patrolable", 0), ("move", "event_changed", 1)]
    assert lake.read("SELECT unit, state FROM reviews ORDER BY unit").rows() == [
        ("East side", "rejected"),
        (WEST, "approved_with_changes"),
    ]
    assert lake.read("SELECT reason FROM withdrawals")["reason"].to_list() == ["legal"]

"""The page: what it shows, what it does, and whom it does not let in; through a real server and a plain client."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from hotspot_assets.settings import Settings
from hotspot_assets.warehouse.guards import APPEND_ONLY
from hotspot_assets_tests.review_desk.desks import Answer, Served, decisions_on, served
from hotspot_assets_tests.workflow.homes import lake_of
from hotspot_assets_tests.workflow.reviewable import DAY, EAST, WEST, reviewable


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A desk on which nothing is ever decided."""
    with served(reviewable(tmp_path_factory.mktemp("desk") / "home")) as desk:
        yield desk


def nothing_written(settings: Settings) -> bool:
    lake = lake_of(settings)
    return not any(lake.read(f"SELECT count(*) FROM {table}").item() for table in APPEND_ONLY)


def test_the_page_shows_every_list_and_says_that_nothing_is_approved_by_waiting(closed: Served) -> None:
    page = closed.ask("GET", "/")
    assert page.status == 200
    assert [each["unit"] for each in decisions_on(page.text)] == [EAST, WEST]
    assert "No approval, no sheet." in page.text
    assert page.text.count("Nobody has decided: no approval, no sheet") == 2
    assert f"{WEST}-burglary-1" in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "SIMULATED" not in page.text
    assert closed.ask("GET", "/?date=2020-01-01").text.count("<article") == 0
    assert closed.ask("GET", "/?date=yesterday").status == 404
    assert nothing_written(closed.settings)


def test_cells_to_choose_from_are_those_of_the_unit(closed: Served) -> None:
    lake = lake_of(closed.settings)
    inside = lake.read("SELECT DISTINCT cell FROM cells WHERE unit = ?", [WEST])["cell"]
    found = closed.ask("GET", f"/cells?date={DAY}&shift=day&unit=West%20side").json
    assert {int(cell, 16) for cell, *_ in found["cells"]} == set(inside)
    assert closed.ask("GET", "/cells?shift=day&unit=West%20side").status == 404


ALIEN = {
    "no origin": {"Origin": ""},
    "another site": {"Origin": "http://example.org"},
    "another port": {"Origin": "http://127.0.0.1:1"},
    "https": {"Origin": "https://{host}"},
    "a form": {"Content_Type": "application/x-www-form-urlencoded"},
    "plain text": {"Content_Type": "text/plain"},
    "no token": {"X_Hotspot_Token": ""},
    "a guessed token": {"X_Hotspot_Token": "guess"},
}


@pytest.mark.parametrize("path", ["/decide", "/issue", "/withdraw"])
@pytest.mark.parametrize("changed", ALIEN.values(), ids=ALIEN.keys())
def test_other_websites_cannot_act(closed: Served, path: str, changed: dict[str, str]) -> None:
    page = closed.ask("GET", "/").text
    headers = {
        **closed.own(page),
        **{name: value.format(host=closed.host) for name, value in changed.items()},
    }
    answer = closed.ask("POST", path, "{}", **headers)
    assert answer.status == 403, answer.text
    assert nothing_written(closed.settings)


@pytest.mark.parametrize("host", ["example.org", "127.0.0.1", "127.0.0.1:1", "", "localhost.example.org"])
def test_another_name_of_the_machine_is_refused_even_for_reading(closed: Served, host: str) -> None:
    assert closed.ask("GET", "/", Host=host).status == 421
    assert closed.ask("GET", "/outputs/", Host=host).status == 421


@pytest.mark.parametrize("path", ["/decide", "/issue", "/withdraw"])
def test_looking_never_acts(closed: Served, path: str) -> None:
    assert closed.ask("GET", path).status == 405
    assert closed.ask("HEAD", path).status == 405
    assert nothing_written(closed.settings)


def test_files_outside_the_outputs_are_not_served(closed: Served) -> None:
    for path in ("/outputs/../settings.toml", "/outputs/%2e%2e/settings.toml", "/settings.toml"):
        assert closed.ask("GET", path).status == 404


def test_a_page_among_the_outputs_cannot_act_as_the_desk(closed: Served) -> None:
    (closed.settings.outputs / "page.html").write_text("<script>alert(1)</script>", encoding="utf-8")
    policy = closed.ask("GET", "/outputs/page.html").headers["content-security-policy"]
    assert policy.startswith("sandbox") and "same-origin" not in policy


def refused(answer: Answer) -> str:
    assert answer.status in (400, 409), answer.text
    return str(answer.json["refused"])


def test_what_cannot_be_decided_is_one_plain_line(closed: Served) -> None:
    page = closed.ask("GET", "/").text
    first = decisions_on(page)[0]

    def decide(**changed: Any) -> str:
        return refused(closed.send(page, "/decide", decisions=[{**first, **changed}]))

    assert "not the ones that were looked at" in decide(areas_seen="0" * 64)
    assert "Give a reason" in decide(decision="reject")
    assert "Give a reason" in decide(
        changes=[{"action": "drop", "area_id": f"{EAST}-burglary-1", "reason": ""}]
    )
    assert "decisions.0.decision" in decide(decision="maybe")
    assert "decisions.0.simulated" in decide(simulated=True)
    assert "decisions" in refused(closed.send(page, "/decide", decisions=[]))
    assert "load it again" in refused(closed.send(page, "/decide", decisions=[first], page="x"))
    assert "who decides" in refused(closed.send(page, "/decide", decisions=[first], name=" "))
    assert "no review" in refused(closed.send(page, "/issue", reviews=["0123456789abcdef"]))
    assert "no issue" in refused(closed.send(page, "/withdraw", issues=["x"], reason="legal"))
    assert "cannot be read" in refused(closed.ask("POST", "/decide", "{", **closed.own(page)))
    assert nothing_written(closed.settings)


def sheets_of(settings: Settings, at_least: int) -> list[Path]:
    """The sheets of issued lists; they are drawn in a process of their own, so they may take a while."""
    for _ in range(600):
        sheets = sorted((settings.outputs / str(DAY) / "issued").rglob("*.html"))
        if len(sheets) >= at_least:
            break
        time.sleep(0.1)
    return sheets


def test_approve_with_changes_issue_tell_the_second_and_withdraw(tmp_path: Path) -> None:
    settings = reviewable(tmp_path / "home")
    with served(settings) as desk:
        page = desk.ask("GET", "/").text
        late = desk.ask("GET", "/").text
        both = decisions_on(page)
        both[1]["changes"] = [
            {"action": "drop", "area_id": f"{WEST}-burglary-2", "reason": "already_tasked"},
            {
                "action": "reorder",
                "area_id": f"{WEST}-burglary-3",
                "reason": "other",
                "text": "fair",
                "to_rank": 1,
            },
        ]
        done = desk.send(page, "/decide", decisions=both)
        assert done.status == 200, done.text
        assert done.json["kept"] == {"reviews": 2, "issued_patrol_areas": 2}
        told = refused(desk.send(late, "/decide", decisions=decisions_on(late), name="B. Person"))
        assert "A. Person (duty sergeant) has decided about" in told
        after = desk.ask("GET", "/").text
        assert decisions_on(after) == []
        assert after.count("> Issued until ") == 2
        lake = lake_of(settings)
        issued = lake.read("SELECT DISTINCT unit, issue_id FROM issued_patrol_areas ORDER BY unit").rows()
        assert len(sheets_of(settings, at_least=2)) == 2
        taken = desk.send(after, "/withdraw", issues=[issued[0][1]], reason="legal")
        assert taken.json["kept"] == {"withdrawals": 1}
        again = desk.ask("GET", "/").text
        assert "Withdrawn: the sheet must not be used" in again
        assert [each["decisions_seen"] for each in decisions_on(again)] == [1]
        came_to = desk.ask("GET", "/statistics").text
    assert '<th scope="row">duty sergeant</th><td class="number">2</td>' in came_to
    sheets = sheets_of(settings, at_least=2)
    texts = {sheet.name.split("-")[0]: sheet.read_text(encoding="utf-8") for sheet in sheets}
    assert len(texts) == 2
    west = next(text for name, text in texts.items() if name.startswith("West"))
    assert "Approved by A. Person, duty sergeant (by own declaration)" in west
    east = next(text for name, text in texts.items() if name.startswith("East"))
    assert ">WITHDRAWN</div>" in east or "Withdrawn" in east
    with dg.DagsterInstance.from_config(str(settings.dagster_home)) as instance:
        runs = {run.run_id: run for run in instance.get_runs()}
        decided = runs[done.json["run"]]
        assert (decided.job_name, decided.tags["user"]) == ("review_and_issue", "tester")
        assert json.dumps(decided.run_config).count("already_tasked") == 1
        event = instance.get_latest_materialization_event(dg.AssetKey("issued_patrol_areas"))
        assert event is not None and event.run_id == done.json["run"]
        materialization = event.asset_materialization
        assert materialization is not None
        told_of = str(materialization.metadata["lists"].value)
        assert all(issue_id in told_of for _, issue_id in issued)

"""Sheets of a small home: drafts, those of an approved list, what overtakes them, and their track record by hand."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from hotspot_assets.patrol.review import list_hash
from hotspot_assets.settings import Settings
from hotspot_assets.warehouse.forecasts import areas_between, headers_of
from hotspot_assets.warehouse.issuing import withdraw_issues
from hotspot_assets.warehouse.lake import Lake
from hotspot_assets.warehouse.reads import caught_by_rank
from hotspot_assets.warehouse.review_reads import Place, standings
from hotspot_assets.workflow.briefings import write_briefings, write_overview
from hotspot_assets.workflow.day_maps import write_maps
from hotspot_assets.workflow.patrols import make_patrol_areas
from hotspot_assets.workflow.review import Person, Played, Wish, decide, issue
from hotspot_assets.workflow.sheets import SheetError, write_drafts, write_issued
from hotspot_assets_tests.workflow.homes import deliver, forecast, lake_of, town
from hotspot_assets_tests.workflow.test_patrols import DAY, SHIFTS, STAMP, settings_of

BEFORE = DAY - timedelta(days=3)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Settings, Lake]]:
    """Four days of forecasts and areas, by three shifts."""
    settings = settings_of(tmp_path_factory.mktemp("sheets"), SHIFTS)
    deliver(settings, "town.csv", town(300))
    forecast(settings, BEFORE, DAY)
    lake = lake_of(settings)
    list(make_patrol_areas(lake, settings, BEFORE, DAY, STAMP))
    yield settings, lake
    lake.close()


def test_drafts_of_each_unit_and_shift(home: tuple[Settings, Lake]) -> None:
    settings, lake = home
    paths = write_drafts(lake, settings, DAY, areas_between(lake, DAY, DAY))
    folder = settings.outputs / DAY.isoformat() / "sheets"
    names = sorted(path.relative_to(folder).as_posix() for path in paths)
    assert names == [
        "early.pdf", "early/East.html", "early/West.html", "late.pdf", "late/East.html", "late/West.html",
        "night.pdf", "night/East.html", "night/West.html",
    ]  # fmt: skip
    page = (folder / "early" / "West.html").read_text(encoding="utf-8")
    assert "DRAFT: nobody has approved these areas" in page and "Not approved." in page
    assert "04:00 to 12:00" in page and "began before the cut-off" in page
    assert "Known up to Tue 10 March 2020, 05:00 (1 h after the shift began)" in page
    assert "burglary by hour of the day" in page
    assert "began before the cut-off" not in (folder / "late" / "West.html").read_text(encoding="utf-8")
    assert len(re.findall(rb"/Type /Page\b", (folder / "early.pdf").read_bytes())) == 2


def test_the_track_record_by_hand(home: tuple[Settings, Lake]) -> None:
    """Hits, incidents and ground counted cell by cell from the areas and the rows as delivered."""
    _, lake = home
    header = lake.read("FROM forecasts WHERE forecast_date = ?", [DAY]).row(0, named=True)
    last = DAY - timedelta(days=2)
    found = caught_by_rank(lake, BEFORE, last, header["cut_off"], header["delivery_seq"])
    cells = lake.read("SELECT cell, area_km2 FROM cells WHERE study_area_id = ?", [header["study_area_id"]])
    km2 = dict(cells.iter_rows())
    areas = areas_between(lake, BEFORE, last).filter(pl.col("shift") == "late")
    weights = lake.read(
        "SELECT day, cell, weight FROM hexagon_incidents WHERE day BETWEEN ? AND ?", [BEFORE, last]
    )
    inside = [(day, cell, weight / 1e6) for day, cell, weight in weights.iter_rows() if cell in km2]
    assert inside, "something happened"
    for row in found.to_dicts():
        flagged = [
            (area["forecast_date"], cell)
            for area in areas.filter(pl.col("rank") == row["rank"]).to_dicts()
            for cell in area["cells"]
        ]
        hits = sum(weight for day, cell, weight in inside if (day, cell) in set(flagged))
        assert row["hit_rate"] == pytest.approx(hits / sum(weight for *_, weight in inside))
        assert row["average_hit_rate"] == pytest.approx(
            sum(km2[cell] for _, cell in flagged) / (2 * sum(km2.values()))
        )
        assert row["days"] == 2
    assert found["rank"].to_list() == sorted(areas["rank"].unique())


def issued(settings: Settings, lake: Lake, *, unit: str) -> str:
    """Approve and issue the late shift's list of a unit, as a person would; returns the issue's id."""
    place = Place(DAY, "late", unit)
    (areas,) = (each.areas for key, each in standings(lake.read, [DAY]).items() if key == place)
    person = Person("A. Person", "duty inspector", datetime(2020, 3, 10, 5, tzinfo=UTC))
    wish = Wish(place, "approve", list_hash(areas), 0)
    played = Played(person.opened_at, datetime(2020, 3, 10, 5, 30, tzinfo=UTC))
    fictional = settings.model_copy(update={"area": settings.area.model_copy(update={"synthetic": True})})
    (answer,) = decide(lake, fictional, [wish], person, STAMP, played).result
    assert answer.row, answer.refusal
    (made,) = issue(lake, fictional, [answer.row["review_id"]], "A. Person", STAMP, played.decided_at).result
    assert made.row, made.refusal
    return str(made.row["issue_id"])


def test_what_is_issued_has_sheets_that_say_what_came_after(home: tuple[Settings, Lake]) -> None:
    settings, lake = home
    assert write_issued(lake, settings, DAY) == [], "nothing is issued, so there is no sheet"
    west, east = issued(settings, lake, unit="West"), issued(settings, lake, unit="East")
    paths = write_issued(lake, settings, DAY)
    folder = settings.outputs / DAY.isoformat() / "issued" / "late"
    page, pdf = folder / f"West-{west[:8]}.html", folder / f"West-{west[:8]}.pdf"
    assert {page, pdf} < set(paths) and len(paths) == 4
    text = page.read_text(encoding="utf-8")
    assert "Approved by A. Person, duty inspector (by own declaration)" in text and f"Issue {west}" in text
    assert ">SIMULATED APPROVAL</div>" in text and "DRAFT" not in text
    assert pdf.read_bytes().startswith(b"%PDF")
    before = page.stat().st_mtime_ns
    assert write_issued(lake, settings, DAY) == paths and page.stat().st_mtime_ns == before
    (taken_back,) = withdraw_issues(
        lake, [east], "A. Person", "event_changed", "", datetime(2020, 3, 10, 7, tzinfo=UTC), STAMP
    ).result
    assert taken_back.row, taken_back.refusal
    assert sorted(write_issued(lake, settings, DAY)) == sorted([page, pdf, folder / f"East-{east[:8]}.html"])
    assert ">WITHDRAWN</div>" in (folder / f"East-{east[:8]}.html").read_text(encoding="utf-8")
    otherwise = settings.forecast.model_copy(update={"least_incidents": 20})
    forecast(settings.model_copy(update={"forecast": otherwise}), DAY, DAY)
    write_issued(lake, settings, DAY)
    newest = headers_of(lake, DAY, DAY)["forecast_id"].item()
    assert f"Superseded by forecast {newest}" in page.read_text(encoding="utf-8")
    assert not pdf.exists()


def test_a_newer_list_puts_older_drafts_aside(home: tuple[Settings, Lake]) -> None:
    settings, lake = home
    areas = areas_between(lake, DAY, DAY)
    folder = settings.outputs / DAY.isoformat() / "sheets"
    write_drafts(lake, settings, DAY, areas)
    before = sorted(folder.rglob("*.html"))
    write_drafts(lake, settings, DAY, areas)
    assert sorted(folder.rglob("*.html")) == before, "the same list overtakes nothing"
    newer = areas.filter(pl.col("unit") == "West").with_columns(why=pl.lit("Another reason."))
    write_drafts(lake, settings, DAY, newer)
    assert (
        sorted(path.name for path in folder.glob("*/*.html") if path.parent.name != "superseded")
        == ["West.html"] * 3
    )
    aside = sorted((folder / "superseded").iterdir())
    assert len(aside) == 6
    newest = headers_of(lake, DAY, DAY)["forecast_id"].item()
    for path in aside:
        text = path.read_text(encoding="utf-8")
        assert f"Superseded by forecast {newest}" in text and ">SUPERSEDED</div>" in text


def test_what_no_sheet_can_be_made_of(home: tuple[Settings, Lake]) -> None:
    settings, lake = home
    areas = areas_between(lake, DAY, DAY)
    assert write_drafts(lake, settings, DAY, areas.clear()) == []
    with pytest.raises(SheetError, match="No forecast was made"):
        write_drafts(lake, settings, DAY + timedelta(days=9), areas)
    with pytest.raises(SheetError, match="know no shift 'early'"):
        write_drafts(lake, settings_of(settings.home, ""), DAY, areas)
    with pytest.raises(SheetError, match="knows no unit 'Elsewhere'"):
        write_drafts(lake, settings, DAY, areas.with_columns(unit=pl.lit("Elsewhere")))


def test_the_day_links_to_its_sheets_and_the_overview_to_the_days(home: tuple[Settings, Lake]) -> None:
    settings, lake = home
    (before,) = write_briefings(lake, settings, DAY, DAY)
    page = (before.folder / "index.html").read_text(encoding="utf-8")
    areas = areas_between(lake, DAY, DAY)
    assert all(name in page for name in areas["name"]) and "<img" not in page  # lists do not wait for maps
    (maps,) = write_maps(lake, settings, DAY, DAY)
    (files,) = write_briefings(lake, settings, DAY, DAY)
    index = (files.folder / "index.html").read_text(encoding="utf-8")
    links = re.findall(r'href="([^"#]+)"', index)
    assert "sheets/late/West.html" in links and "sheets/late.pdf" in links
    assert all((files.folder / link).exists() for link in links)
    assert maps.map_png is not None and base64.b64encode(maps.map_png).decode() in index
    sheet = files.folder / "sheets" / "late" / "West.html"
    reasons = re.findall(r'href="([^"]+)"', sheet.read_text(encoding="utf-8"))
    assert all((sheet.parent / link).resolve().exists() for link in reasons)
    overview = write_overview(lake, settings, DAY)
    assert overview is not None and all(
        f'"{day}"' in overview.read_text(encoding="utf-8") for day in (BEFORE, DAY)
    )
    assert write_overview(lake, settings, BEFORE - timedelta(days=31)) is None

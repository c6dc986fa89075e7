"""Maps and exports of a day: which are drawn, which stay, and that no page shows those of another list."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from hotspot_assets.settings import Settings
from hotspot_assets.warehouse.lake import Lake
from hotspot_assets.workflow.briefings import write_briefings
from hotspot_assets.workflow.day_maps import write_maps
from hotspot_assets.workflow.patrols import make_patrol_areas
from hotspot_assets_tests.workflow.homes import deliver, forecast, lake_of, town
from hotspot_assets_tests.workflow.test_patrols import DAY, STAMP, settings_of

BEFORE = DAY - timedelta(days=1)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[tuple[Settings, Lake]]:
    """Two days of areas of two offence groups."""
    settings = settings_of(tmp_path, "[patrol]\nbudget_km2 = 0.2\nmax_radius_m = 300\n")
    named = settings.forecast.model_copy(update={"groups": ["burglary", "robbery"]})
    settings = settings.model_copy(update={"forecast": named})
    robberies = [(f"R{row[0]}", "robbery", *row[2:]) for row in town(120, seed=8)]
    deliver(settings, "town.csv", [*town(200), *robberies])
    forecast(settings, BEFORE, DAY)
    lake = lake_of(settings)
    list(make_patrol_areas(lake, settings, BEFORE, DAY, STAMP))
    yield settings, lake
    lake.close()


def maps_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("map-*.png"))


def page_of(settings: Settings, lake: Lake) -> str:
    (files,) = write_briefings(lake, settings, DAY, DAY)
    return (files.folder / "index.html").read_text(encoding="utf-8")


def test_the_last_day_of_a_range_has_a_map_of_each_group(home: tuple[Settings, Lake]) -> None:
    """Earlier days have one, of the group with most incidents; maps they have already of the same list stay."""
    settings, lake = home
    before, day = write_maps(lake, settings, BEFORE, DAY)
    assert maps_in(before.folder) == ["map-burglary.png"]
    assert maps_in(day.folder) == ["map-burglary.png", "map-robbery.png"]
    list(write_maps(lake, settings, BEFORE, BEFORE))
    list(write_maps(lake, settings, BEFORE, DAY))
    assert maps_in(before.folder) == ["map-burglary.png", "map-robbery.png"]


def test_no_page_shows_maps_or_exports_of_another_list(home: tuple[Settings, Lake]) -> None:
    settings, lake = home
    list(write_maps(lake, settings, DAY, DAY))
    page = page_of(settings, lake)
    assert page.count("<img") == 2 and "patrol_areas.geojson" in page
    smaller = settings.model_copy(update={"patrol": settings.patrol.model_copy(update={"budget_km2": 0.1})})
    list(make_patrol_areas(lake, smaller, DAY, DAY, STAMP))
    page = page_of(smaller, lake)
    assert "<img" not in page and "patrol_areas.geojson" not in page
    list(write_maps(lake, smaller, DAY, DAY))
    assert page_of(smaller, lake).count("<img") == 2


def test_a_day_without_a_forecast_has_no_map(home: tuple[Settings, Lake]) -> None:
    settings, lake = home
    (made,) = write_maps(lake, settings, DAY + timedelta(days=5), DAY + timedelta(days=5))
    assert made.map_png is None and maps_in(made.folder) == []

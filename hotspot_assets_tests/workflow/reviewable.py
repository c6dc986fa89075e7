"""A home whose newest lists can be decided: a town in two halves, forecast for tomorrow; no list ends mid-test."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from hotspot_assets.patrol.review import list_hash
from hotspot_assets.settings import Settings, load_settings
from hotspot_assets.warehouse.lake import Lake, Stamp
from hotspot_assets.warehouse.review_reads import Place, Standing, standings
from hotspot_assets.workflow.patrols import make_patrol_areas
from hotspot_assets.workflow.review import Person, Wish

from .homes import LAST_DAY, deliver, forecast, home_in, lake_of, town

WEST, EAST = "West side", "East side"
STAMP = Stamp("tester", "run-1")
DAY = datetime.now(UTC).date() + timedelta(days=1)
_UNITS = """
[area]
units = "units.geojson"
unit_name_field = "name"

[patrol]
budget_share = 0.05
areas = 3
max_radius_m = 150.0
"""


def _halves(folder: Path) -> None:
    def box(name: str, west: float, east: float) -> dict[str, object]:
        ring = [[west, 51.3], [east, 51.3], [east, 51.7], [west, 51.7], [west, 51.3]]
        return {
            "type": "Feature",
            "properties": {"name": name},
            "geometry": {"type": "Polygon", "coordinates": [ring]},
        }

    halves = {"type": "FeatureCollection", "features": [box(WEST, -0.4, -0.1), box(EAST, -0.1, 0.2)]}
    (folder / "units.geojson").write_text(json.dumps(halves), encoding="utf-8")


@cache
def _made() -> Path:
    """The home, made once; tests work on copies."""
    folder = Path(mkdtemp(prefix="reviewable"))
    _halves(folder)
    settings = home_in(folder, _UNITS)
    later = DAY - timedelta(days=1) - LAST_DAY
    rows = [(each[0], each[1], _moved(each[2], later), *each[3:]) for each in town(400)]
    deliver(settings, "first.csv", rows)
    forecast(settings, DAY - timedelta(days=1), DAY)
    lake = lake_of(settings)
    list(make_patrol_areas(lake, settings, DAY - timedelta(days=1), DAY, STAMP))
    lake.close()
    return folder


def _moved(moment: str, by: timedelta) -> str:
    return (datetime.fromisoformat(moment) + by).isoformat()


def reviewable(folder: Path, more: str = "") -> Settings:
    """Settings of a fresh copy of the home, with `more` at the end of its settings file."""
    shutil.copytree(_made(), folder)
    file = folder / "settings.toml"
    file.write_text(file.read_text(encoding="utf-8") + more, encoding="utf-8")
    return load_settings({"HOTSPOT_HOME": str(folder)})


def place(unit: str = WEST, day: date = DAY) -> Place:
    return Place(day, "day", unit)


def standing(lake: Lake, unit: str = WEST, day: date = DAY) -> Standing:
    return standings(lake.read, [day])[place(unit, day)]


def person(name: str = "A. Person", seconds: float = 90.0) -> Person:
    return Person(name, "duty sergeant", datetime.now(UTC) - timedelta(seconds=seconds))


def wish(lake: Lake, unit: str = WEST, outcome: str = "approve", **more: object) -> Wish:
    """A decision about the list as it stands now."""
    now = standing(lake, unit)
    return Wish(place(unit), outcome, list_hash(now.areas), now.round, **more)  # type: ignore[arg-type]

"""A home whose newest lists can be decided: a town with a forecast for today, in a zone where it is about noon.

So no list ends while a test runs, at whatever hour that is.
"""

from __future__ import annotations

import atexit
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
MANY_UNITS = tuple(f"Ward {number:02}" for number in range(1, 25))
STAMP = Stamp("tester", "run-1")
AHEAD_HOURS = 12 - datetime.now(UTC).hour
ZONE = f"Etc/GMT{-AHEAD_HOURS:+d}" if AHEAD_HOURS else "Etc/UTC"  # the signs of these names are turned round
DAY = (datetime.now(UTC) + timedelta(hours=AHEAD_HOURS)).date()
END_OF_DAY = datetime(DAY.year, DAY.month, DAY.day, tzinfo=UTC) + timedelta(hours=24 - AHEAD_HOURS)
_SETTINGS = f"""
[area]
timezone = "{ZONE}"
units = "units.geojson"
unit_name_field = "name"

[patrol]
budget_share = 0.05
areas = 3
max_radius_m = 150.0
pdf = false
"""
SHIFTS = """
shifts = [{name = "early", start = 06:00:00, end = 14:00:00}, {name = "late", start = 14:00:00, end = 22:00:00},
          {name = "night", start = 22:00:00, end = 06:00:00}]
"""


def strips(names: list[str]) -> str:
    """Units side by side from west to east, many of them in two rows, as GeoJSON; the outermost reach far out."""
    rows = 2 if len(names) > 6 else 1
    columns = len(names) // rows
    inner = [-0.1 + (number - columns / 2) * 0.0011 * rows for number in range(1, columns)]
    edges, lines = [-0.4, *inner, 0.2], [51.3, *[51.5] * (rows - 1), 51.7]

    def box(number: int, name: str) -> dict[str, object]:
        west, east = edges[number // rows], edges[number // rows + 1]
        south, north = lines[number % rows], lines[number % rows + 1]
        ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
        geometry = {"type": "Polygon", "coordinates": [ring]}
        return {"type": "Feature", "properties": {"name": name}, "geometry": geometry}

    features = [box(*each) for each in enumerate(names)]
    return json.dumps({"type": "FeatureCollection", "features": features})


@cache
def _made(units: tuple[str, ...], shifts: str) -> Path:
    """The home, made once; tests work on copies."""
    folder = Path(mkdtemp(prefix="reviewable"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    (folder / "units.geojson").write_text(strips(list(units)), encoding="utf-8")
    settings = home_in(folder, _SETTINGS + shifts)
    later = DAY - LAST_DAY
    rows = [(each[0], each[1], _moved(each[2], later), *each[3:]) for each in town(400)]
    deliver(settings, "first.csv", rows)
    forecast(settings, DAY, DAY)
    lake = lake_of(settings)
    list(make_patrol_areas(lake, settings, DAY, DAY, STAMP))
    lake.close()
    return folder


def _moved(moment: str, by: timedelta) -> str:
    return (datetime.fromisoformat(moment) + by).isoformat()


def reviewable(folder: Path, units: tuple[str, ...] = (WEST, EAST), shifts: str = "") -> Settings:
    """Settings of a fresh copy of the home."""
    shutil.copytree(_made(units, shifts), folder)
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

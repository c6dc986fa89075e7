"""A small home for tests: two months of burglaries in a town, delivered as the project's own contract."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl

from hotspot_assets.settings import Settings, load_settings
from hotspot_assets.warehouse.lake import Lake, Stamp
from hotspot_assets.workflow.bucketing import bucket_new_deliveries
from hotspot_assets.workflow.deliveries import Declaration, Taken, take_in
from hotspot_assets.workflow.forecasts import make_forecasts

FIRST_DAY, LAST_DAY = date(2020, 1, 2), date(2020, 3, 10)
COLUMNS = ("reference", "offence_code", "occurred_from", "occurred_to", "latitude", "longitude")
SOURCE = "contract"
RECORDED = '[intake.source]\nknowledge = "recorded"\n'
"""Settings by which rows are known from when their source recorded them, not from when they were delivered."""

_SETTINGS = """
[forecast]
model = "{model}"
groups = ["burglary"]
"""


def home_in(folder: Path, more: str = "", model: str = "count_365") -> Settings:
    """Settings of a new home."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "settings.toml").write_text(_SETTINGS.format(model=model) + more, encoding="utf-8")
    return load_settings({"HOTSPOT_HOME": str(folder)})


def lake_of(settings: Settings) -> Lake:
    """The home's lake."""
    return Lake(settings.warehouse, settings.data_path)


def row(
    reference: str,
    at: datetime,
    latitude: float = 51.5,
    longitude: float = -0.1,
    *,
    until: datetime | None = None,
    code: str = "burglary",
) -> tuple[str, ...]:
    """One row of the contract, as text."""
    end = until.isoformat() if until else ""
    return (reference, code, at.isoformat(), end, str(latitude), str(longitude))


def town(incidents: int = 150, seed: int = 7) -> list[tuple[str, ...]]:
    """Rows of a town's burglaries."""
    draw = random.Random(seed)
    seconds = int((LAST_DAY - FIRST_DAY).total_seconds())
    start = datetime.combine(FIRST_DAY, datetime.min.time(), UTC)
    return [
        row(
            f"TOWN-{number:05}",
            start + timedelta(seconds=draw.randrange(seconds)),
            round(draw.gauss(51.5, 0.005), 6),
            round(draw.gauss(-0.1, 0.005), 6),
        )
        for number in range(incidents)
    ]


def boundary(path: Path, degrees: float, name: str | None = None) -> None:
    """Write a square of so many degrees to each side of the town's middle, of that `name`."""
    west, east, south, north = -0.1 - degrees, -0.1 + degrees, 51.5 - degrees, 51.5 + degrees
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    geometry = {"type": "Polygon", "coordinates": [ring]}
    feature = {"type": "Feature", "properties": {"name": name} if name else {}, "geometry": geometry}
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}), encoding="utf-8")


def deliver(
    settings: Settings,
    name: str,
    rows: Sequence[Sequence[str]],
    run: str = "",
    columns: Sequence[str] = COLUMNS,
) -> Taken:
    """Drop a file, take it in and bucket it; each file is a run of its own."""
    settings.landing.mkdir(parents=True, exist_ok=True)
    path = settings.landing / name
    text = "\n".join(",".join(each) for each in (columns, *rows)) + "\n"
    path.write_text(text, encoding="utf-8")
    stamp = Stamp("tester", run or name)
    lake = lake_of(settings)
    taken = take_in(lake, settings, path, Declaration(), stamp)
    bucket_new_deliveries(lake, settings, stamp)
    lake.close()
    return taken


def forecast(settings: Settings, first: date, last: date) -> pl.DataFrame:
    """Make forecasts; returns their headers."""
    lake = lake_of(settings)
    made = [
        facts.headers for facts in make_forecasts(lake, settings, first, last, Stamp("tester", "forecast"))
    ]
    lake.close()
    return pl.concat(made)

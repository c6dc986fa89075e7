"""A day's patrol areas as maps and as files for other systems: what people wait for in the morning.

Belongs here: gathering what maps need, and writing maps and exports under `outputs/<date>/`. Not here: drawing
(patrol), and the pages and sheets that show the maps (`briefings`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from hotspot_assets.patrol.exports import EXPORTS, write_exports
from hotspot_assets.patrol.maps import MapView, map_png
from hotspot_assets.patrol.review import list_hash
from hotspot_assets.settings import Settings
from hotspot_assets.warehouse.forecasts import areas_between, headers_of, scores_between
from hotspot_assets.warehouse.lake import Lake
from hotspot_assets.workflow.dates import days_between, local_time
from hotspot_assets.workflow.files import file_name, write_whole
from hotspot_assets.workflow.study_area import kept_study_area, unit_boundaries

if TYPE_CHECKING:
    import geopandas as gpd

DRAFT = "draft"
_DRAWN_BEFORE_THE_LAST = 1
"""Offence groups drawn for the earlier days of a range; the last day has a map of each."""
_RECORD = "shown.json"
"""What each map and export of a day shows, beside them: a page made later takes none of another list."""


@dataclass(frozen=True)
class DayFiles:
    """What was written for a day."""

    date: date
    folder: Path
    paths: tuple[Path, ...]


@dataclass(frozen=True)
class DayMaps(DayFiles):
    """Maps and exports of a day; `map_png` is the map of the offence group with the most incidents known."""

    map_png: bytes | None


def write_maps(lake: Lake, settings: Settings, first: date, last: date) -> Iterator[DayMaps]:
    """Write maps and exports of each day first..last; a map of every offence group for the last day only."""
    boundaries = unit_boundaries(settings)
    for day in days_between(first, last):
        made = made_headers(lake, day)
        most = made.height if day == last else _DRAWN_BEFORE_THE_LAST
        yield _write_day(lake, settings, day, made, most, boundaries)


def made_headers(lake: Lake, day: date) -> pl.DataFrame:
    """Headers of the forecasts that were made for a day, the offence group with the most incidents known first."""
    made = headers_of(lake, day, day).filter(pl.col("not_made_because").is_null())
    return made.sort("incidents_known", descending=True, maintain_order=True)


@dataclass(frozen=True)
class Lying:
    """What lies in a day's folder and shows its forecast and areas as they are: maps by group, and names of files."""

    maps: dict[str, bytes | None]
    names: list[str]


def lying(settings: Settings, day: date, made: pl.DataFrame, areas: pl.DataFrame) -> Lying:
    """Maps and exports that show these headers and areas; those of another list, which may lie there, are left out."""
    folder = settings.outputs / day.isoformat()
    there = [name for name in _still_true(folder, _marks(made, areas)) if (folder / name).exists()]
    maps = {group: _map_name(group) for group in made["offence_group"]}
    return Lying(
        {group: (folder / name).read_bytes() if name in there else None for group, name in maps.items()},
        there,
    )


def _write_day(
    lake: Lake,
    settings: Settings,
    day: date,
    made: pl.DataFrame,
    most: int,
    boundaries: gpd.GeoDataFrame | None,
) -> DayMaps:
    """Draw the first `most` of the forecasts made; maps of the others stay if they show the same list."""
    areas, folder = areas_between(lake, day, day), settings.outputs / day.isoformat()
    marks = _marks(made, areas)
    kept = _still_true(folder, marks)
    paths = write_exports(areas, folder, DRAFT, settings.area.synthetic)
    maps = _maps(lake, settings, day, made.head(most), areas, boundaries)
    drawn = [write_whole(folder / _map_name(group), png) for group, png in maps.items()]
    now = {*kept, *(path.name for path in (*paths, *drawn))}
    for older in folder.glob("map-*.png"):
        if older.name not in now:
            older.unlink(missing_ok=True)
    record = {name: mark for name, mark in marks.items() if name in now}
    write_whole(folder / _RECORD, json.dumps(record, indent=1).encode())
    return DayMaps(day, folder, (*paths, *drawn), next(iter(maps.values()), None))


def _marks(made: pl.DataFrame, areas: pl.DataFrame) -> dict[str, str]:
    """Of each file a day can have: what tells whether it shows these forecasts and areas."""
    of_group = {
        _map_name(group): f"{forecast_id} {list_hash(areas.filter(pl.col('offence_group') == group))}"
        for group, forecast_id in made.select("offence_group", "forecast_id").iter_rows()
    }
    return dict.fromkeys(EXPORTS, list_hash(areas)) | of_group


def _still_true(folder: Path, marks: dict[str, str]) -> list[str]:
    """Names of files that were written of what the marks stand for."""
    path = folder / _RECORD
    record = json.loads(path.read_bytes()) if path.exists() else {}
    return [name for name, mark in marks.items() if record.get(name) == mark]


def _map_name(group: str) -> str:
    return f"map-{file_name(group)}.png"


def _maps(
    lake: Lake,
    settings: Settings,
    day: date,
    headers: pl.DataFrame,
    areas: pl.DataFrame,
    boundaries: gpd.GeoDataFrame | None,
) -> dict[str, bytes]:
    """The map of each offence group whose header is given, in their order."""
    scores = scores_between(lake, day, day)
    return {
        header["offence_group"]: map_png(
            MapView(
                area=kept_study_area(lake, header["study_area_id"]),
                surface=scores.filter(pl.col("offence_group") == header["offence_group"]),
                areas=areas.filter(pl.col("offence_group") == header["offence_group"]).unique(
                    "cells", keep="first", maintain_order=True
                ),
                place=settings.area.name,
                offence_group=header["offence_group"],
                forecast_date=day,
                cut_off=local_time(settings, header["cut_off"]),
                synthetic=settings.area.synthetic,
                boundaries=boundaries,
            )
        )
        for header in headers.to_dicts()
    }

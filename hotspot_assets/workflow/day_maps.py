"""A day's patrol areas as maps and as files for other systems: what people wait for in the morning.

Belongs here: gathering what maps need, and writing maps and exports under `outputs/<date>/`. Not here: drawing
(patrol), and the pages and sheets that show the maps (`briefings`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from hotspot_assets.patrol.exports import LAYER, write_exports
from hotspot_assets.patrol.maps import MapView, map_png
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


@dataclass(frozen=True)
class DayMaps:
    """What was written for a day; `map_png` is the map of the offence group with the most incidents known."""

    date: date
    folder: Path
    paths: tuple[Path, ...]
    map_png: bytes | None


def write_maps(lake: Lake, settings: Settings, first: date, last: date) -> Iterator[DayMaps]:
    """Write maps and exports of each day first..last; a map of every offence group for the last day only."""
    boundaries = unit_boundaries(settings)
    for day in days_between(first, last):
        made = made_headers(lake, day)
        yield _write_day(
            lake, settings, day, made if day == last else made.head(_DRAWN_BEFORE_THE_LAST), boundaries
        )


def made_headers(lake: Lake, day: date) -> pl.DataFrame:
    """Headers of the forecasts that were made for a day, the offence group with the most incidents known first."""
    made = headers_of(lake, day, day).filter(pl.col("not_made_because").is_null())
    return made.sort("incidents_known", descending=True, maintain_order=True)


def maps_of(settings: Settings, day: date, groups: list[str]) -> dict[str, bytes | None]:
    """The maps of these offence groups; None where none was written."""
    paths = {group: _map_path(settings, day, group) for group in groups}
    return {group: path.read_bytes() if path.exists() else None for group, path in paths.items()}


def files_of(settings: Settings, day: date) -> list[Path]:
    """Exports and maps of a day, as far as they were written."""
    folder = settings.outputs / day.isoformat()
    return [*sorted(folder.glob(f"{LAYER}.*")), *sorted(folder.glob("map-*.png"))]


def _write_day(
    lake: Lake, settings: Settings, day: date, headers: pl.DataFrame, boundaries: gpd.GeoDataFrame | None
) -> DayMaps:
    areas, folder = areas_between(lake, day, day), settings.outputs / day.isoformat()
    paths = write_exports(areas, folder, DRAFT, settings.area.synthetic)
    maps = _maps(lake, settings, day, headers, areas, boundaries)
    drawn = [write_whole(_map_path(settings, day, group), png) for group, png in maps.items()]
    for older in set(folder.glob("map-*.png")) - set(drawn):
        older.unlink()  # it shows another forecast
    return DayMaps(day, folder, (*paths, *drawn), next(iter(maps.values()), None))


def _map_path(settings: Settings, day: date, group: str) -> Path:
    return settings.outputs / day.isoformat() / f"map-{file_name(group)}.png"


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

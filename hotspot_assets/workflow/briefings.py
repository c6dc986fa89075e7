"""A day's patrol areas as maps and files for people: for review, not for issue.

Belongs here: gathering what a day's files need and writing them under `outputs/<date>/`. Not here: drawing
(patrol).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl

from hotspot_assets.patrol.exports import write_exports
from hotspot_assets.patrol.maps import MapView, map_png
from hotspot_assets.settings import Settings
from hotspot_assets.warehouse.forecasts import areas_between, headers_of, scores_between
from hotspot_assets.warehouse.lake import Lake
from hotspot_assets.workflow.dates import days_between
from hotspot_assets.workflow.study_area import kept_study_area, unit_boundaries

_DRAFT = "draft"


@dataclass(frozen=True)
class DayFiles:
    """What was written for a day; `map_png` is the map of the offence group with the most incidents expected."""

    date: date
    folder: Path
    paths: tuple[Path, ...]
    map_png: bytes | None


def write_briefings(lake: Lake, settings: Settings, first: date, last: date) -> Iterator[DayFiles]:
    """Write the files of each day first..last."""
    boundaries = unit_boundaries(settings)
    for day in days_between(first, last):
        headers = headers_of(lake, day, day).filter(pl.col("not_made_because").is_null())
        areas, scores = areas_between(lake, day, day), scores_between(lake, day, day)
        folder = settings.outputs / day.isoformat()
        paths = write_exports(areas, folder, _DRAFT, settings.area.synthetic)
        maps: list[bytes] = []
        for header in headers.sort("incidents_known", descending=True).to_dicts():
            group = header["offence_group"]
            view = MapView(
                area=kept_study_area(lake, header["study_area_id"]),
                surface=scores.filter(pl.col("offence_group") == group),
                areas=areas.filter(pl.col("offence_group") == group),
                place=settings.area.name,
                offence_group=group,
                forecast_date=day,
                cut_off=f"{header['cut_off'].astimezone(ZoneInfo(settings.area.timezone)):%Y-%m-%d %H:%M %Z}",
                synthetic=settings.area.synthetic,
                boundaries=boundaries,
            )
            maps.append(map_png(view))
            paths.append(write_whole(folder / f"map-{group}.png", maps[-1]))
        yield DayFiles(day, folder, tuple(paths), maps[0] if maps else None)


def write_whole(path: Path, content: bytes) -> Path:
    """Write a file; it appears complete or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(content)
    part.replace(path)
    return path

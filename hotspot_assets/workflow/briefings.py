"""A day's patrol areas as maps, pages and files for people: for review, not for issue.

Belongs here: gathering what a day's files need and writing them under `outputs/<date>/`. Not here: drawing and
wording (patrol).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import polars as pl

from hotspot_assets.hexgrid.cells import cell_to_hex
from hotspot_assets.patrol.exports import write_exports
from hotspot_assets.patrol.maps import MapView, map_png
from hotspot_assets.patrol.pages import SHOWN_INCIDENTS, DayPage, WhyPage, day_html, why_html
from hotspot_assets.settings import Settings
from hotspot_assets.warehouse.forecasts import areas_between, headers_of, scores_between
from hotspot_assets.warehouse.lake import Lake
from hotspot_assets.warehouse.reads import lines_of_incidents
from hotspot_assets.workflow.dates import days_between
from hotspot_assets.workflow.replay import CannotReplay, explain_cells
from hotspot_assets.workflow.study_area import kept_study_area, unit_boundaries

if TYPE_CHECKING:
    import geopandas as gpd

_DRAFT = "draft"
_EXPLAINED = 3
"""Areas of each offence group that get a page of their own; any other cell can be explained on demand."""
_DRAWN_BEFORE_THE_LAST = 1
"""Offence groups drawn for the earlier days of a range; the last day has a map of each."""


@dataclass(frozen=True)
class DayFiles:
    """What was written for a day; `map_png` is the map of the offence group with the most incidents known."""

    date: date
    folder: Path
    paths: tuple[Path, ...]
    map_png: bytes | None


def why_path(settings: Settings, day: date, area_id: str) -> Path:
    """Where the page of an area lies."""
    name = "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in area_id)
    return settings.outputs / day.isoformat() / "why" / f"{name}.html"


def write_briefings(lake: Lake, settings: Settings, first: date, last: date) -> Iterator[DayFiles]:
    """Write the files of each day first..last; all maps and pages of reasons for the last day only."""
    boundaries = unit_boundaries(settings)
    for day in days_between(first, last):
        yield _write_day(lake, settings, day, boundaries, newest=day == last)


def _write_day(
    lake: Lake, settings: Settings, day: date, boundaries: gpd.GeoDataFrame | None, *, newest: bool
) -> DayFiles:
    headers, areas = headers_of(lake, day, day), areas_between(lake, day, day)
    folder = settings.outputs / day.isoformat()
    paths = write_exports(areas, folder, _DRAFT, settings.area.synthetic)
    made = headers.filter(pl.col("not_made_because").is_null()).sort("incidents_known", descending=True)
    drawn = made if newest else made.head(_DRAWN_BEFORE_THE_LAST)
    maps = _maps(lake, settings, day, drawn, areas, boundaries)
    paths += [write_whole(folder / f"map-{group}.png", png) for group, png in maps.items()]
    why = _write_reasons(lake, settings, day, headers, areas) if newest else {}
    not_made = headers.filter(pl.col("not_made_because").is_not_null())
    page = DayPage(
        place=settings.area.name,
        synthetic=settings.area.synthetic,
        forecast_date=day,
        cut_off=_local(settings, headers["cut_off"][0]) if headers.height else "-",
        areas=areas,
        maps=maps,
        not_made=dict(not_made.select("offence_group", "not_made_because").rows()),
        why_pages={area_id: path.relative_to(folder).as_posix() for area_id, path in why.items()},
        files=[path.name for path in paths],
    )
    index = write_whole(folder / "index.html", day_html(page).encode())
    return DayFiles(day, folder, (index, *paths, *why.values()), next(iter(maps.values()), None))


def _local(settings: Settings, moment: Any) -> str:
    return f"{moment.astimezone(ZoneInfo(settings.area.timezone)):%Y-%m-%d %H:%M %Z}"


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
                areas=areas.filter(pl.col("offence_group") == header["offence_group"]),
                place=settings.area.name,
                offence_group=header["offence_group"],
                forecast_date=day,
                cut_off=_local(settings, header["cut_off"]),
                synthetic=settings.area.synthetic,
                boundaries=boundaries,
            )
        )
        for header in headers.to_dicts()
    }


def _write_reasons(
    lake: Lake, settings: Settings, day: date, headers: pl.DataFrame, areas: pl.DataFrame
) -> dict[str, Path]:
    """A page for the areas of each offence group that hold most of what is expected; path by area."""
    written: dict[str, Path] = {}
    for header in headers.filter(pl.col("not_made_because").is_null()).to_dicts():
        group = header["offence_group"]
        best = areas.filter(pl.col("offence_group") == group).sort(
            "share", "area_id", descending=[True, False]
        )
        chosen = best.head(_EXPLAINED).to_dicts()
        if not chosen:
            continue
        cells = sorted({cell for area in chosen for cell in area["cells"]})
        try:
            found = explain_cells(lake, settings, day, group, cells)
        except CannotReplay:
            continue  # a model that is no kernel has no sum to take apart
        largest = pl.col("contribution").rank("ordinal", descending=True).over("cell") <= SHOWN_INCIDENTS
        keys = found.contributions.filter(largest)["incident_key"].drop_nulls().unique()
        lines = lines_of_incidents(lake, keys, header["delivery_seq"])
        told = found.contributions.join(lines, on="incident_key", how="left")
        for area in chosen:
            page = WhyPage(
                place=settings.area.name,
                synthetic=settings.area.synthetic,
                area=area,
                cells=_named(found.cells.filter(pl.col("cell").is_in(area["cells"]))),
                contributions=_named(told.filter(pl.col("cell").is_in(area["cells"]))),
                forecast=header | {"cut_off": _local(settings, header["cut_off"])},
            )
            path = why_path(settings, day, area["area_id"])
            written[area["area_id"]] = write_whole(path, why_html(page).encode())
    return written


def _named(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with cells as text."""
    return rows.with_columns(cell=pl.Series(cell_to_hex(rows["cell"].to_list()), dtype=pl.String))


def write_whole(path: Path, content: bytes) -> Path:
    """Write a file; it appears complete or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(content)
    part.replace(path)
    return path

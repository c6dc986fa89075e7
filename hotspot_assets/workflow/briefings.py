"""A day's patrol areas as pages and sheets for people: for review, not for issue.

Belongs here: gathering what a day's pages need and writing them under `outputs/<date>/`. Not here: its maps and
exports (`day_maps`), wording (patrol).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path

import polars as pl

from hotspot_assets.forecasting.explain import OutsideStudyArea, TakenApart, explain
from hotspot_assets.patrol.overview import SHOWN_DAYS, Overview, overview_html
from hotspot_assets.patrol.pages import (
    DayPage,
    Reasons,
    Sources,
    all_sources,
    day_html,
    incidents_of_areas,
    sources_of,
    why_pages,
)
from hotspot_assets.settings import Settings
from hotspot_assets.warehouse.forecasts import areas_between, headers_of
from hotspot_assets.warehouse.lake import Lake
from hotspot_assets.warehouse.reads import lines_of_incidents
from hotspot_assets.workflow.dates import days_between, local_time
from hotspot_assets.workflow.day_maps import DRAFT, DayFiles, lying, made_headers
from hotspot_assets.workflow.files import why_path, write_whole
from hotspot_assets.workflow.replay import CannotReplay, take_day_apart
from hotspot_assets.workflow.sheets import write_drafts, write_issued
from hotspot_assets.workflow.study_area import unit_boundaries

_EXPLAINED = 100
"""Areas of each offence group that get a page of their own; any other cell can be explained on demand."""

_CELLS = 50
"""Cells, or those of one area, taken apart at a time: each may have tens of thousands of contributions."""


def write_briefings(lake: Lake, settings: Settings, first: date, last: date) -> Iterator[DayFiles]:
    """Write the page of each day first..last; sheets and pages of reasons for the last day only."""
    for day in days_between(first, last):
        yield _write_day(lake, settings, day, newest=day == last)


def _write_day(lake: Lake, settings: Settings, day: date, *, newest: bool) -> DayFiles:
    headers, areas = headers_of(lake, day, day), areas_between(lake, day, day)
    folder = settings.outputs / day.isoformat()
    why = _write_reasons(lake, settings, day, headers, areas) if newest else {}
    sheets = write_drafts(lake, settings, day, areas) if newest and settings.patrol.sheets else []
    issued = write_issued(lake, settings, day)
    there = lying(settings, day, made_headers(lake, day), areas)
    not_made = headers.filter(pl.col("not_made_because").is_not_null())
    page = DayPage(
        place=settings.area.name,
        synthetic=settings.area.synthetic,
        forecast_date=day,
        cut_off=local_time(settings, headers["cut_off"][0]) if headers.height else "-",
        areas=areas,
        maps=there.maps,
        not_made=dict(not_made.select("offence_group", "not_made_because").rows()),
        why_pages={area_id: path.relative_to(folder).as_posix() for area_id, path in why.items()},
        sheets=_links_of(sheets, folder),
        files=there.names,
    )
    index = write_whole(folder / "index.html", day_html(page).encode())
    return DayFiles(day, folder, (index, *sheets, *issued, *dict.fromkeys(why.values())))


def _links_of(sheets: Sequence[Path], folder: Path) -> dict[str, list[tuple[str, str]]]:
    """Name and link of each sheet, by shift; the PDF of a shift stands first."""
    found: dict[str, list[tuple[str, str]]] = {}
    for path in sorted(sheets, key=lambda each: (each.suffix != ".pdf", each)):
        shift, name = (path.stem, "all, as PDF") if path.suffix == ".pdf" else (path.parent.name, path.stem)
        found.setdefault(shift, []).append((name, path.relative_to(folder).as_posix()))
    return found


def write_overview(lake: Lake, settings: Settings, last: date) -> Path | None:
    """Write `outputs/overview.html`, the drafts of the 30 days up to `last`; None where there are no areas."""
    areas = areas_between(lake, last - timedelta(days=SHOWN_DAYS - 1), last)
    if areas.is_empty():
        return None
    links = {}
    for area in areas.select("forecast_date", "area_id", "unit", "offence_group", "cells").to_dicts():
        path = why_path(settings, area["forecast_date"], area)
        if path.exists():
            links[area["forecast_date"].isoformat(), area["area_id"]] = path.relative_to(
                settings.outputs
            ).as_posix()
    overview = Overview(
        place=settings.area.name,
        synthetic=settings.area.synthetic,
        status=DRAFT,
        areas=areas,
        boundaries=unit_boundaries(settings),
        links=links,
    )
    return write_whole(settings.outputs / "overview.html", overview_html(overview).encode())


def _write_reasons(
    lake: Lake, settings: Settings, day: date, headers: pl.DataFrame, areas: pl.DataFrame
) -> dict[str, Path]:
    """A page for the areas of each offence group that hold most of what is expected; path by area id.

    Areas of several shifts with the same cells share a page. None where the model's scores are no sums over
    incidents.
    """
    if areas.is_empty():
        return {}
    chosen = {str(group): _most_expected(some) for (group,), some in areas.group_by("offence_group")}
    try:
        found = {
            group: _explained(apart, chosen[group])
            for group, apart in take_day_apart(lake, settings, day, list(chosen))
        }
    except (CannotReplay, OutsideStudyArea):
        return {}  # a model that is no kernel has no sum to take apart, nor have areas of another forecast
    lines = _lines(lake, [sources for sources, _ in found.values()], headers)
    written = set()
    for header in headers.filter(pl.col("offence_group").is_in(list(found))).to_dicts():
        group = header["offence_group"]
        sources, cells = found[group]
        reasons = Reasons(
            place=settings.area.name,
            synthetic=settings.area.synthetic,
            areas=chosen[group],
            cells=cells,
            sources=sources,
            lines=lines,
            forecast=header | {"cut_off": local_time(settings, header["cut_off"])},
        )
        for area, page in zip(chosen[group].to_dicts(), why_pages(reasons), strict=True):
            written.add(write_whole(why_path(settings, day, area), page.encode()))
    paths = {area["area_id"]: why_path(settings, day, area) for area in areas.to_dicts()}
    return {area_id: path for area_id, path in paths.items() if path in written}


def _explained(apart: TakenApart, areas: pl.DataFrame) -> tuple[Sources, pl.DataFrame]:
    """What made the scores of areas, and of their cells."""
    sources, cells = [], []
    part = areas["cells"].list.len().cum_sum() // _CELLS
    for some in areas.with_columns(part=part).partition_by("part", include_key=False):
        told = explain(apart, some["cells"].explode(empty_as_null=False).unique().to_list())
        sources.append(sources_of(incidents_of_areas(some, told.contributions)))
        cells.append(told.cells)
    return all_sources(sources), pl.concat(cells).unique("cell")


def _most_expected(areas: pl.DataFrame) -> pl.DataFrame:
    """The areas of an offence group that get a page, those that expect most first."""
    best = areas.sort("share", "area_id", descending=[True, False])
    return best.unique("cells", keep="first", maintain_order=True).head(_EXPLAINED)


def _lines(lake: Lake, sources: Sequence[Sources], headers: pl.DataFrame) -> pl.DataFrame:
    """Where the incidents that pages show came from, as known at the newest delivery of the day."""
    shown = [each.shown["incident_key"] for each in sources]
    newest = headers["delivery_seq"].sort()[-1]
    return lines_of_incidents(lake, pl.concat(shown).unique(), newest)

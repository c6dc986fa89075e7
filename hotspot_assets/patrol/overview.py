"""Overview: the whole study area over the last days on one page, with a slider for the date.

Belongs here: what the page shows. Not here: a single day's page (`pages`) and the sheet of a unit (`briefing`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from hotspot_assets.patrol.briefing import as_script, render
from hotspot_assets.patrol.drawing import Flat, length_label, rings_of, round_length_m
from hotspot_assets.patrol.exports import WARNING
from hotspot_assets.patrol.sheet_map import path_of
from hotspot_assets.patrol.wording import percent, plain_group

if TYPE_CHECKING:
    import geopandas as gpd

SHOWN_DAYS = 30
SHOWN_AREAS = 100
"""Of each day and offence group, in all shifts, those that expect most: a page with every area would not open."""


@dataclass(frozen=True, eq=False)
class Overview:
    """The facts of the page.

    Attributes
    ----------
    areas
        Patrol areas of any number of days; the last `SHOWN_DAYS` of them are shown.
    status
        What these areas are: "draft", "issued".
    boundaries
        Columns unit, geometry (degrees).
    links
        By forecast date (ISO) and area id: where its reasons are told.
    """

    place: str
    synthetic: bool
    status: str
    areas: pl.DataFrame
    boundaries: gpd.GeoDataFrame | None = None
    links: Mapping[tuple[str, str], str] = field(default_factory=dict)


def overview_html(overview: Overview) -> str:
    """The page; it needs no other file.

    Raises ValueError where there is no area at all: there is nothing to show.
    """
    import shapely

    if overview.areas.is_empty():
        raise ValueError("an overview needs at least one patrol area")
    days = overview.areas["forecast_date"].unique().sort().tail(SHOWN_DAYS)
    shifts = overview.areas["shift"].unique(maintain_order=True).to_list()
    most = max(1, SHOWN_AREAS // len(shifts))
    shown = (
        overview.areas.filter(pl.col("forecast_date").is_in(days.implode()))
        .sort("forecast_date", "offence_group", "shift", pl.col("share") * -1, "area_id", nulls_last=True)
        .group_by("forecast_date", "offence_group", "shift", maintain_order=True)
        .head(most)
    )
    outlines: dict[str, Any] = {
        text: shapely.from_wkt(text) for text in shown["geometry"].unique(maintain_order=True)
    }
    west, south, east, north = _bounds(overview, outlines)
    flat = Flat((south + north) / 2, (west + east) / 2)
    paths = {
        text: "".join(path_of(ring, flat, 0) for ring in rings_of(shape)) for text, shape in outlines.items()
    }
    groups = shown["offence_group"].unique().sort().to_list()
    left, top = float(flat.x(west)) - 300, -float(flat.y(north)) - 300
    width, height = 600 + float(flat.x(east) - flat.x(west)), 600 + float(flat.y(north) - flat.y(south))
    return render(
        "overview.html",
        overview=overview,
        box=[round(number, 1) for number in (left, top, width, height)],
        unit_paths=_unit_paths(overview, flat),
        bar_m=round_length_m(width / 4),
        bar_text=length_label(round_length_m(width / 4)),
        most=most,
        shifts=shifts,
        days=[day.isoformat() for day in days],
        groups=[(group, plain_group(group)) for group in groups],
        data=as_script(_data(shown, paths, overview.links)),
        paths=as_script(list(paths.values())),
        warning=WARNING,
    )


def _bounds(overview: Overview, outlines: Mapping[str, Any]) -> tuple[float, float, float, float]:
    """West, south, east, north of all that is drawn."""
    boxes = [shape.bounds for shape in outlines.values()]
    if overview.boundaries is not None:
        boxes.append(tuple(overview.boundaries.total_bounds))
    each = np.array(boxes)
    west, south = each[:, :2].min(axis=0).tolist()
    east, north = each[:, 2:].max(axis=0).tolist()
    return west, south, east, north


def _unit_paths(overview: Overview, flat: Flat) -> list[str]:
    if overview.boundaries is None:
        return []
    return [
        "".join(path_of(ring, flat, 0) for ring in rings_of(each)) for each in overview.boundaries.geometry
    ]


def _data(
    shown: pl.DataFrame, paths: Mapping[str, str], links: Mapping[tuple[str, str], str]
) -> dict[str, dict[str, dict[str, list[list[Any]]]]]:
    """By day, offence group and shift: number of its path, name, rank, share, why and link of each area."""
    number = {text: at for at, text in enumerate(paths)}
    data: dict[str, dict[str, dict[str, list[list[Any]]]]] = {}
    for row in shown.iter_rows(named=True):
        day = row["forecast_date"].isoformat()
        share = "" if row["share"] is None else percent(row["share"])
        link = links.get((day, row["area_id"]), "")
        of_group = data.setdefault(day, {}).setdefault(row["offence_group"], {})
        of_group.setdefault(row["shift"], []).append(
            [number[row["geometry"]], row["name"], row["rank"], share, row["why"], link]
        )
    return data

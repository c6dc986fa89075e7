"""Pages to look at: the day's maps and lists, and why an area is where it is.

Belongs here: what the pages say. They are drafts for review and carry that word; the sheet that officers carry
is made elsewhere (`briefing`), after approval. Not here: reading tables, and the arithmetic of explanations.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from hotspot_assets.patrol.briefing import render
from hotspot_assets.patrol.wording import percent, plain_group

SHOWN_INCIDENTS = 25


@dataclass(frozen=True, eq=False)
class DayPage:
    """A day as people look at it: a map and a list for each offence group.

    `maps` are PNGs by offence group that was forecast, None where there is no map; `not_made` says why a group has no
    forecast; `why_pages` are links by area; `sheets` are links of units by shift, `files` are names.
    """

    place: str
    synthetic: bool
    forecast_date: date
    cut_off: str
    areas: pl.DataFrame
    maps: Mapping[str, bytes | None]
    not_made: Mapping[str, str]
    why_pages: Mapping[str, str]
    sheets: Mapping[str, Sequence[tuple[str, str]]]
    files: Sequence[str]


def day_html(page: DayPage) -> str:
    """The page of a day; it needs no other file."""
    groups = [
        {
            "name": plain_group(group),
            "map": b64encode(png).decode() if png else None,
            "areas": _rows(page, group),
        }
        for group, png in page.maps.items()
    ]
    not_made = [(plain_group(group), reason) for group, reason in page.not_made.items()]
    return render(
        "day.html",
        page=page,
        groups=groups,
        not_made=not_made,
        sheets=page.sheets.items(),
        by_shift=page.areas["shift"].n_unique() > 1,
    )


def _rows(page: DayPage, group: str) -> list[dict[str, Any]]:
    rows = page.areas.filter(pl.col("offence_group") == group).sort("share", descending=True)
    return [
        row | {"share_text": percent(row["share"]), "link": page.why_pages.get(row["area_id"])}
        for row in rows.to_dicts()
    ]


def incidents_of_areas(areas: pl.DataFrame, contributions: pl.DataFrame) -> pl.DataFrame:
    """What each incident gives to each area, over its cells; `contributions` are those of an explanation.

    Columns area_id, incident_key, offence_group, day, age_days, contribution, ring (the nearest), place (1 gives
    most); sorted by area and place.
    """
    return (
        _cells_of(areas)
        .join(contributions.filter(pl.col("incident_key").is_not_null()), on="cell")
        .group_by("area_id", "incident_key", "offence_group", "day", "age_days")
        .agg(pl.col("contribution").sort().sum(), pl.col("ring").min())
        .sort("area_id", -pl.col("contribution"), "incident_key", "day", "offence_group")
        .with_columns(place=pl.int_range(1, pl.len() + 1).over("area_id"))
    )


@dataclass(frozen=True, eq=False)
class Sources:
    """What made the scores of areas, short: the incidents that gave most, and what all gave by offence group.

    `shown`: rows of `incidents_of_areas`, up to `SHOWN_INCIDENTS` of an area. `by_group`: area_id, offence_group,
    contribution, len (incidents); of each area the largest first.
    """

    shown: pl.DataFrame
    by_group: pl.DataFrame


def sources_of(incidents: pl.DataFrame) -> Sources:
    """The short of what `incidents_of_areas` gave."""
    by_group = (
        incidents.group_by("area_id", "offence_group")
        .agg(pl.col("contribution").sort().sum(), pl.len())
        .sort("area_id", -pl.col("contribution"), "offence_group")
    )
    return Sources(incidents.filter(pl.col("place") <= SHOWN_INCIDENTS), by_group)


def all_sources(parts: Sequence[Sources]) -> Sources:
    """Those of several areas as one."""
    return Sources(pl.concat([part.shown for part in parts]), pl.concat([part.by_group for part in parts]))


def _cells_of(areas: pl.DataFrame) -> pl.DataFrame:
    return areas.select("area_id", cell="cells").explode("cell", empty_as_null=False)


@dataclass(frozen=True, eq=False)
class Reasons:
    """Why the areas of an offence group are where they are.

    `cells`: cell, score, rank, rank_without_newest, background; `lines`: incident_key, file_name, line of the incidents
    shown.
    """

    place: str
    synthetic: bool
    areas: pl.DataFrame
    cells: pl.DataFrame
    sources: Sources
    lines: pl.DataFrame
    forecast: Mapping[str, Any]


def why_pages(reasons: Reasons) -> Iterator[str]:
    """A page for each area, in their order; it needs no other file."""
    shown = reasons.sources.shown.join(reasons.lines, on="incident_key", how="left", maintain_order="left")
    cells = _cells_of(reasons.areas).join(reasons.cells, on="cell").sort("area_id", "cell")
    of_area = [_by_area(frame) for frame in (shown, reasons.sources.by_group, cells)]
    for area in reasons.areas.to_dicts():
        yield _why_html(reasons, area, *(rows.get(area["area_id"], []) for rows in of_area))


def _as_rows(shown: Sequence[Mapping[str, Any]], total: float) -> Any:
    """Incidents as rows of a table: the template engine would take longest over these cells."""
    from markupsafe import Markup, escape

    rows = [
        f'<tr><td class="number">{percent(row["contribution"] / total)}</td><td>{escape(row["offence_group"])}</td>'
        f'<td>{row["day"]}</td><td class="number">{row["age_days"]}</td><td class="number">{row["ring"]}</td>'
        f"<td><code>{escape(row['incident_key'][:12])}</code></td>"
        f"<td>{escape(row['file_name'])}, {row['line']}</td></tr>\n"
        for row in shown
    ]
    return Markup("".join(rows))


def _by_area(rows: pl.DataFrame) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows.iter_rows(named=True):
        found.setdefault(row["area_id"], []).append(row)
    return found


def _why_html(
    reasons: Reasons,
    area: Mapping[str, Any],
    shown: Sequence[dict[str, Any]],
    by_group: Sequence[dict[str, Any]],
    cells: Sequence[dict[str, Any]],
) -> str:
    incidents, background = (
        sum(row["contribution"] for row in by_group),
        sum(row["background"] for row in cells),
    )
    total = incidents + background
    return render(
        "why.html",
        page=reasons,
        area=area,
        group=plain_group(str(area["offence_group"])),
        total=percent(total),
        cells=[row | {"cell": f"{row['cell']:x}"} for row in cells],
        shown=_as_rows(shown, total),
        by_group=[
            {"name": plain_group(row["offence_group"]), "part": percent(row["contribution"] / total)}
            | {"incidents": row["len"]}
            for row in by_group
        ],
        rest=sum(row["len"] for row in by_group) - len(shown),
        rest_part=percent((incidents - sum(row["contribution"] for row in shown)) / total),
        background=percent(background / total),
    )

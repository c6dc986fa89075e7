"""Pages to look at: the day's maps and lists, and why an area is where it is.

Belongs here: what the pages say. They are drafts for review and carry that word; the sheet that officers carry
is made elsewhere (`briefing`), after approval. Not here: reading tables, and the arithmetic of explanations.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
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

    `maps` are PNGs by offence group; `not_made` says why a group has no forecast; `why_pages` are links by area;
    `sheets` are links of units by shift, `files` are names.
    """

    place: str
    synthetic: bool
    forecast_date: date
    cut_off: str
    areas: pl.DataFrame
    maps: Mapping[str, bytes]
    not_made: Mapping[str, str]
    why_pages: Mapping[str, str]
    sheets: Mapping[str, Sequence[tuple[str, str]]]
    files: Sequence[str]


def day_html(page: DayPage) -> str:
    """The page of a day; it needs no other file."""
    groups = [
        {
            "name": plain_group(group),
            "map": b64encode(png).decode(),
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


@dataclass(frozen=True, eq=False)
class WhyPage:
    """Why an area is where it is: its cells, and the incidents whose contributions make their scores.

    `contributions`: cell (text), incident_key, offence_group, day, age_days, ring, contribution, file_name, line; the
    rows without incident are backgrounds. `cells`: cell (text), score, rank, rank_without_newest.
    """

    place: str
    synthetic: bool
    area: Mapping[str, Any]
    cells: pl.DataFrame
    contributions: pl.DataFrame
    forecast: Mapping[str, Any]


def why_html(page: WhyPage) -> str:
    """The page of an area; it needs no other file."""
    incidents = page.contributions.filter(pl.col("incident_key").is_not_null())
    together = (
        incidents.group_by("incident_key", "offence_group", "day", "age_days")
        .agg(
            pl.col("contribution").sum(),
            pl.col("ring").min(),
            pl.col("file_name", "line").drop_nulls().first(),
        )
        .sort("contribution", "incident_key", descending=[True, False])
    )
    total = float(page.contributions["contribution"].sum())
    shown = together.head(SHOWN_INCIDENTS)
    by_group = (
        together.group_by("offence_group")
        .agg(pl.col("contribution").sum(), pl.len())
        .sort("contribution", descending=True)
    )
    return render(
        "why.html",
        page=page,
        group=plain_group(str(page.area["offence_group"])),
        total=percent(total),
        cells=page.cells.to_dicts(),
        shown=[row | {"part": percent(row["contribution"] / total)} for row in shown.to_dicts()],
        by_group=[
            {"name": plain_group(name), "part": percent(part / total), "incidents": many}
            for name, part, many in by_group.iter_rows()
        ],
        rest=together.height - shown.height,
        rest_part=percent(float(together["contribution"][SHOWN_INCIDENTS:].sum()) / total),
        background=percent(
            float(page.contributions.filter(pl.col("incident_key").is_null())["contribution"].sum()) / total
        ),
    )

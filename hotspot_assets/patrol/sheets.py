"""Sheets: everything that a briefing sheet says, worked out once for paper and for the screen.

Belongs here: the facts of a sheet and the sentences and rows made of them. Not here: how they look as HTML
(`briefing`) or as PDF (`briefing_pdf`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import polars as pl

from hotspot_assets.patrol.drawing import Shading
from hotspot_assets.patrol.ground import Ground
from hotspot_assets.patrol.review import list_hash
from hotspot_assets.patrol.wording import percent, plain_group

if TYPE_CHECKING:
    import geopandas as gpd


@dataclass(frozen=True)
class Approval:
    """Who approved the areas; without it a sheet is a draft."""

    reviewer: str
    role: str
    identity: str
    decided_at: datetime
    expires_at: datetime
    issue_id: str
    simulated: bool = False


@dataclass(frozen=True)
class Line:
    """One area, as the sheet lists it."""

    code: str
    area_id: str
    name: str
    rank: str
    minutes: int
    why: str
    track: str
    added: bool
    link: str


@dataclass(frozen=True, eq=False)
class Sheet:
    """The facts of one sheet: one unit and shift of a forecast date.

    Attributes
    ----------
    areas
        Its patrol areas, all offence groups: the human list where there is an approval.
    shading
        Shades of the day's surfaces.
    shift_window
        Local hours, as people should read them.
    starts_at, cut_off
        UTC. A shift that begins before the cut-off says so.
    boundaries
        Columns unit, geometry (degrees): this unit and its neighbours.
    hours
        Per offence group: 24 shares of the local day.
    track
        Columns offence_group, rank, hit_rate, average_hit_rate, days: how areas of this rank fared, beside
        an average area of the same size.
    exclusions
        Columns reason, cells, area_km2, share: what was left out, and what that costs.
    streets
        Column geometry (lines, degrees).
    links
        By area id: where its reasons are told.
    """

    place: str
    synthetic: bool
    unit: str
    forecast_date: date
    shift: str
    shift_window: str
    starts_at: datetime
    zone: str
    cut_off: datetime
    run_id: str
    areas: pl.DataFrame
    ground: Ground
    shading: Shading
    approval: Approval | None = None
    boundaries: gpd.GeoDataFrame | None = None
    hours: Mapping[str, Sequence[float]] = field(default_factory=dict)
    track: pl.DataFrame | None = None
    exclusions: pl.DataFrame | None = None
    streets: gpd.GeoDataFrame | None = None
    links: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def lines(self) -> list[Line]:
        """The areas by offence group and rank, for the list, the map and the paper."""
        return _lines_of(self)

    @cached_property
    def list_hash(self) -> str:
        """SHA-256 of what the list of areas says."""
        return list_hash(self.areas)


def local(moment: datetime, zone: str) -> str:
    """A moment as people of the place read it: Mon 2 June 2014, 05:00."""
    here = moment.astimezone(ZoneInfo(zone))
    return f"{here:%a} {here.day} {here:%B %Y, %H:%M}"


def short_codes(offence_groups: Sequence[str]) -> dict[str, str]:
    """The shortest beginnings that tell offence groups apart: B, R, Ve, Vi."""
    names = {group: plain_group(group).title().replace(" ", "") for group in offence_groups}
    codes = {}
    for group, name in names.items():
        others = [other for each, other in names.items() if each != group]
        lengths = range(1, len(name) + 1)
        length = next((n for n in lengths if not any(o.startswith(name[:n]) for o in others)), len(name))
        codes[group] = name[:length]
    return codes


def status_of(sheet: Sheet) -> str:
    """What the sheet is: DRAFT without an approval; SIMULATED where a demonstration gave it."""
    if sheet.approval is None:
        return "DRAFT"
    return "SIMULATED APPROVAL" if sheet.approval.simulated else "APPROVED"


def notices_of(sheet: Sheet) -> list[str]:
    """Sentences that must be read before anything else."""
    found = []
    if sheet.approval is None:
        found.append("DRAFT: nobody has approved these areas. Not for use on patrol.")
    elif sheet.approval.simulated:
        found.append("SIMULATED: this approval was made by a demonstration, not by a person.")
    if sheet.synthetic:
        found.append("SYNTHETIC: a fictional place. No real incident stands behind this sheet.")
    if sheet.starts_at < sheet.cut_off:
        found.append("This shift began before the cut-off: the areas came too late for a part of it.")
    return found


def approval_text(sheet: Sheet) -> str:
    """Who approved, when, and until when."""
    given = sheet.approval
    if given is None:
        return "Not approved."
    word = "signed in as" if given.identity == "authenticated" else "by own declaration"
    return (
        f"Approved by {given.reviewer}, {given.role} ({word}), {local(given.decided_at, sheet.zone)}."
        f" Valid until {local(given.expires_at, sheet.zone)}. Issue {given.issue_id}."
    )


def known_text(sheet: Sheet) -> str:
    """The data's cut-off and its age when the shift begins."""
    hours = (sheet.starts_at - sheet.cut_off).total_seconds() / 3600
    age = f"{hours:.0f} h before the shift" if hours >= 0 else f"{-hours:.0f} h after the shift began"
    return f"Known up to {local(sheet.cut_off, sheet.zone)} ({age})"


def source_text(sheet: Sheet) -> str:
    """Run, forecasts and a short hash of the list: what an auditor starts from."""
    forecasts = ", ".join(sheet.areas["forecast_id"].drop_nulls().unique().sort())
    return f"Run {sheet.run_id}. Forecasts {forecasts}. List {sheet.list_hash[:12]}."


def exclusions_text(sheet: Sheet) -> str:
    """What was left out, and how much of the expected incidents lies there."""
    if sheet.exclusions is None or sheet.exclusions.is_empty():
        return "Nothing was excluded."
    parts = [
        f"{reason} ({km2:.2f} km2, {percent(share)} of expected)"
        for reason, km2, share in sheet.exclusions.select("reason", "area_km2", "share").iter_rows()
    ]
    return f"Not patrolled: {'; '.join(parts)}."


def grouped_lines(sheet: Sheet) -> list[tuple[str, list[Line]]]:
    """The sheet's areas by rank, under each offence group."""
    lines = iter(sheet.lines)
    counts = sheet.areas.group_by("offence_group").len().sort("offence_group")
    return [(plain_group(group), [next(lines) for _ in range(count)]) for group, count in counts.iter_rows()]


def _lines_of(sheet: Sheet) -> list[Line]:
    codes = short_codes(sorted(sheet.areas["offence_group"].unique()))
    track = _track(sheet.track)
    return [
        Line(
            code=f"{codes[row['offence_group']]}{row['rank']}",
            area_id=row["area_id"],
            name=row["name"].removeprefix(f"{sheet.unit}, "),
            rank=_rank_text(row),
            minutes=row["minutes"] or sheet.ground.budget_of(sheet.unit).minutes_per_area,
            why=row["why"],
            track=track.get((row["offence_group"], row["rank"]), "not yet measured"),
            added=row.get("origin", "model") == "human",
            link=sheet.links.get(row["area_id"], ""),
        )
        for row in sheet.areas.sort("offence_group", "rank").iter_rows(named=True)
    ]


def _rank_text(row: dict[str, Any]) -> str:
    tied = f" (tie of {row['tied']})" if row["tied"] else ""
    return f"{row['rank']}{tied}"


def _track(track: pl.DataFrame | None) -> dict[tuple[str, int], str]:
    if track is None:
        return {}
    columns = ("offence_group", "rank", "hit_rate", "average_hit_rate", "days")
    return {
        (group, rank): f"{percent(hit)}; average {percent(average)} ({days} days)"
        for group, rank, hit, average, days in track.select(columns).iter_rows()
    }

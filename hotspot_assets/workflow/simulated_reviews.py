"""SIMULATED reviews of a fictional place, so that a newcomer sees what review and issue leave behind.

Belongs here: the play of one invented person for the past days of the demonstration. They go through the same
functions as everybody's (`review`), which refuse them for a place that is real. Today's lists are left alone:
they wait for whoever tries the page.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Any

import polars as pl

from hotspot_assets.patrol.changes import Change
from hotspot_assets.patrol.review import ReviewError, list_hash
from hotspot_assets.settings import Settings
from hotspot_assets.warehouse.lake import Lake, Stamp
from hotspot_assets.warehouse.review_reads import Place, Standing, standings
from hotspot_assets.workflow.dates import cut_off_of, days_between, today
from hotspot_assets.workflow.review import Person, Played, Wish, change_of, decide, end_of, issue

SIMULATED = "SIMULATED"
_ROLE = "duty sergeant (SIMULATED)"
_SILENT, _REJECTED, _CHANGED = 0.05, 0.04, 0.2
"""Shares of lists that nobody decides about, that are rejected, and that are changed."""
_AFTER_CUT_OFF = timedelta(minutes=25)
_SECONDS_A_LIST = (4.0, 40.0)
_DROPS = ("already_tasked", "not_patrolable", "geocode_artefact", "resource")
_UPS = ("event_changed", "community_concern", "intelligence_other")


@dataclass(frozen=True)
class PlayedDay:
    """What was simulated for a day."""

    day: date
    decided: int
    issued: int


def simulate_reviews(
    lake: Lake, settings: Settings, first: date, last: date, stamp: Stamp, seed: int = 1
) -> list[PlayedDay]:
    """Decide about the undecided lists of the past days first..last, and issue what is approved.

    Raises
    ------
    ReviewError
        For a place that is real, and for a day that is not over.
    """
    if not settings.area.synthetic:
        raise ReviewError("Only a person decides about a real place; a simulation may not.")
    if last >= today(settings):
        raise ReviewError("Only days that are over are simulated; today's lists wait for a person.")
    return [_play(lake, settings, day, stamp, Random(f"{seed} {day}")) for day in days_between(first, last)]


def _play(lake: Lake, settings: Settings, day: date, stamp: Stamp, draw: Random) -> PlayedDay:
    opened_at = cut_off_of(settings, day) + _AFTER_CUT_OFF
    wishes = [
        _wish(place, standing, draw)
        for place, standing in standings(lake.read, [day]).items()
        if standing.review is None
        and not standing.areas.is_empty()
        and end_of(settings, place) > opened_at + timedelta(hours=2)
        and draw.random() >= _SILENT
    ]
    if not wishes:
        return PlayedDay(day, 0, 0)
    seconds = len(wishes) * draw.uniform(*_SECONDS_A_LIST)
    played = Played(opened_at, opened_at + timedelta(seconds=round(seconds)))
    person = Person(SIMULATED, _ROLE, opened_at)
    answers = decide(lake, settings, wishes, person, stamp, played).result
    approved = [each.row["review_id"] for each in answers if each.row and each.row["state"] != "rejected"]
    if not approved:
        return PlayedDay(day, len(wishes), 0)
    issued = issue(lake, settings, approved, SIMULATED, stamp, played.decided_at).result
    return PlayedDay(
        day, sum(each.row is not None for each in answers), sum(each.row is not None for each in issued)
    )


def _wish(place: Place, standing: Standing, draw: Random) -> Wish:
    seen = list_hash(standing.areas)
    if draw.random() < _REJECTED:
        return Wish(place, "reject", seen, 0, reason="resource")
    changes = (_change(standing.areas, draw),) if draw.random() < _CHANGED else ()
    return Wish(place, "approve", seen, 0, changes)


def _change(areas: pl.DataFrame, draw: Random) -> Change:
    """Add an area where another offence group has one, move one up that is not the first, or drop one."""
    kind, second, spare = draw.random(), areas.filter(pl.col("rank") > 1), _spare(areas)
    if kind < 0.25 and spare is not None:
        area, group = spare
        cells = [f"{cell:x}" for cell in area["cells"]]
        return change_of(
            "add", f"{area['area_id']}-added", "community_concern",
            cells=cells, offence_group=group, name=area["name"],
        )  # fmt: skip
    if kind < 0.5 and second.height:
        area_id = second["area_id"][draw.randrange(second.height)]
        return change_of("reorder", area_id, draw.choice(_UPS), to_rank=1)
    return change_of("drop", areas["area_id"][draw.randrange(areas.height)], draw.choice(_DROPS))


def _spare(areas: pl.DataFrame) -> tuple[dict[str, Any], str] | None:
    """An area, and an offence group of the list that has no cell of it."""
    held = {group: set(rows["cells"].explode()) for (group,), rows in areas.group_by("offence_group")}
    for area in areas.sort("offence_group", "rank").to_dicts():
        for group in sorted(map(str, held)):
            if held[group].isdisjoint(area["cells"]):
                return area, group
    return None

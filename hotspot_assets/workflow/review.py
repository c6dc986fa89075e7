"""Review, issue and withdrawal as acts of a person: from what was asked for to what was written.

Belongs here: what a decision is asked for with, when a list ends, and the clock. The page and Dagster's jobs
both come through here, and there is no other way. Not here: the rules (`patrol.review`), the transactions
(`warehouse.issuing`), the page (`review_page`).

The time of an act is the machine's, never the asker's. A simulated decision bears the time of the past day it
plays on; it is refused unless the settings say that the place is fictional.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, cast

import polars as pl

from hotspot_assets.hexgrid.cells import hex_to_cell
from hotspot_assets.intake.detectors import forbidden_value
from hotspot_assets.patrol.changes import Change, lays_cells
from hotspot_assets.patrol.ground import Ground
from hotspot_assets.patrol.review import Decision, ReviewError
from hotspot_assets.patrol.shifts import shift_times
from hotspot_assets.settings import Settings
from hotspot_assets.warehouse.forecasts import headers_of
from hotspot_assets.warehouse.issuing import (
    Answer,
    Asked,
    issue_approved,
    keep_decisions,
    withdraw_issues,
)
from hotspot_assets.warehouse.lake import Committed, Lake, Stamp
from hotspot_assets.warehouse.review_reads import Place
from hotspot_assets.workflow.dates import cut_off_of, now_utc
from hotspot_assets.workflow.grounds import Grounds, shifts_of

ACTIONS, OUTCOMES = ("drop", "move", "add", "reorder"), ("approve", "reject")


@dataclass(frozen=True)
class Person:
    """Who acts, by their own word, and since when they have had the lists before them (UTC)."""

    name: str
    role: str
    opened_at: datetime


@dataclass(frozen=True)
class Wish:
    """A decision as asked for, about one list; see `warehouse.issuing.Asked` for what was seen."""

    place: Place
    outcome: str
    seen_hash: str
    seen_round: int
    changes: tuple[Change, ...] = ()
    reason: str | None = None
    text: str = ""


@dataclass(frozen=True)
class Played:
    """When a simulated person acted."""

    opened_at: datetime
    decided_at: datetime


def change_of(
    action: str,
    area_id: str,
    reason: str,
    text: str = "",
    cells: Sequence[str] = (),
    to_rank: int | None = None,
    offence_group: str = "",
    name: str = "",
) -> Change:
    """A change from text. Raises ReviewError for an unknown action and for cells that are none."""
    if action not in ACTIONS:
        raise ReviewError(f"{action!r} is no change; a change is one of {', '.join(ACTIONS)}.")
    try:
        numbers = tuple(int(cell) for cell in hex_to_cell(list(cells)))
    except (ValueError, OverflowError) as error:
        raise ReviewError(f"The cells of {area_id} are no H3 cells; write 15 hexadecimal digits.") from error
    kind = cast("Literal['drop', 'move', 'add', 'reorder']", action)
    return Change(kind, area_id, reason, text, numbers, to_rank, offence_group, name)


def decide(
    lake: Lake,
    settings: Settings,
    wishes: Sequence[Wish],
    person: Person,
    stamp: Stamp,
    played: Played | None = None,
) -> Committed[list[Answer]]:
    """Decide about lists, in one transaction; one answer per wish, in order.

    Parameters
    ----------
    played
        For a simulated decision only.

    Raises
    ------
    ReviewError
        When words hold what looks like personal data, or a real place is decided about by a simulation.
    """
    if played is not None and not settings.area.synthetic:
        raise ReviewError("Only a person decides about a real place; a simulation may not.")
    if not wishes:
        raise ReviewError("Name at least one list to decide about.")
    now = now_utc()
    _check_words(
        [wish.text for wish in wishes] + [each.text for wish in wishes for each in wish.changes], now
    )
    asked = []
    for wish in wishes:
        if wish.outcome not in OUTCOMES:
            raise ReviewError(f"{wish.outcome!r} is no decision; approve or reject.")
        decision = Decision(
            outcome=cast("Literal['approve', 'reject']", wish.outcome),
            reviewer=person.name,
            role=person.role,
            identity="declared",
            opened_at=played.opened_at if played else person.opened_at,
            decided_at=played.decided_at if played else now,
            expires_at=end_of(settings, wish.place),
            changes=wish.changes,
            reason=wish.reason or None,
            text=wish.text,
            together=len(wishes),
            simulated=played is not None,
        )
        asked.append(Asked(wish.place, decision, wish.seen_hash, wish.seen_round))
    return keep_decisions(lake, asked, _grounds(lake, settings, wishes), now, stamp)


def issue(
    lake: Lake,
    settings: Settings,
    review_ids: Sequence[str],
    issued_by: str,
    stamp: Stamp,
    played_at: datetime | None = None,
) -> Committed[list[Answer]]:
    """Issue approved lists, in one transaction; one answer per review, in order. `played_at`: as in `decide`."""
    if played_at is not None and not settings.area.synthetic:
        raise ReviewError("Only a person issues lists of a real place; a simulation may not.")
    if not review_ids:
        raise ReviewError("Name at least one approval to issue; without an approval nothing is issued.")
    now = now_utc()
    return issue_approved(lake, review_ids, issued_by, now, stamp, issued_at=played_at or now)


def withdraw(
    lake: Lake, issue_ids: Sequence[str], by: str, reason: str | None, text: str, stamp: Stamp
) -> Committed[list[Answer]]:
    """Take issues back, in one transaction; one answer per issue, in order."""
    if not issue_ids:
        raise ReviewError("Name at least one issue to withdraw.")
    now = now_utc()
    _check_words([text], now)
    return withdraw_issues(lake, issue_ids, by, reason or None, text, now, stamp)


def end_of(settings: Settings, place: Place) -> datetime:
    """When the areas of a list end: with their shift."""
    bounds = shift_bounds(settings, place.forecast_date)
    if place.shift not in bounds:
        raise ReviewError(f"{place.shift!r} is no shift; the shifts are {', '.join(bounds)}.")
    return bounds[place.shift][1]


def shift_bounds(settings: Settings, day: date) -> dict[str, tuple[datetime, datetime]]:
    """Start and end (UTC) of the shifts of a forecast date."""
    times = shift_times(shifts_of(settings), day, settings.area.timezone, cut_off_of(settings, day))
    return {row["shift"]: (row["starts_at"], row["ends_at"]) for row in times.to_dicts()}


def ground_of(lake: Lake, settings: Settings, place: Place) -> Ground:
    """Where the areas of a list may lie. Raises ReviewError where the date has no forecast."""
    return _ground(lake, Grounds(lake, settings), place)


def _ground(lake: Lake, grounds: Grounds, place: Place) -> Ground:
    made = headers_of(lake, place.forecast_date, place.forecast_date).drop_nulls("study_area_id")
    if made.is_empty():
        raise ReviewError(f"There is no forecast for {place.forecast_date}.")
    return grounds.of(made["study_area_id"][0], place.forecast_date, place.shift)


def _check_words(texts: Sequence[str], now: datetime) -> None:
    """Words to a reason are kept for good: what looks like a person's data in them is refused."""
    for text in texts:
        found = forbidden_value(pl.Series([text], dtype=pl.String), now) if text.strip() else None
        if found is not None and found != "free text":
            raise ReviewError(f"The words look like personal data ({found}); write them without.")


def _grounds(lake: Lake, settings: Settings, wishes: Sequence[Wish]) -> Mapping[Place, Ground]:
    return {wish.place: ground_of(lake, settings, wish.place) for wish in wishes if lays_cells(wish.changes)}

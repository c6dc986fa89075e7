"""Review: the human decision about a unit's patrol areas, as pure functions.

Belongs here: states, reasons, what a decision may do and what it may not, and the copy that is issued. Not
here: who may log in, where rows are kept, the page on which people decide; and what the decisions came to
(`review_statistics`).

The states of one forecast date, unit and shift::

    draft -> in_review -> approved | approved_with_changes | rejected
    approved | approved_with_changes -> issued -> expired | withdrawn

Running may be automatic, issuing is not. Silence never approves: nothing here turns time into consent. The
model's list and the human list are both kept, and what a person added says so.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import polars as pl

from hotspot_assets.errors import UserError
from hotspot_assets.hexgrid.cells import cell_to_hex
from hotspot_assets.patrol.changes import Change, changed_list, changes_frame
from hotspot_assets.patrol.ground import Ground
from hotspot_assets.patrol.reasons import check_reason

TRANSITIONS: dict[str, frozenset[str]] = {
    "draft": frozenset({"in_review"}),
    "in_review": frozenset({"approved", "approved_with_changes", "rejected"}),
    "approved": frozenset({"issued"}),
    "approved_with_changes": frozenset({"issued"}),
    "rejected": frozenset(),
    "issued": frozenset({"expired", "withdrawn"}),
    "expired": frozenset(),
    "withdrawn": frozenset(),
}
"""From each state, the states that may follow."""


class ReviewError(UserError):
    """A decision that may not be taken, or not in this way; nothing was changed."""


@dataclass(frozen=True)
class Decision:
    """What a person decided about the areas of one forecast date, unit and shift.

    Attributes
    ----------
    identity
        "authenticated" where the system knows the person, "declared" where it only took their word.
    opened_at, decided_at, expires_at
        UTC. `expires_at` is when the areas stop to be valid, at the latest.
    reason, text
        For a rejection.
    together
        Lists decided in the same act: the time since opening is that of all of them.
    simulated
        Made by a demonstration, not by a person.
    """

    outcome: Literal["approve", "reject"]
    reviewer: str
    role: str
    identity: Literal["authenticated", "declared"]
    opened_at: datetime
    decided_at: datetime
    expires_at: datetime
    changes: tuple[Change, ...] = ()
    reason: str | None = None
    text: str = ""
    together: int = 1
    simulated: bool = False


@dataclass(frozen=True, eq=False)
class Reviewed:
    """A decision, carried out.

    Attributes
    ----------
    model_list
        The areas as the model had them.
    human_list
        The areas as approved, empty if rejected: the same columns and `origin` ("model", "model, moved" or
        "human"). An area a person added has no share, no tie and no forecast id.
    review
        One row, columns of `REVIEW_SCHEMA`.
    changes
        One row per change, columns of `changes.CHANGES_SCHEMA`.
    """

    state: str
    model_list: pl.DataFrame
    human_list: pl.DataFrame
    review: pl.DataFrame
    changes: pl.DataFrame


_UTC = pl.Datetime("us", "UTC")

REVIEW_SCHEMA: dict[str, pl.DataType] = {
    "review_id": pl.String(),
    "forecast_date": pl.Date(),
    "shift": pl.String(),
    "unit": pl.String(),
    "state": pl.String(),
    "forecast_ids": pl.List(pl.String),
    "reviewer": pl.String(),
    "role": pl.String(),
    "identity": pl.String(),
    "opened_at": _UTC,
    "decided_at": _UTC,
    "expires_at": _UTC,
    "seconds": pl.Float64(),
    "together": pl.Int32(),
    "changes": pl.Int32(),
    "reason": pl.String(),
    "text": pl.String(),
    "model_hash": pl.String(),
    "human_hash": pl.String(),
    "simulated": pl.Boolean(),
}


def step(state: str, wanted: str) -> str:
    """The state after a step. Raises ReviewError where that step does not exist."""
    if wanted not in TRANSITIONS.get(state, frozenset()):
        raise ReviewError(f"Areas that are {state} cannot become {wanted}; nothing was changed.")
    return wanted


def decide(
    areas: pl.DataFrame,
    decision: Decision,
    newest: Collection[str],
    ground: Ground | None,
    state: str = "in_review",
) -> Reviewed:
    """Carry out a decision.

    Parameters
    ----------
    areas
        The model's patrol areas of one forecast date, unit and shift, all offence groups, with forecast ids.
    newest
        Ids of the newest forecasts; areas of an older vintage cannot be approved.
    ground
        Where areas may lie: cells that a person adds must be open and of the unit. May be None where no
        change lays an area on other cells (`changes.lays_cells`).
    state
        Where the review stands now.

    Raises
    ------
    ReviewError
        When the areas are already decided, expired or superseded, when a change or a rejection lacks its
        reason, and when the changed areas could not be patrol areas.
    """
    where = _one(areas)
    _check_person_and_time(decision)
    _check_newest(areas, newest)
    if decision.outcome == "reject":
        if decision.changes:
            raise ReviewError("A rejection takes no changes; approve with changes, or reject.")
        check_reason(decision.reason, decision.text, "a rejection")
        reached, human = "rejected", changed_list(areas, (), ground).clear()
    else:
        human = changed_list(areas, decision.changes, ground)
        if human.is_empty():
            raise ReviewError("No area would be left; reject the list, and say why.")
        reached = "approved_with_changes" if decision.changes else "approved"
    reached = step(state, reached)
    hashes = list_hash(areas), list_hash(human)
    identity = [*(str(value) for value in where.values()), decision.reviewer, decision.decided_at.isoformat()]
    review_id = hashlib.sha256("\x1f".join([*identity, *hashes]).encode()).hexdigest()[:16]
    row = where | {
        "review_id": review_id,
        "state": reached,
        "forecast_ids": sorted(areas["forecast_id"].unique()),
        "reviewer": decision.reviewer.strip(),
        "role": decision.role.strip(),
        "identity": decision.identity,
        "opened_at": decision.opened_at,
        "decided_at": decision.decided_at,
        "expires_at": decision.expires_at,
        "seconds": (decision.decided_at - decision.opened_at).total_seconds(),
        "together": decision.together,
        "changes": len(decision.changes),
        "reason": decision.reason,
        "text": decision.text,
        "model_hash": hashes[0],
        "human_hash": hashes[1],
        "simulated": decision.simulated,
    }
    review = pl.DataFrame([row], schema=REVIEW_SCHEMA)
    return Reviewed(reached, areas, human, review, changes_frame(review_id, decision.changes))


def issue(
    human_list: pl.DataFrame,
    review: dict[str, Any],
    newest: Collection[str],
    issued_by: str,
    issued_at: datetime,
) -> pl.DataFrame:
    """The rows to be issued: a copy of the approved list, with its review, its hash and its end.

    Parameters
    ----------
    review
        The review's row, as kept.

    Returns
    -------
    The human list and issue_id, content_hash, review_id, issued_by (String), issued_at, expires_at (UTC).

    Raises
    ------
    ReviewError
        Without an approval, after its end, when a newer forecast exists, or when the list is not the one
        that was approved.
    """
    step(review["state"], "issued")
    _check_newest_ids(review["forecast_ids"], newest)
    if issued_at >= review["expires_at"]:
        raise ReviewError(f"The approval ended at {review['expires_at']:%Y-%m-%d %H:%M} UTC; review again.")
    content = list_hash(human_list)
    if content != review["human_hash"]:
        raise ReviewError("These are not the areas that were approved; review them.")
    if not issued_by.strip():
        raise ReviewError("Say who issues the areas.")
    identity = "\x1f".join([review["review_id"], content, issued_at.isoformat()])
    return human_list.with_columns(
        issue_id=pl.lit(hashlib.sha256(identity.encode()).hexdigest()[:16]),
        content_hash=pl.lit(content),
        review_id=pl.lit(review["review_id"]),
        issued_by=pl.lit(issued_by.strip()),
        issued_at=pl.lit(issued_at, _UTC),
        expires_at=pl.lit(review["expires_at"], _UTC),
    )


def withdraw(
    issue_id: str, state: str, withdrawn_by: str, withdrawn_at: datetime, reason: str | None, text: str
) -> pl.DataFrame:
    """One row that takes an issue back; the issued rows stay as they are.

    Columns issue_id, withdrawn_by, withdrawn_at (UTC), reason, text. Raises ReviewError unless the areas
    are issued and a reason is given.
    """
    step(state, "withdrawn")
    check_reason(reason, text, "a withdrawal")
    if not withdrawn_by.strip():
        raise ReviewError("Say who withdraws the areas.")
    row = {
        "issue_id": issue_id,
        "withdrawn_by": withdrawn_by.strip(),
        "withdrawn_at": withdrawn_at,
        "reason": reason,
        "text": text,
    }
    return pl.DataFrame([row], schema_overrides={"withdrawn_at": _UTC})


def state_at(state: str, at: datetime, expires_at: datetime, withdrawn_at: datetime | None) -> str:
    """The state of areas at a moment: an issue that has ended is expired, unless it was withdrawn before."""
    if state != "issued":
        return state
    if withdrawn_at is not None and withdrawn_at <= min(at, expires_at):
        return "withdrawn"
    return "expired" if at >= expires_at else state


def list_hash(areas: pl.DataFrame) -> str:
    """SHA-256 (64 hex digits) of what a list says: its areas in order, with cells, names and reasons."""
    rows = [
        [
            str(row["forecast_date"]),
            *(row[name] for name in ("shift", "unit", "offence_group", "rank", "area_id", "name", "why")),
            sorted(cell_to_hex(row["cells"])),
            row["forecast_id"],
            row.get("origin", "model"),
        ]
        for row in areas.sort("shift", "unit", "offence_group", "rank").iter_rows(named=True)
    ]
    return hashlib.sha256(json.dumps(rows, ensure_ascii=True, separators=(",", ":")).encode()).hexdigest()


def _one(areas: pl.DataFrame) -> dict[str, Any]:
    """Forecast date, shift and unit, of which there must be one each."""
    where = areas.select("forecast_date", "shift", "unit").unique()
    if where.height == 0:
        raise ReviewError("There is no area to decide about.")
    if where.height > 1:
        raise ValueError("a decision is about one forecast date, unit and shift")
    return where.row(0, named=True)


def _check_person_and_time(decision: Decision) -> None:
    if not decision.reviewer.strip() or not decision.role.strip():
        raise ReviewError("Say who decides, and in which role.")
    if decision.decided_at < decision.opened_at:
        raise ReviewError("The decision lies before the review was opened; correct the clock.")
    if decision.decided_at >= decision.expires_at:
        raise ReviewError(
            f"These areas ended at {decision.expires_at:%Y-%m-%d %H:%M} UTC; they can no longer be decided."
        )


def _check_newest(areas: pl.DataFrame, newest: Collection[str]) -> None:
    _check_newest_ids(areas["forecast_id"].unique().sort().to_list(), newest)


def _check_newest_ids(forecast_ids: Collection[str], newest: Collection[str]) -> None:
    old = [each for each in forecast_ids if each not in newest]
    if old:
        raise ReviewError(
            f"Superseded by a newer forecast ({', '.join(old)} is not the newest); open it anew."
        )

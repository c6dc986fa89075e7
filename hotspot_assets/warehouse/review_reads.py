"""Where lists stand: the areas as computed, the last decision about them, its issue and its withdrawal.

Belongs here: reading the tables of review and issue, in a transaction or outside. Not here: writing them
(`issuing`) and the meaning of states (`patrol.review`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import polars as pl

from hotspot_assets.patrol.review import list_hash, state_at

Read = Callable[[str, Sequence[object]], pl.DataFrame]
"""`Lake.read` or `Transaction.read`."""


@dataclass(frozen=True, order=True)
class Place:
    """What one list is for."""

    forecast_date: date
    shift: str
    unit: str

    def __str__(self) -> str:
        return f"{self.unit}, {self.forecast_date}, {self.shift}"


@dataclass(frozen=True, eq=False)
class Standing:
    """Where the list of a place stands.

    Attributes
    ----------
    areas
        The model's list as computed last, rows of `patrol_areas`.
    newest
        Ids of the newest forecasts of the date.
    review
        The last decision, a row of `reviews`; None: none was taken.
    issue
        The issue of that decision (issue_id, review_id, content_hash, issued_by, issued_at, expires_at,
        withdrawn_at and the withdrawal's by, reason, text); None: not issued.
    issues
        All issues of the place.
    """

    areas: pl.DataFrame
    newest: frozenset[str]
    review: Mapping[str, Any] | None = None
    issue: Mapping[str, Any] | None = None
    issues: Sequence[Mapping[str, Any]] = field(default_factory=tuple)

    @property
    def round(self) -> int:
        """How many decisions were taken."""
        return 0 if self.review is None else int(self.review["round"])

    @property
    def current(self) -> bool:
        """Whether the last decision was about the areas as they are now, from the newest forecasts."""
        if self.review is None:
            return False
        fresh = self.newest.issuperset(self.review["forecast_ids"])
        return fresh and bool(self.review["model_hash"] == list_hash(self.areas))

    def state_at(self, at: datetime) -> str:
        """The state of the last decision at a moment; draft where there is none, or it was about other areas."""
        if self.review is None:
            return "draft"
        if self.issue is not None:
            return self.state_of_issue(self.issue["issue_id"], at)
        return str(self.review["state"]) if self.current else "draft"

    def state_of_issue(self, issue_id: str, at: datetime) -> str:
        """issued, expired or withdrawn."""
        (found,) = (each for each in self.issues if each["issue_id"] == issue_id)
        return state_at("issued", at, found["expires_at"], found["withdrawn_at"])

    def in_force(self, at: datetime) -> list[str]:
        """Issues that officers may hold at a moment."""
        ids = [str(each["issue_id"]) for each in self.issues]
        return [each for each in ids if self.state_of_issue(each, at) == "issued"]

    @property
    def may_be_decided(self) -> bool:
        """Whether a decision may be taken: none stands, or the last was a rejection, was withdrawn, or is outdated."""
        if self.review is None or not self.current or self.review["state"] == "rejected":
            return True
        return self.issue is not None and self.issue["withdrawn_at"] is not None


def standings(read: Read, days: Sequence[date]) -> dict[Place, Standing]:
    """Where the lists of some forecast dates stand, by place, in order; places without areas or decisions are absent."""
    areas = read(_AREAS, [list(days)])
    newest = read(_NEWEST, [list(days)])
    last = {_place(row): row for row in read(_LAST_REVIEWS, [list(days)]).to_dicts()}
    issues: dict[Place, list[dict[str, Any]]] = {}
    for row in read(_ISSUES, [list(days)]).to_dicts():
        issues.setdefault(_place(row), []).append(row)
    lists = {Place(*key): rows for key, rows in areas.group_by("forecast_date", "shift", "unit")}
    ids = {day: frozenset(rows["forecast_id"]) for (day,), rows in newest.group_by("forecast_date")}
    found = {}
    for place in sorted({*lists, *last, *issues}):
        review = last.get(place)
        of_place = issues.get(place, [])
        issue = next((each for each in of_place if review and each["review_id"] == review["review_id"]), None)
        rows = lists.get(place, areas.clear())
        known = ids.get(place.forecast_date, frozenset())
        found[place] = Standing(rows, known, review, issue, of_place)
    return found


def approved_lists(read: Read, review_ids: Sequence[str]) -> dict[str, pl.DataFrame]:
    """The human lists of reviews, in the form in which they were approved; a rejection has none."""
    query = """
        SELECT * EXCLUDE (list) FROM reviewed_areas WHERE list_contains(?, review_id) AND list = 'human'
        ORDER BY review_id, offence_group, rank
    """
    parts = read(query, [list(review_ids)]).partition_by("review_id", as_dict=True, include_key=False)
    return {str(review_id): rows for (review_id,), rows in parts.items()}


def reviews_between(read: Read, first: date, last: date) -> pl.DataFrame:
    """Decisions about forecast dates first..last, oldest first."""
    query = "SELECT * FROM reviews WHERE forecast_date BETWEEN ? AND ? ORDER BY decided_at, review_id"
    return read(query, [first, last])


def reviewed_lists(read: Read, first: date, last: date) -> pl.DataFrame:
    """Both lists of the last decision about each list of forecast dates first..last, with `simulated`."""
    query = """
        WITH last AS (
            SELECT review_id, simulated FROM reviews WHERE forecast_date BETWEEN ? AND ?
            QUALIFY row_number() OVER (PARTITION BY forecast_date, shift, unit ORDER BY round DESC) = 1)
        SELECT a.*, simulated FROM reviewed_areas a JOIN last USING (review_id)
        ORDER BY review_id, list, offence_group, rank
    """
    return read(query, [first, last])


def approvals_of_run(read: Read, run_id: str) -> list[str]:
    """Ids of the approvals that a run kept."""
    query = "SELECT review_id FROM reviews WHERE run_id = ? AND state <> 'rejected' ORDER BY forecast_date, unit, shift"
    return read(query, [run_id])["review_id"].to_list()


def issues_unlike_their_approval(read: Read) -> pl.DataFrame:
    """Issues without an approval of the same content, within its time and with an entry in the ledger."""
    query = """
        SELECT DISTINCT i.issue_id, i.forecast_date, i.unit, i.shift
        FROM issued_patrol_areas i
        LEFT JOIN reviews r ON r.review_id = i.review_id AND r.state IN ('approved', 'approved_with_changes')
            AND r.human_hash = i.content_hash AND i.issued_at < r.expires_at AND r.simulated = i.simulated
        LEFT JOIN (SELECT facts ->> 'issue_id' AS issue_id, facts ->> 'content_hash' AS content_hash
                   FROM ledger WHERE kind = 'issue') l
            ON l.issue_id = i.issue_id AND l.content_hash = i.content_hash
        WHERE r.review_id IS NULL OR l.issue_id IS NULL ORDER BY ALL
    """
    return read(query, [])


def issues_side_by_side(read: Read) -> pl.DataFrame:
    """Places with two issues at once: each issued before the other ended or was taken back."""
    query = """
        WITH i AS (
            SELECT DISTINCT issue_id, forecast_date, shift, unit, issued_at,
                least(expires_at, coalesce(withdrawn_at, expires_at)) AS until
            FROM issued_patrol_areas LEFT JOIN withdrawals USING (issue_id))
        SELECT a.issue_id, b.issue_id AS other, a.forecast_date, a.unit, a.shift FROM i a JOIN i b
        ON (a.forecast_date, a.shift, a.unit) = (b.forecast_date, b.shift, b.unit)
            AND a.issue_id < b.issue_id AND a.issued_at < b.until AND b.issued_at < a.until
        ORDER BY ALL
    """
    return read(query, [])


def simulated_decisions(read: Read) -> pl.DataFrame:
    """Decisions that no person took."""
    return read("SELECT review_id, forecast_date, unit, shift FROM reviews WHERE simulated ORDER BY ALL", [])


def _place(row: Mapping[str, Any]) -> Place:
    return Place(row["forecast_date"], row["shift"], row["unit"])


_AREAS = """
    SELECT * FROM patrol_areas WHERE list_contains(?, forecast_date)
    ORDER BY forecast_date, shift, unit, offence_group, rank
"""
_NEWEST = """
    SELECT forecast_date, forecast_id FROM forecasts WHERE list_contains(?, forecast_date)
    QUALIFY row_number() OVER (PARTITION BY forecast_date, offence_group ORDER BY made_at DESC, forecast_id) = 1
"""
_LAST_REVIEWS = """
    SELECT * FROM reviews WHERE list_contains(?, forecast_date)
    QUALIFY row_number() OVER (PARTITION BY forecast_date, shift, unit ORDER BY round DESC) = 1
"""
_ISSUES = """
    SELECT DISTINCT i.forecast_date, i.shift, i.unit, i.issue_id, i.review_id, i.content_hash, i.issued_by,
        i.issued_at, i.expires_at, i.simulated, w.withdrawn_at, w.withdrawn_by, w.reason, w.text
    FROM issued_patrol_areas i LEFT JOIN withdrawals w USING (issue_id)
    WHERE list_contains(?, i.forecast_date) ORDER BY i.issued_at, i.issue_id
"""

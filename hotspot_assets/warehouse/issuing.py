"""Decisions, issues and withdrawals: each in one transaction, with its entry in the ledger.

Belongs here: the one function that keeps a decision, the one that issues and the one that takes back. They take
what a person asked for, never rows: the areas decided about and the areas issued are read in the transaction
that writes, under the lock of `reviews`, so that of two people who act at once one is refused. Not here: the
rules (`patrol.review`), which this asks in every case, what no transaction may do (`guards`), and where lists
stand (`review_reads`).

Several lists can be decided in one act. What is refused of them is answered with the reason, and the rest is
kept: refusals leave no trace in the tables.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl

from hotspot_assets.assurance.ledger import Kind
from hotspot_assets.errors import UserError
from hotspot_assets.patrol import review
from hotspot_assets.patrol.ground import Ground
from hotspot_assets.patrol.review import Decision, Reviewed, ReviewError, list_hash
from hotspot_assets.warehouse.chain import Fact, append_entries
from hotspot_assets.warehouse.lake import Committed, Lake, Stamp, Transaction
from hotspot_assets.warehouse.review_reads import Place, Standing, approved_lists, standings
from hotspot_assets.warehouse.tables import TABLES

_LOCKS = ("reviews", "review_changes", "reviewed_areas", "issued_patrol_areas", "withdrawals", "ledger")
_REPLACED = "replaced by issue {}"


@dataclass(frozen=True)
class Asked:
    """A decision, and what the person had in front of them when taking it.

    Attributes
    ----------
    seen_hash
        `list_hash` of the model's list that was shown, or its first 8 or more digits.
    seen_round
        Number of decisions about the list that were shown with it.
    """

    place: Place
    decision: Decision
    seen_hash: str
    seen_round: int


@dataclass(frozen=True)
class Answer:
    """What became of one thing asked for: the row that was written, or why it was refused."""

    place: Place | None
    row: Mapping[str, Any] | None = None
    refusal: str | None = None


def keep_decisions(
    lake: Lake, asked: Sequence[Asked], grounds: Mapping[Place, Ground], at: datetime, stamp: Stamp
) -> Committed[list[Answer]]:
    """Decide about lists, and keep the decisions with both lists, changes and entries in the ledger.

    Parameters
    ----------
    grounds
        Ground of the lists in which an area is moved or added.
    at
        Now, UTC: the time of the ledger's entries.

    Returns
    -------
    One answer per decision, in order; `row` is the row of `reviews`.
    """

    def write(transaction: Transaction) -> list[Answer]:
        known = standings(transaction.read, sorted({each.place.forecast_date for each in asked}))
        done: dict[Place, Reviewed] = {}
        rows: list[dict[str, Any]] = []

        def decide(one: Asked) -> Mapping[str, Any]:
            if one.place in done:
                raise ReviewError("This list stands twice among the decisions; nothing was changed.")
            standing = _standing(known, one.place)
            _check_seen(one, standing)
            state = "in_review" if standing.may_be_decided else standing.state_at(at)
            ground = grounds.get(one.place)
            made = review.decide(standing.areas, one.decision, standing.newest, ground, state)
            done[one.place] = made
            row = made.review.row(0, named=True)
            rows.append(row | {"round": standing.round + 1, "account": stamp.author, "run_id": stamp.run_id})
            return rows[-1]

        answers = [_answer(one.place, lambda one=one: decide(one)) for one in asked]  # type: ignore[misc]
        _append_reviews(transaction, rows, list(done.values()))
        entries = [_of_decision(row, made) for row, made in zip(rows, done.values(), strict=True)]
        append_entries(transaction, Kind.REVIEW, at, entries)
        return answers

    return lake.transact(write, tables=_LOCKS, message=f"{len(asked)} reviews", stamp=stamp)


def issue_approved(
    lake: Lake, review_ids: Sequence[str], issued_by: str, at: datetime, stamp: Stamp, issued_at: datetime
) -> Committed[list[Answer]]:
    """Issue approved lists: copy them, immutably, with issue id and content hash.

    An issue of an earlier forecast for the same date, shift and unit that is still in force is withdrawn in
    the same transaction. `issued_at` is `at`, except for a demonstration of past days.

    Returns
    -------
    One answer per review id, in order; `row` has issue_id, review_id, content_hash, areas, expires_at.
    """

    def write(transaction: Transaction) -> list[Answer]:
        approvals = _reviews(transaction, review_ids)
        known = standings(transaction.read, sorted({_place(row).forecast_date for row in approvals.values()}))
        lists = approved_lists(transaction.read, review_ids)
        frames: list[pl.DataFrame] = []
        replaced: list[pl.DataFrame] = []

        def issue(review_id: str) -> Mapping[str, Any]:
            approval = approvals.get(review_id)
            if approval is None:
                raise ReviewError(f"There is no review {review_id}; without an approval nothing is issued.")
            standing = _standing(known, _place(approval))
            _check_issuable(approval, standing)
            human = lists.get(review_id, standing.areas.clear())
            made = review.issue(human, approval, standing.newest, issued_by, issued_at)
            frames.append(
                made.with_columns(simulated=pl.lit(approval["simulated"]), run_id=pl.lit(stamp.run_id))
            )
            for issue_id in standing.in_force(issued_at):
                words = _REPLACED.format(made["issue_id"][0])
                replaced.append(review.withdraw(issue_id, "issued", issued_by, issued_at, "other", words))
            return made.row(0, named=True) | {"areas": made.height, "simulated": approval["simulated"]}

        answers = [
            _answer(_place_of(approvals, each), lambda each=each: issue(each))  # type: ignore[misc]
            for each in dict.fromkeys(review_ids)
        ]
        if frames:
            rows = pl.concat(frames)
            transaction.append("issued_patrol_areas", TABLES["issued_patrol_areas"].conform(rows))
        append_entries(transaction, Kind.ISSUE, at, [_of_issue(each, stamp) for each in answers if each.row])
        _append_withdrawals(transaction, replaced, at, stamp)
        return answers

    return lake.transact(write, tables=_LOCKS, message=f"{len(review_ids)} issues", stamp=stamp)


def withdraw_issues(
    lake: Lake, issue_ids: Sequence[str], by: str, reason: str | None, text: str, at: datetime, stamp: Stamp
) -> Committed[list[Answer]]:
    """Take issues back before their end; the issued rows stay. One answer per issue id, in order."""

    def write(transaction: Transaction) -> list[Answer]:
        places = _issued_places(transaction, issue_ids)
        known = standings(transaction.read, sorted({place.forecast_date for place in places.values()}))
        frames: list[pl.DataFrame] = []

        def withdraw(issue_id: str) -> Mapping[str, Any]:
            if issue_id not in places:
                raise ReviewError(f"There is no issue {issue_id}; nothing was withdrawn.")
            state = known[places[issue_id]].state_of_issue(issue_id, at)
            frames.append(review.withdraw(issue_id, state, by, at, reason, text))
            return frames[-1].row(0, named=True)

        answers = [
            _answer(places.get(each), lambda each=each: withdraw(each))  # type: ignore[misc]
            for each in dict.fromkeys(issue_ids)
        ]
        _append_withdrawals(transaction, frames, at, stamp)
        return answers

    return lake.transact(write, tables=_LOCKS, message=f"{len(issue_ids)} withdrawals", stamp=stamp)


def _answer(place: Place | None, act: Callable[[], Mapping[str, Any]]) -> Answer:
    try:
        return Answer(place, row=act())
    except UserError as refused:
        return Answer(place, refusal=str(refused))


def _standing(known: Mapping[Place, Standing], place: Place) -> Standing:
    standing = known.get(place)
    if standing is None or standing.areas.is_empty():
        raise ReviewError(f"There are no patrol areas for {place}; nothing can be decided or issued.")
    return standing


def _check_seen(one: Asked, standing: Standing) -> None:
    """What is decided must be what was seen, and nobody may have decided in between."""
    if len(one.seen_hash) < 8 or not list_hash(standing.areas).startswith(one.seen_hash):
        raise ReviewError(
            f"The areas of {one.place} are not the ones that were looked at; open the list anew."
        )
    if one.seen_round != standing.round and (last := standing.review) is not None:
        raise ReviewError(
            f"{last['reviewer']} ({last['role']}) has decided about {one.place} meanwhile, at"
            f" {last['decided_at']:%Y-%m-%d %H:%M:%S} UTC: {last['state'].replace('_', ' ')}. Open it anew."
        )
    if one.seen_round != standing.round:
        raise ReviewError(f"No decision about {one.place} has been taken yet; open the list anew.")


def _check_issuable(approval: Mapping[str, Any], standing: Standing) -> None:
    last = standing.review
    if last is None or last["review_id"] != approval["review_id"]:
        raise ReviewError(f"Review {approval['review_id']} is not the last decision; nothing was issued.")
    if standing.issue is not None:
        raise ReviewError(f"Review {approval['review_id']} is issued already; nothing was issued again.")
    if not standing.current:
        raise ReviewError("The areas have been computed anew since they were approved; review them.")


def _reviews(transaction: Transaction, review_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    query = "SELECT * FROM reviews WHERE list_contains(?, review_id)"
    return {row["review_id"]: row for row in transaction.read(query, [list(review_ids)]).to_dicts()}


def _issued_places(transaction: Transaction, issue_ids: Sequence[str]) -> dict[str, Place]:
    query = """
        SELECT DISTINCT issue_id, forecast_date, shift, unit FROM issued_patrol_areas
        WHERE list_contains(?, issue_id)
    """
    return {row["issue_id"]: _place(row) for row in transaction.read(query, [list(issue_ids)]).to_dicts()}


def _place(row: Mapping[str, Any]) -> Place:
    return Place(row["forecast_date"], row["shift"], row["unit"])


def _place_of(approvals: Mapping[str, Mapping[str, Any]], review_id: str) -> Place | None:
    return _place(approvals[review_id]) if review_id in approvals else None


def _append_reviews(transaction: Transaction, rows: list[dict[str, Any]], done: list[Reviewed]) -> None:
    if not rows:
        return
    reviews = TABLES["reviews"]
    transaction.append("reviews", reviews.conform(pl.DataFrame(rows, schema=reviews.dtypes)))
    changes = pl.concat([each.changes for each in done])
    transaction.append("review_changes", TABLES["review_changes"].conform(changes))
    lists = []
    for row, made in zip(rows, done, strict=True):
        model = made.model_list.with_columns(origin=pl.lit("model"), list=pl.lit("model"))
        both = pl.concat([model, made.human_list.with_columns(list=pl.lit("human"))], how="diagonal")
        lists.append(both.with_columns(review_id=pl.lit(row["review_id"])))
    transaction.append("reviewed_areas", TABLES["reviewed_areas"].conform(pl.concat(lists)))


def _append_withdrawals(
    transaction: Transaction, frames: list[pl.DataFrame], at: datetime, stamp: Stamp
) -> None:
    if not frames:
        return
    rows = pl.concat(frames).with_columns(run_id=pl.lit(stamp.run_id))
    transaction.append("withdrawals", TABLES["withdrawals"].conform(rows))
    entries = [
        Fact(
            f"{row['withdrawn_by']} (declared, account {stamp.author})",
            f"issue {row['issue_id']}",
            {"reason": row["reason"], "withdrawn_at": _text(row["withdrawn_at"]), "run_id": stamp.run_id},
        )
        for row in rows.to_dicts()
    ]
    append_entries(transaction, Kind.WITHDRAWAL, at, entries)


def _of_decision(row: Mapping[str, Any], made: Reviewed) -> Fact:
    """The ledger's entry of a decision: codes, counts and hashes; the words stay in the tables."""
    facts = {
        **{name: row[name] for name in ("review_id", "round", "state", "changes", "reason", "simulated")},
        **{name: row[name] for name in ("forecast_ids", "model_hash", "human_hash", "together", "run_id")},
        "reasons": made.changes["reason"].to_list(),
        "seconds": int(row["seconds"]),
        "decided_at": _text(row["decided_at"]),
        "expires_at": _text(row["expires_at"]),
    }
    actor = f"{row['reviewer']}, {row['role']} ({row['identity']}, account {row['account']})"
    return Fact(actor, str(_place(row)), facts)


def _of_issue(answer: Answer, stamp: Stamp) -> Fact:
    row = answer.row or {}
    facts = {
        **{name: row[name] for name in ("issue_id", "review_id", "content_hash", "areas", "simulated")},
        "issued_at": _text(row["issued_at"]),
        "expires_at": _text(row["expires_at"]),
        "run_id": stamp.run_id,
    }
    return Fact(f"{row['issued_by']} (declared, account {stamp.author})", str(answer.place), facts)


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")

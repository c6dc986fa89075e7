"""Guards: what no transaction may do, whoever asks for it.

Belongs here: the tables to which rows are only ever added, and the one condition under which rows can be
issued. Not here: who may decide, and in what order (`issuing`). Whoever goes round this software with a
database tool goes round the guards too; the check `issued_as_approved` and the ledger are there to show it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime

import polars as pl

from hotspot_assets.errors import UserError
from hotspot_assets.patrol.review import list_hash

APPEND_ONLY = ("reviews", "review_changes", "reviewed_areas", "issued_patrol_areas", "withdrawals")
"""Decisions, what was issued and what was taken back: rows are added, never altered or deleted."""

_NAMES_ONE = re.compile(rf"\b({'|'.join(APPEND_ONLY)})\b", re.IGNORECASE)
_WRITES = re.compile(r"\b(insert|update|delete|merge|truncate|alter|drop)\b", re.IGNORECASE)


class NotApproved(UserError):
    """Rows that nobody approved, or not in this form; nothing was issued."""


class AppendOnly(UserError):
    """A statement that would alter what is only ever added to; nothing was written."""


def refuse_rewriting(statement: str) -> None:
    """Raise AppendOnly for a statement that writes to one of the `APPEND_ONLY` tables."""
    if (found := _NAMES_ONE.search(statement)) and _WRITES.search(statement):
        raise AppendOnly(f"Rows of {found[1]} are only ever added, by a review, an issue or a withdrawal.")


def refuse_unapproved(
    table: str, rows: pl.DataFrame, read: Callable[[str, Sequence[object]], pl.DataFrame]
) -> None:
    """Raise NotApproved unless rows of `issued_patrol_areas` are, as they stand, an approved list within its time.

    `read` runs a query in the transaction that would write them. Other tables pass.
    """
    if table != "issued_patrol_areas":
        return
    approvals = read(
        "SELECT review_id, human_hash, expires_at, simulated FROM reviews"
        " WHERE state IN ('approved', 'approved_with_changes') AND list_contains(?, review_id)",
        [rows["review_id"].unique().to_list()],
    ).rows_by_key("review_id", named=True, unique=True)
    for (issue_id, review_id), issued in rows.group_by("issue_id", "review_id"):
        approval = approvals.get(review_id)
        if approval is None:
            raise NotApproved(f"Issue {issue_id}: no approval with the id {review_id}; nothing was issued.")
        hashes = {approval["human_hash"], list_hash(issued), *issued["content_hash"]}
        if len(hashes) > 1:
            raise NotApproved(
                f"Issue {issue_id}: these are not the areas that were approved; nothing was issued."
            )
        ends: datetime = approval["expires_at"]
        if (issued["issued_at"] >= ends).any() or (issued["expires_at"] != ends).any():
            raise NotApproved(
                f"Issue {issue_id}: the approval ends at {ends:%Y-%m-%d %H:%M} UTC; nothing was issued."
            )
        if (issued["simulated"] != approval["simulated"]).any():
            raise NotApproved(f"Issue {issue_id}: a simulated approval stays simulated; nothing was issued.")

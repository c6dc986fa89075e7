"""Reasons: why a person departs from the model's list.

Belongs here: the codes, their meaning, and the check that one was given. Not here: what a change does
(`changes`).
"""

from __future__ import annotations

from hotspot_assets.errors import UserError

REASONS: dict[str, str] = {
    "geocode_artefact": "recorded there, but did not happen there",
    "already_tasked": "already covered by another task",
    "event_changed": "something on the ground has changed",
    "not_patrolable": "cannot be patrolled",
    "community_concern": "concern of the community",
    "resource": "no people or vehicles for it",
    "intelligence_other": "other intelligence",
    "legal": "legal ground",
    "other": "other, in words",
}
"""Reason codes and what they mean."""

LONGEST_TEXT = 500
"""Characters a person may add to a reason: enough to explain, too few for a case file."""


class MissingReasonError(UserError):
    """A departure from the model's list without a usable reason."""


def check_reason(reason: str | None, text: str, what: str) -> None:
    """Raise MissingReasonError unless the reason is a known code, with words where the code is `other`."""
    if reason not in REASONS:
        raise MissingReasonError(f"Give a reason for {what}: one of {', '.join(REASONS)}.")
    if reason == "other" and not text.strip():
        raise MissingReasonError(f"The reason 'other' for {what} needs words.")
    if len(text) > LONGEST_TEXT:
        raise MissingReasonError(f"The words for {what} are longer than {LONGEST_TEXT} characters.")

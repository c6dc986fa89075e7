"""What the page sends, checked for its form before anything is done with it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class _Sent(BaseModel):
    model_config = ConfigDict(extra="forbid", str_max_length=1000)


class Change(_Sent):
    """A change to a list."""

    action: Literal["drop", "move", "add", "reorder"]
    area_id: str
    reason: str
    text: str = ""
    cells: list[str] = Field([], max_length=500)
    to_rank: int | None = None
    offence_group: str = ""
    name: str = ""


class Decision(_Sent):
    """A decision about one list, with what was seen of it."""

    date: str
    unit: str
    shift: str
    decision: Literal["approve", "reject"]
    areas_seen: str
    decisions_seen: int
    changes: list[Change] = Field([], max_length=500)
    reason: str = ""
    text: str = ""


class _Act(_Sent):
    page: str
    name: str
    role: str


class Decide(_Act):
    """Decide about lists, and issue what is approved."""

    decisions: list[Decision] = Field(min_length=1, max_length=5000)

    def configs(self) -> list[dict[str, Any]]:
        """The decisions as a run takes them."""
        return [each.model_dump() for each in self.decisions]


class Issue(_Act):
    """Issue lists approved before."""

    reviews: list[str] = Field(min_length=1, max_length=5000)


class Withdraw(_Act):
    """Take issues back."""

    issues: list[str] = Field(min_length=1, max_length=5000)
    reason: str
    text: str = ""

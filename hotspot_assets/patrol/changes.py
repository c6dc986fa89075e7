"""Changes: what a reviewer may do to a list of areas, and the list that comes of it.

Belongs here: drop, move, add and reorder, each checked against the ground. Not here: whether the decision
may be taken at all (`review`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import polars as pl

from hotspot_assets.errors import UserError
from hotspot_assets.hexgrid.cells import cell_to_hex
from hotspot_assets.patrol.ground import Ground
from hotspot_assets.patrol.outlines import outline_wkt
from hotspot_assets.patrol.reasons import REASONS, check_reason


class ChangeError(UserError):
    """A change that would not leave proper patrol areas; nothing was changed."""


@dataclass(frozen=True)
class Change:
    """One change to the list.

    Attributes
    ----------
    area_id
        The area it is about; for an addition, the new area's id.
    cells
        New cells of a moved or an added area.
    to_rank
        New rank of a reordered or an added area within its offence group; an addition without one is last.
    offence_group, name
        Of an added area.
    """

    action: Literal["drop", "move", "add", "reorder"]
    area_id: str
    reason: str
    text: str = ""
    cells: tuple[int, ...] = ()
    to_rank: int | None = None
    offence_group: str = ""
    name: str = ""


_OF_THE_LIST = ("forecast_date", "shift", "unit", "minutes", "begins_before_cut_off")
"""What an added area has in common with the others of its list."""

CHANGES_SCHEMA: dict[str, pl.DataType] = {
    "review_id": pl.String(),
    "position": pl.Int32(),
    "action": pl.String(),
    "area_id": pl.String(),
    "reason": pl.String(),
    "text": pl.String(),
    "cells": pl.List(pl.UInt64),
    "to_rank": pl.Int32(),
}


def changes_frame(review_id: str, changes: Sequence[Change]) -> pl.DataFrame:
    """One row per change, columns of `CHANGES_SCHEMA`."""
    rows = [
        {
            "review_id": review_id,
            "position": position,
            "action": each.action,
            "area_id": each.area_id,
            "reason": each.reason,
            "text": each.text,
            "cells": list(each.cells),
            "to_rank": each.to_rank,
        }
        for position, each in enumerate(changes, start=1)
    ]
    return pl.DataFrame(rows, schema=CHANGES_SCHEMA)


def lays_cells(changes: Sequence[Change]) -> bool:
    """Whether a change puts an area on other cells, so that the ground must be known."""
    return any(each.action in ("move", "add") for each in changes)


def changed_list(areas: pl.DataFrame, changes: Sequence[Change], ground: Ground | None) -> pl.DataFrame:
    """The list after the changes, with a column `origin`; ranks run from 1 in each offence group again.

    Raises
    ------
    MissingReasonError
        When a change has no reason.
    ChangeError
        When it names no area of the list, changes nothing, or would leave something that is no patrol area.
    """
    rows: dict[str, dict[str, Any]] = {
        row["area_id"]: row | {"origin": "model", "order": (float(row["rank"]), 1)}
        for row in areas.sort("offence_group", "rank").iter_rows(named=True)
    }
    known = set(rows)
    for change in changes:
        check_reason(change.reason, change.text, f"the change to {change.area_id}")
        if change.action == "add":
            _add(rows, known, change, ground, areas)
        elif change.area_id not in rows:
            raise ChangeError(f"There is no area {change.area_id} to {change.action} in this list.")
        elif change.action == "drop":
            del rows[change.area_id]
        elif change.action == "move":
            _move(rows[change.area_id], change, ground)
        else:
            _reorder(rows[change.area_id], change)
    _check_apart(rows)
    return _as_frame(rows, areas)


def _as_frame(rows: dict[str, dict[str, Any]], areas: pl.DataFrame) -> pl.DataFrame:
    ordered = sorted(rows.values(), key=lambda row: (row["offence_group"], row["order"]))
    schema = dict(areas.schema) | {"origin": pl.String()}
    kept = [{name: row[name] for name in schema} for row in ordered]
    ranks = pl.int_range(1, pl.len() + 1, dtype=pl.Int32).over("offence_group")
    return pl.DataFrame(kept, schema=schema).with_columns(rank=ranks)


def _add(
    rows: dict[str, dict[str, Any]],
    known: set[str],
    change: Change,
    ground: Ground | None,
    areas: pl.DataFrame,
) -> None:
    if not change.area_id or change.area_id in known:
        raise ChangeError(f"An added area needs an id of its own; {change.area_id!r} is taken or empty.")
    if not change.offence_group or not change.name.strip():
        raise ChangeError(f"The added area {change.area_id} needs an offence group and a name.")
    first = areas.row(0, named=True)
    known.add(change.area_id)
    rows[change.area_id] = dict.fromkeys(areas.columns) | {
        **{name: first[name] for name in _OF_THE_LIST},
        "offence_group": change.offence_group,
        "area_id": change.area_id,
        "name": change.name.strip(),
        "why": f"Added by the reviewer, not by the model: {_because(change)}.",
        "origin": "human",
        "order": _place(change) if change.to_rank is not None else (float("inf"), 1),
    }
    _lay(rows[change.area_id], change, ground)


def _move(row: dict[str, Any], change: Change, ground: Ground | None) -> None:
    if set(change.cells) == set(row["cells"]):
        raise ChangeError(f"The move of {change.area_id} changes no cell.")
    _lay(row, change, ground)
    if row["origin"] == "model":
        row["origin"] = "model, moved"
    row["share"] = row["shift_share"] = None
    row["why"] = f"{row['why']} Moved by the reviewer: {_because(change)}."


def _reorder(row: dict[str, Any], change: Change) -> None:
    if change.to_rank is None or change.to_rank < 1:
        raise ChangeError(f"Say to which rank {change.area_id} goes, from 1.")
    if change.to_rank == row["rank"]:
        raise ChangeError(f"{change.area_id} has rank {change.to_rank} already.")
    # Moving down means behind the area that has the rank, moving up before it.
    row["order"] = (float(change.to_rank), 2 if change.to_rank > row["rank"] else 0)


def _place(change: Change) -> tuple[float, int]:
    if change.to_rank is None or change.to_rank < 1:
        raise ChangeError(f"Say to which rank {change.area_id} goes, from 1.")
    return (float(change.to_rank), 0)


def _because(change: Change) -> str:
    words = change.text.strip()
    if change.reason == "other":
        return words
    return f"{REASONS[change.reason]} ({words})" if words else REASONS[change.reason]


def _lay(row: dict[str, Any], change: Change, ground: Ground | None) -> None:
    """Put the area on its new cells, if they are connected, open and of its unit."""
    if ground is None:
        raise ValueError("to lay an area on cells takes the ground")
    cells = np.unique(np.array(change.cells, dtype=np.uint64))
    position = ground.area.index_of(cells)
    if len(cells) == 0 or (position < 0).any():
        raise ChangeError(f"{change.area_id} needs cells of the study area.")
    shut = [cell for cell, at in zip(cells, position, strict=True) if not ground.open[at]]
    if shut:
        raise ChangeError(f"{change.area_id} takes in excluded cells: {', '.join(cell_to_hex(shut))}.")
    units = {ground.units[code] for code in ground.unit_of[position]}
    if units != {row["unit"]}:
        raise ChangeError(f"{change.area_id} leaves its unit {row['unit']}.")
    if not _connected(position, ground):
        raise ChangeError(f"The cells of {change.area_id} do not hang together; add them as two areas.")
    row["cells"] = cells.tolist()
    row["geometry"] = outline_wkt(cells.tolist())
    row["area_km2"] = float(ground.area.area_km2[position].sum())


def _connected(position: np.ndarray[Any, np.dtype[np.int64]], ground: Ground) -> bool:
    left = set(position.tolist())
    ends = [left.pop()]
    while ends:
        near = left.intersection(ground.terrain.adjacent(ends.pop()))
        left -= near
        ends.extend(near)
    return not left


def _check_apart(rows: dict[str, dict[str, Any]]) -> None:
    taken: dict[tuple[str, int], str] = {}
    for area_id, row in rows.items():
        for cell in row["cells"]:
            other = taken.setdefault((row["offence_group"], cell), area_id)
            if other != area_id:
                raise ChangeError(f"{area_id} would overlap {other}; drop or move one of them.")

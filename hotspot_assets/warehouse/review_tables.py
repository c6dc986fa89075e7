"""What people decided about patrol areas, what was issued, and what was taken back: all append-only."""

from __future__ import annotations

import dataframely as dy

from hotspot_assets.warehouse import columns
from hotspot_assets.warehouse.patrol_tables import PatrolAreas


class Reviews(dy.Schema):
    """A decision about the patrol areas of one forecast date, unit and shift. Append-only."""

    review_id = dy.String(primary_key=True, description="Hash of what was decided, by whom and when.")
    forecast_date = columns.forecast_date()
    shift = dy.String(description="Shift of the day.")
    unit = dy.String(description="Patrol unit.")
    round = dy.Int32(description="1 for the first decision about this list, 2 for the next, ...")
    state = dy.String(description="approved, approved_with_changes or rejected.")
    forecast_ids = dy.List(dy.String(), description="Forecasts that the list was made from.")
    reviewer = dy.String(description="Who decided.")
    role = dy.String(description="In which role.")
    identity = dy.String(description="declared: the reviewer's word; authenticated: known to the system.")
    account = dy.String(description="Account of the machine under which the decision was entered.")
    opened_at = columns.moment("When the list was opened.")
    decided_at = columns.moment("When it was decided.")
    expires_at = columns.moment("When the areas stop to be valid, at the latest.")
    seconds = dy.Float64(description="From opening to deciding.")
    together = dy.Int32(description="Lists decided in the same act; seconds are those of all of them.")
    changes = dy.Int32(description="Number of changes; each stands in review_changes.")
    reason = dy.String(nullable=True, description="Reason code of a rejection.")
    text = dy.String(description="Words to that reason.")
    model_hash = dy.String(description="Hash of the model's list, as it was decided about.")
    human_hash = dy.String(description="Hash of the list as approved.")
    simulated = dy.Bool(description="Made by the demonstration of a fictional place, not by a person.")
    run_id = columns.run_id()


class ReviewChanges(dy.Schema):
    """A reviewer's change to a list, with its reason. Append-only."""

    review_id = dy.String(primary_key=True, description="Review it belongs to.")
    position = dy.Int32(primary_key=True, description="1 is the first change made.")
    action = dy.String(description="drop, move, add or reorder.")
    area_id = dy.String(description="Area it is about.")
    reason = dy.String(description="Reason code.")
    text = dy.String(description="Words to the reason.")
    cells = dy.List(dy.UInt64(), description="New cells of a moved or an added area.")
    to_rank = dy.Int32(nullable=True, description="New rank of a reordered or an added area.")


class _DecidedAreas(PatrolAreas):
    """What all tables of areas that a person decided about have in common."""

    review_id = dy.String(primary_key=True, description="Review it belongs to.")
    share = dy.Float64(
        nullable=True, description="As in patrol_areas; null where a person moved or added the area."
    )
    shift_share = dy.Float64(
        nullable=True, description="As in patrol_areas; null where a person moved or added the area."
    )
    tied = dy.Int32(nullable=True, description="As in patrol_areas; null where a person added the area.")
    forecast_id = dy.String(
        nullable=True, description="Forecast it was made from; null where a person added the area."
    )
    origin = dy.String(description="model; model, moved; human: added by the reviewer.")


class ReviewedAreas(_DecidedAreas):
    """An area of a list that was decided about: as the model had it, and as the person left it. Append-only."""

    list = dy.String(primary_key=True, description="model: as computed; human: as approved.")


class IssuedPatrolAreas(_DecidedAreas):
    """An issued patrol area: a copy of the approved list that nothing later alters. Append-only."""

    issue_id = dy.String(primary_key=True, description="Issue of a list.")
    content_hash = dy.String(description="SHA-256 of the list; equals human_hash of its review.")
    issued_by = dy.String(description="Who issued it.")
    issued_at = columns.moment("When it was issued.")
    expires_at = columns.moment("When it stops to be valid, unless it was withdrawn before.")
    simulated = dy.Bool(description="Made by the demonstration of a fictional place, not by a person.")
    run_id = columns.run_id()


class Withdrawals(dy.Schema):
    """An issue taken back before its end; the issued rows stay. Append-only."""

    issue_id = dy.String(primary_key=True, description="Issue taken back.")
    withdrawn_by = dy.String(description="Who took it back.")
    withdrawn_at = columns.moment("When.")
    reason = dy.String(description="Reason code.")
    text = dy.String(description="Words to the reason.")
    run_id = columns.run_id()

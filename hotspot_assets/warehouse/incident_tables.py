"""What arrived and what is known of incidents: deliveries, versions, weights in cells."""

from __future__ import annotations

import dataframely as dy

from hotspot_assets.warehouse import columns


class Deliveries(dy.Schema):
    """A file received, and what became of its rows."""

    delivery_seq = columns.delivery_seq(primary_key=True)
    status = dy.String(
        description="ingested; set_aside: unreadable as a whole, see reason; erasure: no file, incidents were erased."
    )
    reason = dy.String(nullable=True, description="Why the file was set aside.")
    source = dy.String(description="The records system or publication a file comes from.")
    format = dy.String(description="Format by which it was read.")
    file_name = dy.String(description="Name of the file as it arrived.")
    sha256 = dy.String(description="Hash of the file's bytes; the same bytes twice are one delivery.")
    bytes = dy.Int64(description="Size of the file.")
    rows_read = dy.Int64(description="Rows in the file: the sum of the seven counts that follow.")
    rows_new = dy.Int64(description="Incidents not known before.")
    rows_amended = dy.Int64(description="Rows that changed a known incident.")
    rows_unchanged = dy.Int64(description="Rows that said what was known.")
    rows_rejected = dy.Int64(description="Rows not accepted; each stands in rejected_rows with its reason.")
    rows_excluded = dy.Int64(
        description="Rows left out by the data contract (offence groups, domestic flag)."
    )
    rows_duplicate = dy.Int64(description="Rows repeated within the file.")
    rows_reversed = dy.Int64(description="Rows that take back an earlier one.")
    incidents_vanished = dy.Int64(
        description="Known incidents that a complete delivery no longer holds; closed."
    )
    closings_waiting = dy.Int64(description="Closings held back until an operator approves them.")
    incidents_excluded = dy.Int64(
        description="Known incidents that the source now puts where the data contract leaves them out; closed."
    )
    rows_outdated = dy.Int64(description="Of the unchanged rows, those older than what was known.")
    reversals_unmatched = dy.Int64(description="Reversing rows whose original is not known (yet).")
    reversals_matched_late = dy.Int64(description="New rows that met a reversal delivered before them.")
    occurred_from = dy.Date(nullable=True, description="First day of occurrence among accepted rows.")
    occurred_to = dy.Date(nullable=True, description="Last day of occurrence among accepted rows.")
    complete_from = dy.Date(
        nullable=True, description="The delivery declares itself complete from this day ..."
    )
    complete_to = dy.Date(nullable=True, description="... to this day; null: nothing declared.")
    first_load = dy.Bool(description="First delivery of its source: knowledge time is assumed.")
    delivered_at = columns.moment("When the file was taken in.")
    run_id = columns.run_id()


class Incidents(dy.Schema):
    """A version of an incident: place, time and offence. Append-only; the latest known version counts."""

    incident_key = columns.incident_key(primary_key=True)
    delivery_seq = columns.delivery_seq(primary_key=True)
    line = dy.Int64(description="Record number in the delivered file; the header is 1.")
    source = dy.String(description="The records system or publication it comes from.")
    offence_code = dy.String(description="Offence as the source codes it.")
    offence_group = columns.offence_group()
    occurred_from = columns.moment("Earliest moment of occurrence.")
    occurred_to = columns.moment("Latest moment of occurrence; null: a moment, or open-ended.", nullable=True)
    time_precision = dy.String(description="How finely the time is known: minute, hour, day or month.")
    reported_at = columns.moment("When it was reported to the police.", nullable=True)
    recorded_at = columns.moment("When the source recorded it.", nullable=True)
    modified_at = columns.moment("When the source last changed it.", nullable=True)
    status = dy.String(nullable=True, description="Status in the source.")
    latitude = dy.Float64(nullable=True, description="Degrees north (WGS 84); null: unplaced.")
    longitude = dy.Float64(nullable=True, description="Degrees east (WGS 84); null: unplaced.")
    location_precision = dy.String(description="How finely the place is known: point, snapped, area or none.")
    reported_by = dy.String(description="public, police (found by police activity) or unknown.")
    setting = columns.setting()
    known_from = columns.moment("From when the source knew this version: the clock of cut-offs.")
    known_assumed = dy.Bool(description="known_from is assumed (first load), not recorded.")
    closed = dy.Bool(description="The incident ends with this version: reversed, vanished or erased.")
    reasons = dy.List(
        dy.String(),
        description="Why this version exists: new, amended, re-geocoded, re-classified, reversed, vanished, erased.",
    )
    content_hash = dy.UInt64(description="Hash of the content, to recognise unchanged rows.")


class RejectedRows(dy.Schema):
    """A row not accepted, with its reason; only fields of the data contract are kept."""

    delivery_seq = columns.delivery_seq(primary_key=True)
    line = dy.Int64(primary_key=True, description="Record number in the delivered file; the header is 1.")
    reason = dy.String(description="Reason code; see the list in the operators' guide.")
    detail = dy.String(description="What was wrong, naming the column and never a value.")
    offence_code = dy.String(nullable=True, description="Offence as the source codes it.")
    occurred_from = columns.moment("Earliest moment of occurrence, where it could be read.", nullable=True)
    latitude = dy.Float64(nullable=True, description="Degrees north, where it could be read.")
    longitude = dy.Float64(nullable=True, description="Degrees east, where it could be read.")


class HexagonIncidents(dy.Schema):
    """A version's share of a day in a cell, as an entry in a signed ledger of weights.

    A version adds its weights and takes back those of the version it replaces, so what was known at a
    cut-off is a filter and a sum.
    """

    day = dy.Date(primary_key=True, description="Local operational day of occurrence.")
    cell = columns.cell(primary_key=True)
    offence_group = columns.offence_group(primary_key=True)
    setting = columns.setting(primary_key=True)
    incident_key = columns.incident_key(primary_key=True)
    delivery_seq = columns.delivery_seq(primary_key=True)
    known_from = columns.moment("From when the source knew this entry.")
    weight = dy.Int32(description="Millionths of an incident; negative: taken back.")


class StaleDays(dy.Schema):
    """A past day whose incidents changed after its outcomes were computed, and why."""

    day = dy.Date(primary_key=True, description="Local operational day.")
    delivery_seq = columns.delivery_seq(primary_key=True)
    reason = dy.String(description="What the delivery did to the day.")
    since = columns.moment("When the delivery was taken in.")

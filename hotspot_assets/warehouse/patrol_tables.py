"""What patrols are offered."""

from __future__ import annotations

import dataframely as dy

from hotspot_assets.warehouse import columns


class PatrolAreas(dy.Schema):
    """A ranked patrol area: contiguous cells within the unit's budget."""

    forecast_date = columns.forecast_date(primary_key=True)
    shift = dy.String(primary_key=True, description="Shift of the day.")
    unit = dy.String(primary_key=True, description="Patrol unit.")
    offence_group = columns.offence_group(primary_key=True)
    rank = dy.Int32(
        primary_key=True, description="1 expects most; within date, shift, unit and offence group."
    )
    area_id = dy.String(description="Short name, unique within the day.")
    name = dy.String(description="Name a person can use.")
    cells = dy.List(dy.UInt64(), description="Its H3 cells.")
    geometry = dy.String(description="Outline as WKT (WGS 84).")
    area_km2 = dy.Float64(description="True area.")
    share = dy.Float64(description="Share of the offence group's expected incidents in the study area.")
    shift_share = dy.Float64(
        description="The shift's part of the offence group's expected incidents; 1: no shifts."
    )
    minutes = dy.Int32(description="Suggested minutes of patrol in the shift.")
    begins_before_cut_off = dy.Bool(
        description="The shift begins before the cut-off: its areas come too late."
    )
    tied = dy.Int32(description="Cells whose order inside the tie at its edge is random; 0: none.")
    why = dy.String(description="Why here, in one sentence with numbers.")
    forecast_id = dy.String(description="Forecast it was made from.")


class VisitFiles(dy.Schema):
    """A file of visits received, and what became of its rows. Append-only."""

    sha256 = dy.String(
        primary_key=True, description="Hash of the file's bytes; the same bytes twice count once."
    )
    file_name = dy.String(description="Name of the file as it arrived.")
    rows_read = dy.Int64(description="Rows in the file: accepted and rejected.")
    rows_accepted = dy.Int64(description="Visits taken in.")
    rows_rejected = dy.Int64(description="Rows not taken in.")
    reasons = dy.String(description="Rejected rows by reason, such as 'no_time: 2, order: 1'.")
    first_day = dy.Date(nullable=True, description="Local day of the first visit; null: none was accepted.")
    last_day = dy.Date(nullable=True, description="Local day on which the last visit ended.")
    received_at = columns.moment("When it was taken in.")
    run_id = columns.run_id()


class Visits(dy.Schema):
    """A visit to a patrol area: when, how long, in which manner; never by whom. Append-only."""

    sha256 = dy.String(primary_key=True, description="File it came in.")
    line = dy.Int64(primary_key=True, description="Record number in the file; the header is 1.")
    unit = dy.String(nullable=True, description="Patrol unit, as reported.")
    area_id = dy.String(description="Patrol area, as reported.")
    activity = dy.String(nullable=True, description="Class of activity, such as foot or vehicle.")
    entered_at = columns.moment("When the area was entered.")
    left_at = columns.moment("When it was left.")
    minutes = dy.Float64(description="Length of the visit.")


class PatrolDosage(dy.Schema):
    """Planned against delivered minutes of a patrol area in its shift."""

    forecast_date = columns.forecast_date(primary_key=True)
    shift = dy.String(primary_key=True, description="Shift of the day.")
    unit = dy.String(primary_key=True, description="Patrol unit.")
    offence_group = columns.offence_group()
    area_id = dy.String(primary_key=True, description="Patrol area.")
    issue_id = dy.String(nullable=True, description="Issue it was part of; null: its list was never issued.")
    starts_at = columns.moment("When the shift begins.")
    ends_at = columns.moment("When the shift ends.")
    planned_minutes = dy.Float64(description="Suggested minutes.")
    visits = dy.Int64(description="Visits within the shift.")
    visits_of_advised_length = dy.Int64(description="Those of 10 to 16 minutes.")
    delivered_minutes = dy.Float64(description="Minutes of the visits, as far as they lie in the shift.")
    delivered_share = dy.Float64(nullable=True, description="delivered / planned; null: nothing was planned.")

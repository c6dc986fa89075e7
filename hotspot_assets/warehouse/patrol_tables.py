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

"""New York vehicle thefts as intervals: the earliest and latest moment at which a vehicle may have gone."""

from __future__ import annotations

from hotspot_assets.intake.formats import Format

FORMAT = Format(
    name="nyc_vehicle_thefts",
    source="nyc_vehicle_thefts",
    layouts=[
        {
            "reference": "incident_id",
            "offence_code": "offence_type",
            "occurred_from": "occurred_from",
            "occurred_to": "occurred_to",
            "latitude": "latitude",
            "longitude": "longitude",
        }
    ],
    zone="America/New_York",
    offences={"MOTOR VEHICLE THEFT": "vehicle_theft"},
)

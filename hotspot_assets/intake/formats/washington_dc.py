"""Washington DC's open-data export: times with an offset of +00, which are UTC and not local."""

from __future__ import annotations

from hotspot_assets.intake.formats import Format

FORMAT = Format(
    name="washington_dc",
    source="washington_dc",
    layouts=[
        {
            "reference": "CCN",
            "offence_code": "OFFENSE",
            "occurred_from": "START_DATE",
            "occurred_to": "END_DATE",
            "reported_at": "REPORT_DAT",
            "latitude": "LATITUDE",
            "longitude": "LONGITUDE",
        }
    ],
    times=["%Y/%m/%d %H:%M:%S%#z"],
    zone="America/New_York",
    offences={
        "BURGLARY": "burglary",
        "ROBBERY": "robbery",
        "THEFT/OTHER": "theft",
        "THEFT F/AUTO": "theft_from_vehicle",
        "MOTOR VEHICLE THEFT": "vehicle_theft",
        "ASSAULT W/DANGEROUS WEAPON": "assault",
        "ARSON": "arson",
        "HOMICIDE": "homicide",
        "SEX ABUSE": "sexual",
    },
    location_precision="snapped",
)

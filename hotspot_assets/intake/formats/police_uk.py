"""data.police.uk street-level files: month only, points snapped to anchors.

Rows without a Crime ID (anti-social behaviour) are keyed by what they say and how often the file said it
before. What a month can support is a map of the month, not of a day: `time_precision` says so.
"""

from __future__ import annotations

from hotspot_assets.intake.formats import Format

_GROUPS = {
    "BURGLARY": "burglary",
    "ROBBERY": "robbery",
    "VEHICLE CRIME": "vehicle_crime",
    "OTHER THEFT": "theft",
    "SHOPLIFTING": "shoplifting",
    "THEFT FROM THE PERSON": "theft_from_person",
    "BICYCLE THEFT": "bicycle_theft",
    "CRIMINAL DAMAGE AND ARSON": "criminal_damage",
    "VIOLENCE AND SEXUAL OFFENCES": "violence_and_sexual",
    "VIOLENT CRIME": "violence_and_sexual",
    "ANTI-SOCIAL BEHAVIOUR": "anti_social_behaviour",
    "PUBLIC ORDER": "public_order",
    "PUBLIC DISORDER AND WEAPONS": "public_order",
    "POSSESSION OF WEAPONS": "weapons",
    "DRUGS": "drugs",
    "OTHER CRIME": "other",
}

FORMAT = Format(
    name="police_uk",
    source="police_uk",
    layouts=[
        {
            "reference": "Crime ID",
            "offence_code": "Crime type",
            "occurred_from": "Month",
            "latitude": "Latitude",
            "longitude": "Longitude",
        }
    ],
    times=["%Y-%m"],
    zone="Europe/London",
    offences=_GROUPS,
    location_precision="snapped",
    content_key=("occurred_from", "offence_code", "latitude", "longitude"),
)

"""The project's own delivery contract, as CSV or Parquet: what a records system should export.

One row per incident. Times are ISO 8601, with an offset or in the home's zone. Place is latitude and
longitude (WGS 84), or easting and northing (British National Grid).
"""

from __future__ import annotations

from hotspot_assets.intake.formats import Format
from hotspot_assets.intake.offences import COMMON_CODES

CONTRACT_COLUMNS = {
    "reference": "Crime reference, stable over extracts; kept only as a keyed hash. Needed.",
    "offence_code": "Code of the offence in the source's own classification. Needed.",
    "offence_group": "Group in the common vocabulary; not needed where the code is a group in plain words.",
    "occurred_from": "When it happened, or the earliest it may have: ISO 8601. Needed.",
    "occurred_to": "Latest it may have happened, where that is not known to the moment.",
    "reported_at": "When it was reported to the police.",
    "recorded_at": "When it was first recorded.",
    "modified_at": "When the record was last changed.",
    "status": "State of the record, as a short code.",
    "latitude": "Latitude in degrees, WGS 84; empty where the place is not known.",
    "longitude": "Longitude in degrees, WGS 84.",
    "easting": "Easting in metres, British National Grid; instead of latitude and longitude.",
    "northing": "Northing in metres, British National Grid.",
    "location_precision": "point, snapped (moved to a nearby anchor) or area (a centre of a larger area).",
    "reported_by": "public or police (found by police activity).",
    "setting": "street, dwelling (a home) or indoor (any other building).",
    "domestic": "Flag; read to exclude, and not stored.",
}
"""Every column of the delivery contract and what it means; other columns are not read."""

_NEEDED = ("reference", "offence_code", "occurred_from")
_PLACES = (("latitude", "longitude"), ("easting", "northing"))

FORMAT = Format(
    name="contract",
    source="contract",
    layouts=[{name: name for name in (*_NEEDED, *place)} for place in _PLACES],
    optional={
        name: name
        for name in CONTRACT_COLUMNS
        if name not in (*_NEEDED, *(each for pair in _PLACES for each in pair))
    },
    offences=COMMON_CODES,
    crs="EPSG:27700",
    known_public=False,
)

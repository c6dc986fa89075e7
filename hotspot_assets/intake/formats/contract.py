"""The project's own delivery contract, as CSV or Parquet: what a records system should export.

One row per incident. Times are ISO 8601, with an offset or in the home's zone. Place is latitude and longitude
(WGS 84), or easting and northing (British National Grid). See docs/operators.md for the columns.
"""

from __future__ import annotations

from hotspot_assets.intake.formats import Format
from hotspot_assets.intake.offences import GROUPS

_NEEDED = {"reference": "reference", "offence_code": "offence_code", "occurred_from": "occurred_from"}

FORMAT = Format(
    name="contract",
    source="contract",
    columns=[
        {**_NEEDED, "latitude": "latitude", "longitude": "longitude"},
        {**_NEEDED, "easting": "easting", "northing": "northing"},
    ],
    times=["%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%dT%H:%M%#z", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M",
           "%Y-%m-%d %H:%M:%S%.f%#z", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M", "%Y-%m-%d", "%Y-%m"],  # fmt: skip
    offences={name.upper(): name for name in GROUPS},
    crs="EPSG:27700",
    known_public=False,
)

OPTIONAL = (
    "offence_group", "occurred_to", "reported_at", "recorded_at", "modified_at", "status",
    "location_precision", "reported_by", "setting", "domestic",
)  # fmt: skip
"""Columns of the contract that a file may leave out."""

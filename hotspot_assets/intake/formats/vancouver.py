"""Vancouver's open-data export: the parts of a date in columns of their own, UTM zone 10 coordinates.

Offences against persons carry 0,0 and no hour on purpose. There is no reference: rows are keyed by what they
say and how often the file said it before.
"""

from __future__ import annotations

import polars as pl

from hotspot_assets.intake.formats import Format

_GROUPS = {
    "BREAK AND ENTER COMMERCIAL": "burglary",
    "BREAK AND ENTER RESIDENTIAL/OTHER": "burglary",
    "MISCHIEF": "criminal_damage",
    "OTHER THEFT": "theft",
    "THEFT FROM VEHICLE": "theft_from_vehicle",
    "THEFT OF BICYCLE": "bicycle_theft",
    "THEFT OF VEHICLE": "vehicle_theft",
    "OFFENCE AGAINST A PERSON": "violence_and_sexual",
    "HOMICIDE": "homicide",
    "VEHICLE COLLISION OR PEDESTRIAN STRUCK (WITH INJURY)": "other",
    "VEHICLE COLLISION OR PEDESTRIAN STRUCK (WITH FATALITY)": "other",
}


def _with_moment(rows: pl.DataFrame) -> pl.DataFrame:
    """One text for the moment; without an hour it is a day."""
    day = pl.format("{}-{}-{}", "year", *(pl.col(name).str.zfill(2) for name in ("month", "day")))
    clock = pl.format("{} {}:{}", day, *(pl.col(name).str.zfill(2) for name in ("hour", "minute")))
    return rows.with_columns(occurred_from=pl.coalesce(clock, day))


FORMAT = Format(
    name="vancouver",
    source="vancouver",
    layouts=[
        {
            "offence_code": "TYPE",
            "year": "YEAR",
            "month": "MONTH",
            "day": "DAY",
            "hour": "HOUR",
            "minute": "MINUTE",
            "easting": "X",
            "northing": "Y",
        }
    ],
    zone="America/Vancouver",
    offences=_GROUPS,
    crs="EPSG:32610",
    location_precision="snapped",
    unplaced_at=[(0.0, 0.0)],
    content_key=("occurred_from", "offence_code", "easting", "northing"),
    prepare=_with_moment,
)

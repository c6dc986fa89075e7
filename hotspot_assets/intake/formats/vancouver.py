"""Vancouver's open-data export: parts of a date in columns of their own, UTM zone 10 coordinates.

Offences against persons carry 0,0 and no hour on purpose. There is no reference: rows are keyed by what they
say and how often it was said before in the file.
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


def _prepared(frame: pl.DataFrame) -> pl.DataFrame:
    parts = [pl.col(name).str.strip_chars().str.zfill(2) for name in ("month", "day")]
    clock = [pl.col(name).fill_null("00").str.strip_chars().str.zfill(2) for name in ("hour", "minute")]
    moment = pl.format("{}-{}-{} {}:{}", "year", *parts, *clock)
    said = pl.concat_str([moment, *(pl.col(name).fill_null("") for name in ("offence_code", "easting", "northing"))], separator="|")
    nth = pl.int_range(pl.len()).over("said").cast(pl.String)
    return frame.with_columns(occurred_from=moment, said=said).with_columns(reference=pl.format("{}#{}", "said", nth))


FORMAT = Format(
    name="vancouver",
    source="vancouver",
    columns=[
        {
            "offence_code": "TYPE", "year": "YEAR", "month": "MONTH", "day": "DAY", "hour": "HOUR",
            "minute": "MINUTE", "easting": "X", "northing": "Y",
        }
    ],
    times=["%Y-%m-%d %H:%M"],
    zone="America/Vancouver",
    offences=_GROUPS,
    crs="EPSG:32610",
    zero_means_unplaced=True,
    prepare=_prepared,
    place="snapped",
)  # fmt: skip

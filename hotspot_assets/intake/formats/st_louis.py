"""St. Louis monthly crime files in three header layouts.

`Count` = -1 takes back an earlier row, often of an earlier month's file. A complaint may name several
crimes, so a row is known by complaint and crime code. Coordinates are Missouri East State Plane feet; 0,0 is
no place. The layout before mid-2013 has no complaint number: its rows are keyed by what they say.
"""

from __future__ import annotations

import polars as pl

from hotspot_assets.intake.formats import Format

# The Uniform Crime Reporting chapters that St. Louis's codes begin with; the longest that fits counts.
_GROUPS = {
    "01": "homicide",
    "02": "sexual",
    "03": "robbery",
    "04": "assault",
    "05": "burglary",
    "06": "theft",
    "061": "theft_from_person",
    "062": "theft_from_person",
    "063": "shoplifting",
    "064": "theft_from_vehicle",
    "065": "theft_from_vehicle",
    "066": "bicycle_theft",
    "07": "vehicle_theft",
    "08": "arson",
    "09": "assault",
    "095": "stalking",
    "10": "fraud",
    "11": "fraud",
    "12": "fraud",
    "13": "other",
    "14": "criminal_damage",
    "15": "weapons",
    "16": "prostitution",
    "17": "sexual",
    "18": "drugs",
    "19": "gambling",
    "20": "domestic",
    "21": "public_order",
    "22": "public_order",
    "23": "public_order",
    "24": "public_order",
    "25": "public_order",
    "26": "other",
    "262": "sexual",
}


def _prepared(rows: pl.DataFrame) -> pl.DataFrame:
    code = pl.col("offence_code").str.zfill(6)
    chapters = [code.str.slice(0, length).replace_strict(_GROUPS, default=None) for length in (3, 2)]
    reference = pl.concat_str("reference", code, separator="|") if "reference" in rows.columns else None
    return rows.with_columns(
        reference=pl.lit(None, pl.String) if reference is None else reference,
        offence_code=code,
        offence_group=pl.coalesce(chapters),
    )


FORMAT = Format(
    name="st_louis",
    source="st_louis",
    layouts=[
        {
            "reference": "Complaint",
            "occurred_from": "DateOccur",
            "offence_code": "Crime",
            "reversal": "Count",
            "easting": "XCoord",
            "northing": "YCoord",
        },
        {
            "reference": "Complaint",
            "occurred_from": "Date Occur",
            "offence_code": "Crime",
            "reversal": "Count",
            "easting": "X-Coord",
            "northing": "Y-Coord",
        },
        {
            "occurred_from": "DateOccured",
            "offence_code": "Crime",
            "reversal": "Count",
            "easting": "XCoord",
            "northing": "YCoord",
        },
    ],
    times=["%m/%d/%Y %H:%M", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y"],
    zone="America/Chicago",
    crs="ESRI:102696",
    unplaced_at=[(0.0, 0.0)],
    content_key=("occurred_from", "offence_code", "easting", "northing"),
    prepare=_prepared,
)

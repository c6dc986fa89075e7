"""St. Louis monthly crime files in three header layouts.

`Count` = -1 takes back an earlier row, often of an earlier month's file. Coordinates are Missouri East State
Plane feet; 0,0 is no place. The layout before mid-2013 has no complaint number: its rows are keyed by what
they say.
"""

from __future__ import annotations

import polars as pl

from hotspot_assets.intake.formats import Format

_BY_CHAPTER = {
    "01": "homicide", "02": "sexual", "03": "robbery", "04": "assault", "05": "burglary", "06": "theft",
    "07": "vehicle_theft", "08": "arson", "09": "assault", "10": "fraud", "11": "fraud", "12": "fraud",
    "13": "fraud", "14": "criminal_damage", "15": "weapons", "16": "prostitution", "17": "sexual", "18": "drugs",
    "19": "gambling", "20": "domestic", "21": "public_order", "22": "public_order", "23": "public_order",
    "24": "public_order", "25": "public_order", "26": "other",
}  # fmt: skip


def _prepared(frame: pl.DataFrame) -> pl.DataFrame:
    code = pl.col("offence_code").str.strip_chars().str.zfill(6)
    chapter = code.str.slice(0, 2)
    said = ("occurred_from", "easting", "northing")
    key = [pl.col("reference")] if "reference" in frame.columns else [pl.col(name).fill_null("") for name in said]
    return frame.with_columns(
        reference=pl.concat_str([*key, code], separator="|"),
        offence_code=code,
        offence_group=chapter.replace_strict(_BY_CHAPTER, default=None, return_dtype=pl.String),
        reversal=(pl.col("reversal").str.strip_chars() == "-1").cast(pl.String),
    )


FORMAT = Format(
    name="st_louis",
    source="st_louis",
    columns=[
        {
            "reference": "Complaint", "occurred_from": "DateOccur", "offence_code": "Crime", "reversal": "Count",
            "easting": "XCoord", "northing": "YCoord",
        },
        {
            "reference": "Complaint", "occurred_from": "Date Occur", "offence_code": "Crime", "reversal": "Count",
            "easting": "X-Coord", "northing": "Y-Coord",
        },
        {
            "occurred_from": "DateOccured", "offence_code": "Crime", "reversal": "Count",
            "easting": "XCoord", "northing": "YCoord",
        },
    ],
    times=["%m/%d/%Y %H:%M", "%m/%d/%Y %H:%M:%S", "%Y-%m-%d %H:%M:%S", "%m/%d/%Y"],
    zone="America/Chicago",
    crs="ESRI:102696",
    zero_means_unplaced=True,
    prepare=_prepared,
)  # fmt: skip

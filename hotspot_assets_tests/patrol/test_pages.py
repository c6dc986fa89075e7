"""What each incident gives to an area, added up by hand."""

from __future__ import annotations

import polars as pl

from hotspot_assets.patrol.pages import incidents_of_areas


def test_an_incident_counts_in_every_cell_of_an_area_and_in_every_area() -> None:
    areas = pl.DataFrame(
        {"area_id": ["A", "B"], "cells": [[1, 2], [2]]},
        schema={"area_id": pl.String, "cells": pl.List(pl.UInt64)},
    )
    rows = [(1, "x", 0, 0.2), (2, "x", 1, 0.1), (2, "y", 0, 0.4), (3, "z", 0, 9.0), (2, None, None, 0.5)]
    contributions = pl.DataFrame(
        [(cell, key, "theft", None, 3, ring, given) for cell, key, ring, given in rows],
        schema={
            "cell": pl.UInt64, "incident_key": pl.String, "offence_group": pl.String, "day": pl.Date,
            "age_days": pl.Int32, "ring": pl.Int32, "contribution": pl.Float64,
        },
        orient="row",
    )  # fmt: skip
    found = incidents_of_areas(areas, contributions).select(
        "area_id", "incident_key", pl.col("contribution").round(9), "ring", "place"
    )
    assert found.rows() == [
        ("A", "y", 0.4, 0, 1),
        ("A", "x", 0.3, 0, 2),
        ("B", "y", 0.4, 0, 1),
        ("B", "x", 0.1, 1, 2),
    ]

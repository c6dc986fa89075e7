"""What is bucketed, and what is left out for too long a range: by offence group, and said."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

from hotspot_assets.warehouse.lake import Stamp
from hotspot_assets.workflow.bucketing import bucket_new_deliveries
from hotspot_assets.workflow.deliveries import Declaration, take_in

from .homes import COLUMNS, home_in, lake_of, row

AT = datetime(2020, 2, 3, tzinfo=UTC)
LIMITS = """
[intake]
longest_span_days = 10
longest_span_days_of_group = {vehicle_theft = 2}
"""


def test_each_offence_group_has_its_own_longest_range(tmp_path: Path) -> None:
    settings = home_in(tmp_path, LIMITS)
    settings.landing.mkdir()
    lengths = {"burglary": (1, 5, 11), "theft of motor vehicle": (1, 5, 11)}
    rows = [
        row(f"{code}-{days}", AT, until=AT + timedelta(days=days), code=code)
        for code, spans in lengths.items()
        for days in spans
    ]
    pl.DataFrame(rows, schema=COLUMNS, orient="row").write_csv(settings.landing / "first.csv")
    lake, stamp = lake_of(settings), Stamp("tester", "first")
    take_in(lake, settings, settings.landing / "first.csv", Declaration(), stamp)
    bucketed = bucket_new_deliveries(lake, settings, stamp)
    weights = lake.read("SELECT offence_group, sum(weight) FROM hexagon_incidents GROUP BY ALL ORDER BY ALL")
    lake.close()
    assert dict(bucketed.placed) == {"burglary": 3, "vehicle_theft": 3}
    assert dict(bucketed.over_long) == {"burglary": 1, "vehicle_theft": 2}
    assert weights.rows() == [("burglary", 2_000_000), ("vehicle_theft", 1_000_000)]

"""Audits find what must not be: planted here, as no writer of ours leaves it behind."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from hotspot_assets.warehouse.audits import closed_but_weighing, surfaces
from hotspot_assets.warehouse.forecasts import replace_days
from hotspot_assets.warehouse.lake import Stamp
from hotspot_assets_tests.workflow.homes import deliver, home_in, lake_of, row


def test_an_incident_weighs_amiss_only_if_its_last_bucketed_version_is_closed(tmp_path: Path) -> None:
    settings = home_in(tmp_path / "home")
    for number, name in enumerate(("closed", "reopened", "closed_unbucketed"), 1):
        at = datetime(2020, 1, number, 12, tzinfo=UTC)
        deliver(settings, f"{name}.csv", [row(name, at)])
    lake = lake_of(settings)
    versions = lake.read("SELECT * FROM incidents ORDER BY delivery_seq").with_columns(closed=True)
    keys = versions["incident_key"].to_list()
    planted = versions.with_columns(delivery_seq=pl.Series([3, 1, 4]))  # of three deliveries bucketed
    lake.transact(
        lambda transaction: transaction.append("incidents", planted),
        tables=["incidents"],
        message="closed behind the ledger's back",
        stamp=Stamp(),
    )
    assert lake.read("SELECT incident_key, delivery_seq FROM incidents WHERE NOT closed").sort(
        "delivery_seq"
    ).rows() == list(zip(keys, [1, 2, 3], strict=True))
    assert closed_but_weighing(lake)["incident_key"].to_list() == keys[:1]
    lake.close()


@pytest.mark.parametrize("days", [1, 16, 17, 33])
def test_each_day_of_a_range_is_looked_at_once_however_long_it_is(tmp_path: Path, days: int) -> None:
    lake = lake_of(home_in(tmp_path / "home"))
    first = date(2020, 1, 30)
    dates = [first + timedelta(days=number) for number in range(days)]
    rows = pl.DataFrame(
        {
            "forecast_date": [day for day in dates for _ in range(3)],
            "offence_group": "burglary",
            "cell": pl.Series([1, 2, 3] * days, dtype=pl.UInt64),
            "score": [0.5, 0.25, 0.25] * days,
            "rank": pl.Series([1, 2, 2] * days, dtype=pl.Int32),  # a rank stands twice
        }
    )
    replace_days(lake, "proximity_scores", (first, dates[-1]), rows, Stamp())
    found = surfaces(lake, first, dates[-1])
    assert found.rows() == [(day, "burglary", 3, 1.0, 0.25, 2, 2) for day in dates]
    lake.close()

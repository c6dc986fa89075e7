"""Audits find what must not be: planted here, as no writer of ours leaves it behind."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from hotspot_assets.defs.day_checks import surface_findings
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
    assert surfaces(lake, date(2019, 1, 1), date(2019, 1, 31)).is_empty()
    lake.close()


@pytest.mark.parametrize(
    ("scores", "ranks", "passed"),
    [
        ([0.5, 0.25, 0.25], [1, 3, 2], True),
        ([0.5, 0.25, 0.25], [1, 2, 2], False),
        ([0.5, 0.25, 0.25], [1, 2, 4], False),
        ([0.5, 0.25, 0.25], [0, 2, 3], False),
        ([0.5, 0.25, 0.25], [-7, 3, 2_000_000_000], False),
        ([0.5, 0.25, 0.5], [1, 2, 3], False),
        ([1.5, 0.0, -0.5], [1, 2, 3], False),
    ],
)
def test_a_surface_that_is_no_share_or_has_no_order_is_found(
    tmp_path: Path, scores: list[float], ranks: list[int], passed: bool
) -> None:
    """Beside a larger surface of another group, which is as it should be."""
    lake, day = lake_of(home_in(tmp_path / "home")), date(2020, 1, 30)
    rows = pl.DataFrame(
        {
            "forecast_date": day,
            "offence_group": ["burglary"] * 3 + ["robbery"] * 5,
            "cell": pl.Series([1, 2, 3, 1, 2, 3, 4, 5], dtype=pl.UInt64),
            "score": [*scores, *[0.2] * 5],
            "rank": pl.Series([*ranks, 1, 2, 3, 4, 5], dtype=pl.Int32),
        }
    )
    lake.transact(
        lambda transaction: transaction.append("proximity_scores", rows),
        tables=["proximity_scores"],
        message="planted",
        stamp=Stamp(),
    )
    found = surface_findings(lake, [day])[day].metadata
    assert found["not_shares"] == ("none" if passed else "burglary")
    lake.close()

"""Audits find what must not be: planted here, as no writer of ours leaves it behind."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from hotspot_assets.warehouse.audits import closed_but_weighing
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

"""What is bucketed, and what is left out for too long a range: by offence group, and said."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

from hotspot_assets.warehouse.lake import Stamp, Transaction
from hotspot_assets.warehouse.reads import delivery_clocks
from hotspot_assets.workflow.bucketing import bucket_new_deliveries
from hotspot_assets.workflow.deliveries import Declaration, take_in

from .homes import COLUMNS, deliver, home_in, lake_of, row

AT = datetime(2020, 2, 3, tzinfo=UTC)
LIMITS = """
[intake]
longest_span_days = 10
longest_span_days_of_group = {vehicle_theft = 2}
"""


def test_clocks_are_those_of_the_deliveries_that_stand_in_the_ledger(tmp_path: Path) -> None:
    settings = home_in(tmp_path)
    deliver(settings, "good.csv", [row("A", AT), row("B", AT + timedelta(days=1))])
    deliver(settings, "rejected.csv", [row("C", AT, code="nonsense")])
    deliver(settings, "later.csv", [row("D", AT)])
    lake = lake_of(settings)
    firsts = lake.read(
        "SELECT delivery_seq, min(known_from) FROM hexagon_incidents GROUP BY ALL ORDER BY ALL"
    )
    clocks = delivery_clocks(lake)
    assert clocks["delivery_seq"].to_list() == [1, 3]
    assert clocks.select("delivery_seq", "known_from").rows() == firsts.rows()
    assert delivery_clocks(lake, 2)["delivery_seq"].to_list() == [1]
    lake.close()


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


def test_an_older_home_learns_the_settings_of_its_entries(tmp_path: Path) -> None:
    """The step forward fills in what taking the same deliveries in anew would have written."""
    settings = home_in(tmp_path)
    columns = (*COLUMNS, "setting")
    first = [("a", "street"), ("b", "dwelling"), ("c", "unknown"), ("d", "indoor")]
    deliver(settings, "1.csv", [(*row(name, AT), where) for name, where in first], columns=columns)
    moved = [(*row("a", AT, 51.6), "indoor"), (*row("b", AT + timedelta(days=1)), "dwelling")]
    deliver(settings, "2.csv", moved, columns=columns)
    deliver(settings, "3.csv", [(*row("a", AT, 51.7), "dwelling")], columns=columns)
    query = "SELECT * FROM hexagon_incidents ORDER BY ALL"
    lake = lake_of(settings)
    written = lake.read(query)
    assert written["weight"].to_list().count(-1_000_000) == 3

    def as_before(transaction: Transaction) -> None:
        transaction.execute("ALTER TABLE hexagon_incidents DROP COLUMN setting")
        transaction.execute("DROP TABLE study_area_bases")
        transaction.execute("DELETE FROM write_locks WHERE table_name = 'study_area_bases'")
        transaction.execute("DELETE FROM schema_versions WHERE version >= 11")

    lake.transact(as_before, tables=[], message="as an older version left it")
    lake.close()
    stepped = lake_of(settings)
    assert stepped.read(query).select(written.columns).sort(written.columns).equals(written)
    stepped.close()

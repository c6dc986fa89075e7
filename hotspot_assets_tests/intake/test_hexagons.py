from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import h3
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from hotspot_assets.intake.aoristic import WEIGHT_OF_ONE, SpanLimits
from hotspot_assets.intake.calendar import local_to_utc
from hotspot_assets.intake.content import empty_versions
from hotspot_assets.intake.hexagons import ENTRY_SCHEMA, Bucketing, hexagon_entries
from hotspot_assets.intake.versions import as_known, compare
from hotspot_assets_tests.intake.rows import Lake, accepted, day, facts, row

LONDON = Bucketing(resolution=9, zone="Europe/London", limits=SpanLimits(default_days=10))


class BucketedLake(Lake):
    """A lake with the ledger of weights beside it."""

    def __init__(self, bucketing: Bucketing = LONDON) -> None:
        super().__init__()
        self.bucketing = bucketing
        self.entries = pl.DataFrame(schema=ENTRY_SCHEMA)

    def take_in(self, *rows: dict[str, Any], **values: Any) -> pl.DataFrame:
        before = self.present()
        made = hexagon_entries(self.take(*rows, **values).versions, before, self.bucketing)
        self.entries = pl.concat([self.entries, made.entries])
        return made.entries

    def sums(self, cut_off: datetime, delivery_seq: int) -> list[tuple[Any, ...]]:
        """What the ledger of weights says was known."""
        known = self.entries.filter(
            (pl.col("known_from") <= cut_off) & (pl.col("delivery_seq") <= delivery_seq)
        )
        keys = ["incident_key", "day", "cell", "offence_group"]
        summed = known.group_by(keys).agg(pl.col("weight").sum()).filter(pl.col("weight") != 0)
        return summed.sort(keys).rows()

    def afresh(self, cut_off: datetime, delivery_seq: int) -> list[tuple[Any, ...]]:
        """The same from the open versions alone, with no entry ever taken back."""
        versions = as_known(self.versions.lazy(), cut_off, delivery_seq).collect()
        entries = hexagon_entries(versions, empty_versions(), self.bucketing).entries
        keys = ["incident_key", "day", "cell", "offence_group"]
        return entries.select(*keys, "weight").sort(keys).rows()


def test_entry_names_cell_day_and_version() -> None:
    lake = BucketedLake()
    entries = lake.take_in(row("a"))
    assert dict(entries.schema) == ENTRY_SCHEMA
    cell = int(h3.latlng_to_cell(51.5, -0.1, 9), 16)
    assert entries.rows() == [(date(2014, 6, 2), cell, "burglary", "street", "a", 1, day(1), 1_000_000)]


def test_amendment_takes_back_and_adds_at_its_own_time() -> None:
    lake = BucketedLake()
    lake.take_in(row("a"))
    moved = lake.take_in(row("a", latitude=51.6))
    assert moved["weight"].sort().to_list() == [-1_000_000, 1_000_000]
    assert moved.select("delivery_seq", "known_from").unique().rows() == [(2, day(2))]
    assert lake.take_in(row("a", latitude=51.6, status="solved")).is_empty()
    assert lake.take_in(row("a", latitude=51.6, status="x", offence_group="robbery")).height == 2
    at_home = lake.take_in(row("a", latitude=51.6, status="x", offence_group="robbery", setting="dwelling"))
    assert dict(at_home.select("setting", "weight").rows()) == {"dwelling": 1_000_000, "street": -1_000_000}
    closed = lake.take_in(row("a", reversal=True))
    assert closed.select("setting", "weight").rows() == [("dwelling", -1_000_000)]
    assert lake.sums(day(9), 9) == []


def test_only_the_changed_part_of_a_range_is_entered() -> None:
    lake = BucketedLake()
    start = datetime(2014, 6, 1, 23, tzinfo=UTC)
    lake.take_in(row("a", occurred_from=start, occurred_to=start + timedelta(days=2)))
    longer = lake.take_in(row("a", occurred_from=start, occurred_to=start + timedelta(days=4)))
    assert longer["weight"].to_list() == [-250_000, -250_000, 250_000, 250_000]


def test_what_is_not_bucketed_is_counted() -> None:
    long = datetime(2014, 7, 1, tzinfo=UTC)
    rows = [
        row("a"),
        row("b", latitude=None, longitude=None),
        row("c", occurred_to=long),
        row("d", occurred_to=long, latitude=None, longitude=None),
        row("e", offence_group="robbery", occurred_to=datetime(2013, 1, 1, tzinfo=UTC)),
        row("f", offence_group="robbery", time_precision="month"),
        row("g", reversal=True),
    ]
    versions = compare(accepted(*rows), empty_versions(), facts()).versions
    made = hexagon_entries(versions, empty_versions(), LONDON)
    assert (made.placed, made.unplaced, made.inverted, made.month_only) == (3, 2, 1, 1)
    assert made.over_long.rows() == [("burglary", 2, 1, 0.5), ("robbery", 2, 0, 0.0)]
    assert set(made.entries["incident_key"]) == {"a", "e", "f"}


def test_versions_of_other_incidents_are_not_touched() -> None:
    lake = Lake()
    lake.take(row("a"), row("b"))
    known = lake.present()
    new = lake.take(row("b", latitude=51.6)).versions
    assert set(hexagon_entries(new, known, LONDON).entries["incident_key"]) == {"b"}


def test_limit_of_four_months_does_not_overflow() -> None:
    wide = Bucketing(resolution=9, zone="Europe/London", limits=SpanLimits(default_days=400))
    start = datetime(2013, 6, 1, tzinfo=UTC)
    lake = BucketedLake(wide)
    entries = lake.take_in(row("a", occurred_from=start, occurred_to=start + timedelta(days=365)))
    assert (entries["weight"].sum(), entries.height) == (WEIGHT_OF_ONE, 366)


history = st.lists(
    st.lists(
        st.tuples(
            st.sampled_from("abcdefgh"),
            st.sampled_from(
                ["plain", "moved", "unplaced", "retyped", "range", "too long", "month", "reversal"]
            ),
            st.integers(0, 6),
        ),
        max_size=12,
    ),
    min_size=1,
    max_size=4,
)
KINDS: dict[str, dict[str, Any]] = {
    "plain": {},
    "moved": {"latitude": 51.6},
    "unplaced": {"latitude": None, "longitude": None},
    "retyped": {"offence_group": "robbery"},
    "range": {"occurred_to": day(-65, 7), "occurred_from": day(-68, 20)},  # over the end of summer time
    "too long": {"occurred_to": day(0)},
    "month": {"time_precision": "month"},
    "reversal": {"reversal": True},
}


@settings(max_examples=14)
@given(history)
def test_at_any_point_of_knowledge_the_ledger_is_exact(deliveries: list[list[tuple[str, str, int]]]) -> None:
    """At every cut-off and delivery an open incident weighs 1,000,000, any other 0; all as made afresh."""
    lake = BucketedLake()
    for rows in deliveries:
        told = (row(key, **KINDS[kind], modified_at=day(-6, hour)) for key, kind, hour in rows)
        lake.take_in(*told, knowledge="recorded")
    cut_offs = [*lake.versions["known_from"].unique(), day(99)]
    for delivery_seq in range(lake.last + 1):
        for cut_off in cut_offs:
            sums = lake.sums(cut_off, delivery_seq)
            assert sums == lake.afresh(cut_off, delivery_seq)
            per_incident: dict[str, int] = defaultdict(int)
            for key, *_, weight in sums:
                per_incident[key] += weight
            assert set(per_incident.values()) <= {WEIGHT_OF_ONE}
    assert (lake.entries["weight"] != 0).all()


def test_real_ranges_keep_their_mass(shared_data: Path) -> None:
    """New York vehicle thefts: every incident within the limit weighs one, the rest is reported."""
    zone = "America/New_York"
    raw = pl.read_csv(
        shared_data / "nyc_vehicle_thefts/nyc_vehicle_thefts_2014_2017.csv.gz", infer_schema=False
    )

    def moment(name: str) -> pl.Expr:
        return local_to_utc(pl.col(name).str.to_datetime(time_unit="us"), zone).alias(name)

    versions = raw.select(
        incident_key="incident_id",
        delivery_seq=pl.lit(1, dtype=pl.Int64),
        known_from=pl.lit(day(0)),
        offence_group=pl.lit("vehicle_theft"),
        setting=pl.lit("unknown"),
        latitude=pl.col("latitude").cast(pl.Float64),
        longitude=pl.col("longitude").cast(pl.Float64),
        time_precision=pl.lit("minute"),
        closed=pl.lit(False),
        occurred_from=moment("occurred_from"),
        occurred_to=moment("occurred_to"),
    )
    made = hexagon_entries(versions, versions.clear(), Bucketing(10, zone, limits=SpanLimits(31)))
    hours = (pl.col("occurred_to") - pl.col("occurred_from")).dt.total_hours(fractional=True)
    # The limit is by local clock: a range over a clock change may be an hour off by the stopwatch.
    surely, perhaps = (versions.filter(hours > 31 * 24 + slack).height for slack in (1, -1))
    assert surely <= made.over_long["over_long"].item() <= perhaps
    assert made.placed == raw.height - made.over_long["over_long"].item()
    assert made.entries["weight"].cast(pl.Int64).sum() == made.placed * WEIGHT_OF_ONE
    sums = made.entries.group_by("incident_key").agg(pl.col("weight").sum())
    assert sums["weight"].unique().to_list() == [WEIGHT_OF_ONE]

"""From versions of incidents to the ledger of weights per day and hexagon, delivery by delivery.

Belongs here: extending `hexagon_incidents` by what arrived since it was last extended, and noting which past
days that makes stale. Not here: how an incident is split over days and cells (intake).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import partial

from hotspot_assets.intake.aoristic import SpanLimits
from hotspot_assets.intake.hexagons import Bucketing, HexagonEntries, hexagon_entries
from hotspot_assets.settings import Settings
from hotspot_assets.warehouse.lake import Committed, Lake, Stamp
from hotspot_assets.warehouse.weights import (
    Entered,
    append_entries,
    deliveries_to_bucket,
    versions_of_delivery,
)


@dataclass
class Bucketed:
    """What a run added to the ledger of weights.

    `placed` and `over_long` count, by offence group, the open incidents with a place, and those among them left
    out for too long a from/to range.
    """

    entries: int = 0
    unplaced: int = 0
    placed: Counter[str] = field(default_factory=Counter)
    over_long: Counter[str] = field(default_factory=Counter)
    through: int = 0
    snapshot_id: int = -1
    stale_days: int = 0
    days: set[date] = field(default_factory=set)

    def add(self, committed: Committed[Entered], delivery_seq: int) -> None:
        """Count one more delivery."""
        entered = committed.result
        self.entries += entered.entries
        self.unplaced += entered.unplaced
        self.placed.update(entered.placed)
        self.over_long.update(entered.over_long)
        self.stale_days += entered.stale_days
        self.days.update(entered.days)
        self.through = delivery_seq
        self.snapshot_id = committed.snapshot_id


def bucketing_of(settings: Settings) -> Bucketing:
    """How a home's incidents become entries."""
    return Bucketing(
        settings.grid.resolution, settings.area.timezone, settings.area.day_start, span_limits(settings)
    )


def span_limits(settings: Settings) -> SpanLimits:
    """The longest from/to ranges that are split over days and hours."""
    return SpanLimits(settings.intake.longest_span_days, settings.intake.longest_span_days_of_group)


def bucket_new_deliveries(lake: Lake, settings: Settings, stamp: Stamp) -> Bucketed:
    """Extend the ledger of weights by each delivery not in it yet, one transaction each, in order."""
    done = Bucketed()
    waiting, done.through = deliveries_to_bucket(lake)
    for delivery_seq in waiting:
        entries = partial(entries_of_delivery, lake, settings, delivery_seq)
        done.add(append_entries(lake, entries, delivery_seq, stamp), delivery_seq)
    return done


def entries_of_delivery(lake: Lake, settings: Settings, delivery_seq: int) -> Iterator[HexagonEntries]:
    """The entries a delivery makes, part by part."""
    for new, replaced in versions_of_delivery(lake, delivery_seq):
        yield hexagon_entries(new, replaced, bucketing_of(settings))

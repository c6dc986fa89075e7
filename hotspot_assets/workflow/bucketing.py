"""From versions of incidents to the ledger of weights per day and hexagon, delivery by delivery.

Belongs here: extending `hexagon_incidents` by what arrived since it was last extended, and noting which past
days that makes stale. Not here: how an incident is split over days and cells (intake).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from hotspot_assets.intake.aoristic import SpanLimits
from hotspot_assets.intake.hexagons import Bucketing, HexagonEntries, hexagon_entries
from hotspot_assets.settings import Settings
from hotspot_assets.warehouse.lake import Committed, Lake, Stamp
from hotspot_assets.warehouse.weights import append_entries, deliveries_to_bucket, versions_of_delivery


@dataclass
class Bucketed:
    """What a run added to the ledger of weights."""

    entries: int = 0
    unplaced: int = 0
    over_long: int = 0
    through: int = 0
    snapshot_id: int = -1
    stale_days: int = 0
    days: set[date] = field(default_factory=set)

    def add(self, found: HexagonEntries, committed: Committed[int], delivery_seq: int) -> None:
        """Count one more delivery."""
        self.entries += found.entries.height
        self.unplaced += found.unplaced
        self.over_long += int(found.over_long["over_long"].sum())
        self.through = delivery_seq
        self.snapshot_id = committed.snapshot_id
        self.stale_days += committed.result
        self.days.update(found.entries["day"].unique().to_list())


def bucketing_of(settings: Settings) -> Bucketing:
    """How a home's incidents become entries."""
    limits = SpanLimits(settings.intake.longest_span_days)
    return Bucketing(settings.grid.resolution, settings.area.timezone, settings.area.day_start, limits)


def bucket_new_deliveries(lake: Lake, settings: Settings, stamp: Stamp) -> Bucketed:
    """Extend the ledger of weights by each delivery not in it yet, one transaction each, in order."""
    done = Bucketed()
    waiting, done.through = deliveries_to_bucket(lake)
    for delivery_seq in waiting:
        new, replaced = versions_of_delivery(lake, delivery_seq)
        found = hexagon_entries(new, replaced, bucketing_of(settings))
        done.add(found, append_entries(lake, found.entries, delivery_seq, stamp), delivery_seq)
    return done

"""When the source knew: the moment from which each version counts.

Belongs here: what is known of a delivery as a whole, and the knowledge time (`known_from`) of its rows. Not
here: which rows make a version (`versions`).

Rules. Only new incidents of a source's first load may rest on an assumption: end of occurrence plus a stated
lag, marked; not where a time of publication is stated. Everything later is known from its delivery, unless
the source states a time: its recording time (`recorded`: a new incident's `recorded_at`, a change's
`modified_at`) or one publication time for the whole delivery (`published`). Nothing is known after it was
delivered, nor before the version it replaces.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Literal

import polars as pl

from hotspot_assets.intake.aoristic import with_spans
from hotspot_assets.intake.calendar import day_bounds_utc
from hotspot_assets.intake.content import MOMENT


@dataclass(frozen=True)
class Completeness:
    """A delivery's declaration that it holds every incident of a period, perhaps of an area or of keys only.

    Attributes
    ----------
    start, end
        Moments of occurrence (UTC), the end excluded.
    extent
        South, west, north, east in degrees; incidents outside it and unplaced ones are not spoken of.
    incident_keys
        Only these incidents are spoken of.
    """

    start: datetime
    end: datetime
    extent: tuple[float, float, float, float] | None = None
    incident_keys: pl.Series | None = field(default=None, compare=False)

    @classmethod
    def of_days(
        cls,
        first: date,
        last: date,
        zone: str,
        day_start: time = time(0),
        extent: tuple[float, float, float, float] | None = None,
        incident_keys: pl.Series | None = None,
    ) -> Completeness:
        """Complete for the operational days `first` to `last`, both included."""
        starts, ends = day_bounds_utc(pl.Series([first, last]), zone, day_start)
        return cls(starts[0], ends[1], extent, incident_keys)

    def covers(self) -> pl.Expr:
        """Whether the declaration speaks of a version's incident."""
        covered = pl.col("occurred_from").is_between(self.start, self.end, closed="left")
        if self.extent is not None:
            south, west, north, east = self.extent
            inside = pl.col("latitude").is_between(south, north) & pl.col("longitude").is_between(west, east)
            covered &= inside.fill_null(False)
        if self.incident_keys is not None:
            covered &= pl.col("incident_key").is_in(self.incident_keys.implode())
        return covered


@dataclass(frozen=True)
class DeliveryFacts:
    """What is known of a delivery as a whole.

    Attributes
    ----------
    knowledge
        Whose clock dates its rows: ours, the source's recording times, or its publication.
    zone
        Local zone of the source, for the ends of days and months.
    published_at
        Publication time; needed with `published`.
    first_load
        The source's first delivery: new incidents may assume `assumed_lag` after occurrence.
    assumed_lag
        None: nothing is assumed.
    complete_for
        None: the absence of an incident says nothing.
    closing_limit, closing_approved
        Share of the covered incidents above which closings wait for an operator's word, and that word.
    """

    delivery_seq: int
    source: str
    delivered_at: datetime
    zone: str
    knowledge: Literal["recorded", "delivered", "published"] = "delivered"
    published_at: datetime | None = None
    first_load: bool = False
    assumed_lag: timedelta | None = None
    complete_for: Completeness | None = None
    closing_limit: float = 0.05
    closing_approved: bool = False

    def __post_init__(self) -> None:
        if self.knowledge == "published" and self.published_at is None:
            raise ValueError("knowledge 'published' needs published_at")

    @property
    def stated_at(self) -> datetime:
        """When the delivery as a whole said what it says."""
        if self.knowledge == "published" and self.published_at is not None:
            return min(self.published_at, self.delivered_at)
        return self.delivered_at


def with_knowledge_times(rows: pl.DataFrame, facts: DeliveryFacts) -> pl.DataFrame:
    """Add from when each row counts: as new (`new_at`, `new_assumed`) or as a change (`change_at`)."""
    stated = pl.lit(facts.stated_at, dtype=MOMENT)
    new_at, assumed, change_at = stated, pl.lit(False), stated
    if facts.first_load and facts.assumed_lag is not None and facts.knowledge != "published":
        rows = with_spans(rows, facts.zone)
        new_at, assumed = pl.col("span_end") + facts.assumed_lag, pl.lit(True)
    if facts.knowledge == "recorded":
        assumed &= pl.col("recorded_at").is_null()
        new_at = pl.coalesce("recorded_at", new_at)
        of_reversal = pl.coalesce("modified_at", "recorded_at", stated)
        change_at = pl.when("reversal").then(of_reversal).otherwise(pl.coalesce("modified_at", stated))
    delivered = pl.lit(facts.delivered_at, dtype=MOMENT)
    return rows.with_columns(
        new_at=pl.min_horizontal(new_at, delivered),
        new_assumed=assumed,
        change_at=pl.min_horizontal(change_at, delivered),
    )

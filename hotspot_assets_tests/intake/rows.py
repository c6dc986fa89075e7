"""Accepted rows and deliveries for tests, each named value standing out against plain defaults."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from hotspot_assets.intake.content import ACCEPTED_SCHEMA, empty_versions
from hotspot_assets.intake.knowledge import DeliveryFacts
from hotspot_assets.intake.versions import Comparison, compare

DEFAULT_ROW: dict[str, Any] = {
    "offence_code": "BURG",
    "offence_group": "burglary",
    "occurred_from": datetime(2014, 6, 2, 12, tzinfo=UTC),
    "occurred_to": None,
    "time_precision": "minute",
    "reported_at": None,
    "recorded_at": None,
    "modified_at": None,
    "status": None,
    "latitude": 51.5,
    "longitude": -0.1,
    "location_precision": "point",
    "reported_by": "public",
    "setting": "street",
    "reversal": False,
}


def day(number: int, hour: int = 0) -> datetime:
    """A moment `number` days after 2015-01-01."""
    return datetime(2015, 1, 1, hour, tzinfo=UTC) + timedelta(days=number)


def row(key: str, **values: Any) -> dict[str, Any]:
    """One accepted row."""
    return {**DEFAULT_ROW, "incident_key": key, **values}


def accepted(*rows: dict[str, Any]) -> pl.DataFrame:
    """Rows as an accepted frame, with line numbers as in a file."""
    lines = [{"line": number, **values} for number, values in enumerate(rows, start=2)]
    return pl.DataFrame(lines, schema=ACCEPTED_SCHEMA)


def facts(seq: int = 1, **values: Any) -> DeliveryFacts:
    """A delivery, delivered `seq` days after 2015-01-01."""
    stated: dict[str, Any] = {"source": "force", "zone": "Europe/London", "delivered_at": day(seq), **values}
    return DeliveryFacts(delivery_seq=seq, **stated)


class Lake:
    """Versions appended delivery after delivery, as the lake does it."""

    def __init__(self) -> None:
        self.versions = empty_versions()
        self.last = 0

    def take(self, *rows: dict[str, Any], **values: Any) -> Comparison:
        """Compare a delivery with the last versions, append what it changes, check that its rows add up."""
        self.last += 1
        frame = accepted(*rows)
        comparison = compare(frame, self.present(), facts(self.last, **values))
        counts = comparison.counts
        assert frame.height == sum_of_rows(comparison)
        assert counts.rows_outdated <= counts.rows_unchanged
        assert not comparison.versions["incident_key"].is_duplicated().any()
        self.versions = pl.concat([self.versions, comparison.versions])
        return comparison

    def present(self) -> pl.DataFrame:
        """Last version of each incident, closed ones included."""
        return self.versions.sort("delivery_seq").unique("incident_key", keep="last", maintain_order=True)

    def open(
        self, columns: Sequence[str] = ("incident_key", "offence_code", "latitude")
    ) -> list[tuple[Any, ...]]:
        """Open incidents, by key."""
        return self.present().filter(~pl.col("closed")).select(columns).sort("incident_key").rows()


def sum_of_rows(comparison: Comparison) -> int:
    """The five counts that must make up the accepted rows."""
    counts = comparison.counts
    return (
        counts.rows_new
        + counts.rows_amended
        + counts.rows_unchanged
        + counts.rows_duplicate
        + counts.rows_reversed
    )

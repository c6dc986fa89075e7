"""Writing the ledger of weights (`hexagon_incidents`), delivery by delivery and in order.

Belongs here: which deliveries it lacks, what they brought, and the transaction that adds their entries
together with the mark of how far the table has read. Not here: making entries of versions (intake).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date

import polars as pl

from hotspot_assets.intake.hexagons import HexagonEntries
from hotspot_assets.intake.parts import SLICE_ROWS, key_ranges
from hotspot_assets.warehouse.lake import Committed, Lake, Stamp, Transaction
from hotspot_assets.warehouse.tables import TABLES

_LATE = "incidents of the day changed after its outcome was computed"


def deliveries_to_bucket(lake: Lake) -> tuple[list[int], int]:
    """Numbers of the deliveries not in the ledger of weights yet, ascending, and the last that is."""
    through = lake.read(
        "SELECT through_delivery_seq FROM write_locks WHERE table_name = 'hexagon_incidents'"
    ).item()
    waiting = lake.read(
        "SELECT delivery_seq FROM deliveries WHERE delivery_seq > ? AND status <> 'set_aside' ORDER BY ALL",
        [through],
    )
    return waiting["delivery_seq"].to_list(), int(through)


def versions_of_delivery(lake: Lake, delivery_seq: int) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
    """The versions a delivery brought, and for each of their incidents the version before, if any.

    In parts, each with all that is asked of its incidents, so that no delivery is too large; one part at least.
    """
    many = lake.read("SELECT count(*) FROM incidents WHERE delivery_seq = ?", [delivery_seq]).item()
    within = "incident_key >= $low AND incident_key < $high"
    of_delivery = f"SELECT * FROM incidents WHERE delivery_seq = $seq AND {within}"
    before = f"""
        SELECT * FROM incidents SEMI JOIN
            (SELECT incident_key FROM incidents WHERE delivery_seq = $seq AND {within}) USING (incident_key)
        WHERE delivery_seq < $seq AND {within}
        QUALIFY row_number() OVER (PARTITION BY incident_key ORDER BY delivery_seq DESC) = 1
    """
    for low, high in key_ranges(math.ceil(many / SLICE_ROWS)):
        given = {"seq": delivery_seq, "low": low, "high": high}
        yield lake.read(of_delivery, given), lake.read(before, given)


@dataclass
class Entered:
    """What a delivery added to the ledger of weights."""

    entries: int = 0
    unplaced: int = 0
    placed: Counter[str] = field(default_factory=Counter)
    over_long: Counter[str] = field(default_factory=Counter)
    stale_days: int = 0
    days: set[date] = field(default_factory=set)

    def add(self, found: HexagonEntries, kept: pl.DataFrame) -> None:
        """Count one more part: what was found, and which entries of it were kept."""
        self.entries += kept.height
        self.unplaced += found.unplaced
        self.placed.update(dict(found.over_long.select("offence_group", "incidents").rows()))
        self.over_long.update(dict(found.over_long.select("offence_group", "over_long").rows()))
        self.days.update(kept["day"].unique())


def append_entries(
    lake: Lake, parts: Callable[[], Iterable[HexagonEntries]], delivery_seq: int, stamp: Stamp
) -> Committed[Entered]:
    """Add a delivery's entries unless they are in; `parts` makes them, and is asked once an attempt."""

    def write(transaction: Transaction) -> Entered:
        entered = Entered()
        mark = "SELECT through_delivery_seq FROM write_locks WHERE table_name = 'hexagon_incidents'"
        if transaction.read(mark).item() >= delivery_seq:
            return entered
        for found in parts():
            kept = _not_erased(transaction, TABLES["hexagon_incidents"].conform(found.entries))
            transaction.append("hexagon_incidents", kept)
            entered.add(found, kept)
        transaction.execute(
            "UPDATE write_locks SET through_delivery_seq = ? WHERE table_name = 'hexagon_incidents'",
            [delivery_seq],
        )
        days = pl.Series(sorted(entered.days), dtype=pl.Date)
        entered.stale_days = note_stale_days(transaction, days, delivery_seq, _LATE)
        return entered

    tables = ["hexagon_incidents", "stale_days"]
    return lake.transact(
        write, tables=tables, message=f"hexagon_incidents through delivery {delivery_seq}", stamp=stamp
    )


def _not_erased(transaction: Transaction, rows: pl.DataFrame) -> pl.DataFrame:
    """Entries without those of incidents that were erased after the entries had been made."""
    erased = transaction.read("SELECT incident_key FROM incidents WHERE list_contains(reasons, 'erased')")
    return rows.join(erased, on="incident_key", how="anti", maintain_order="left")


def note_stale_days(transaction: Transaction, days: pl.Series, delivery_seq: int, reason: str) -> int:
    """Note those of `days` that have outcomes, as made stale by a delivery; returns how many."""
    judged = transaction.read("SELECT DISTINCT forecast_date AS day FROM forecast_outcomes")
    touched = pl.DataFrame({"day": days}).unique().join(judged, on="day", how="semi").sort("day")
    since = transaction.read(
        "SELECT delivered_at FROM deliveries WHERE delivery_seq = ?", [delivery_seq]
    ).item()
    stale = touched.with_columns(
        delivery_seq=pl.lit(delivery_seq, pl.Int64), reason=pl.lit(reason), since=pl.lit(since)
    )
    transaction.append("stale_days", TABLES["stale_days"].conform(stale))
    return stale.height

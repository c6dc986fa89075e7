"""What is recorded of trials: each look at their results, and each decision on the model that forecasts.

Belongs here: the two append-only tables, their ledger entries, and what a trial asks of the incidents. Not
here: measuring (trial), what a report says.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import polars as pl

from hotspot_assets.assurance.ledger import Kind
from hotspot_assets.warehouse.chain import append_entry
from hotspot_assets.warehouse.lake import Committed, Lake, Stamp, Transaction
from hotspot_assets.warehouse.tables import TABLES


def record_look(lake: Lake, look: dict[str, Any], stamp: Stamp) -> Committed[None]:
    """Append a look (columns of `looks` but author and run_id), with its ledger entry."""
    row = look | {"author": stamp.author, "run_id": stamp.run_id}
    subject = f"model trial {look['first_date']}..{look['last_date']}"
    facts = {name: look[name] for name in ("models", "lags", "why", "outcomes_hash")}
    return _record(lake, "looks", row, Kind.RUN, look["looked_at"], subject, facts, stamp)


def looks_between(lake: Lake, first: date, last: date) -> pl.DataFrame:
    """Looks at any of the days first..last, oldest first."""
    query = "SELECT * FROM looks WHERE first_date <= ? AND last_date >= ? ORDER BY looked_at, run_id"
    return lake.read(query, [last, first])


def record_champion(lake: Lake, decision: dict[str, Any], stamp: Stamp) -> Committed[None]:
    """Append a decision (columns of `champion_decisions` but run_id), with its ledger entry."""
    facts = {name: decision[name] for name in ("model", "model_before", "reason")} | {"run_id": stamp.run_id}
    row = decision | {"run_id": stamp.run_id}
    entry = (Kind.REVIEW, decision["decided_at"], "model that forecasts", facts)
    return _record(lake, "champion_decisions", row, *entry, Stamp(decision["reviewer"], stamp.run_id))


def last_champion(lake: Lake) -> dict[str, Any] | None:
    """The decision that stands; None: nobody has decided yet."""
    rows = lake.read("SELECT * FROM champion_decisions ORDER BY decided_at DESC, run_id LIMIT 1")
    return rows.row(0, named=True) if rows.height else None


def _record(
    lake: Lake,
    table: str,
    row: dict[str, Any],
    kind: Kind,
    at: datetime,
    subject: str,
    facts: dict[str, Any],
    stamp: Stamp,
) -> Committed[None]:
    rows = TABLES[table].conform(pl.DataFrame([row], schema_overrides=TABLES[table].dtypes))

    def write(transaction: Transaction) -> None:
        transaction.append(table, rows)
        append_entry(transaction, kind, at, stamp.author, subject, facts)

    return lake.transact(write, tables=[table, "ledger"], message=subject, stamp=stamp)


def judged_span(lake: Lake) -> tuple[date, date] | None:
    """First and last forecast date with outcomes; None without any."""
    rows = lake.read("SELECT min(forecast_date), max(forecast_date) FROM forecast_outcomes")
    first, last = rows.row(0)
    return None if first is None else (first, last)


def occurred_span(lake: Lake) -> tuple[date, date] | None:
    """First and last day of occurrence in the ledger of weights; None without incidents."""
    rows = lake.read("SELECT min(day), max(day) FROM hexagon_incidents")
    first, last = rows.row(0)
    return None if first is None else (first, last)


def share_assumed(lake: Lake, first: date, last: date, delivery_seq: int) -> float | None:
    """Share of the incidents of these days whose knowledge time is assumed; None without incidents."""
    query = """
        SELECT avg(known_assumed::INT) FROM incidents
        WHERE 'new' IN reasons AND delivery_seq <= $seq AND occurred_from::DATE BETWEEN $first AND $last
    """
    return lake.read(query, {"first": first, "last": last, "seq": delivery_seq}).item()  # type: ignore[no-any-return]


def recording_delays(lake: Lake, first: date, last: date, delivery_seq: int) -> pl.DataFrame:
    """How late the source recorded the incidents of these days, in days, by offence group.

    Columns offence_group, incidents, stated (share with a time of record or report), median_days, p90_days,
    p99_days; groups of which no time is stated are left out.
    """
    query = """
        WITH timed AS (
            SELECT offence_group, (epoch(coalesce(recorded_at, reported_at))
                - epoch(coalesce(occurred_to, occurred_from))) / 86400 AS days
            FROM incidents
            WHERE 'new' IN reasons AND delivery_seq <= $seq AND occurred_from::DATE BETWEEN $first AND $last)
        SELECT offence_group, count(*) AS incidents, count(days) / count(*) AS stated,
            quantile_cont(days, 0.5) AS median_days, quantile_cont(days, 0.9) AS p90_days,
            quantile_cont(days, 0.99) AS p99_days
        FROM timed GROUP BY ALL HAVING count(days) > 0 ORDER BY ALL
    """
    return lake.read(query, {"first": first, "last": last, "seq": delivery_seq})


def points_of(lake: Lake, group: str, first: date, last: date, delivery_seq: int) -> pl.DataFrame:
    """Places and days of a group's open incidents, as known at a delivery: `latitude, longitude, day`.

    Only points whose day is known: others would make pairs out of what nobody knows.
    """
    query = """
        SELECT latitude, longitude, occurred_from::DATE AS day FROM (
            SELECT * FROM incidents WHERE delivery_seq <= $seq
            QUALIFY row_number() OVER (PARTITION BY incident_key ORDER BY delivery_seq DESC) = 1)
        WHERE offence_group = $group AND NOT closed AND latitude IS NOT NULL AND time_precision <> 'month'
            AND location_precision IN ('point', 'snapped') AND occurred_from::DATE BETWEEN $first AND $last
        ORDER BY ALL
    """
    return lake.read(query, {"group": group, "first": first, "last": last, "seq": delivery_seq})

"""Visits and dosage in the lake: files of visits are taken in once, dosage is replaced day by day.

Belongs here: the transactions and reads of `visit_files`, `visits` and `patrol_dosage`. Not here: reading a file
and the sums (patrol).
"""

from __future__ import annotations

from datetime import date, datetime

import polars as pl

from hotspot_assets.assurance.ledger import Kind
from hotspot_assets.warehouse.chain import append_entry
from hotspot_assets.warehouse.lake import Committed, Lake, Stamp, Transaction
from hotspot_assets.warehouse.tables import TABLES


def keep_visits(lake: Lake, file: pl.DataFrame, visits: pl.DataFrame, stamp: Stamp) -> Committed[bool]:
    """Keep a file's row and its visits, with an entry in the ledger; False, and no change, where it is there already."""
    header, rows = TABLES["visit_files"].conform(file), TABLES["visits"].conform(visits)

    def write(transaction: Transaction) -> bool:
        fact = header.row(0, named=True)
        there = transaction.read("SELECT 1 FROM visit_files WHERE sha256 = ?", [fact["sha256"]])
        if there.height:
            return False
        transaction.append("visit_files", header)
        transaction.append("visits", rows)
        said = {
            name: fact[name] for name in ("sha256", "rows_read", "rows_accepted", "rows_rejected", "reasons")
        }
        at: datetime = fact["received_at"]
        append_entry(transaction, Kind.COLLECTION, at, stamp.author, "visits to patrol areas", said)
        return True

    locks = ["visit_files", "visits", "ledger"]
    return lake.transact(write, tables=locks, message=f"visits {header['file_name'][0]}", stamp=stamp)


def visits_between(lake: Lake, first: datetime, last: datetime) -> pl.DataFrame:
    """Visits that overlap a span of time."""
    query = "SELECT * FROM visits WHERE left_at > ? AND entered_at < ? ORDER BY entered_at, sha256, line"
    return lake.read(query, [first, last])


def planned_areas(lake: Lake, first: date, last: date) -> pl.DataFrame:
    """Areas that were to be visited: as issued last, or as drafted where a list was never issued.

    Returns `forecast_date, shift, unit, offence_group, area_id, minutes, issue_id` (null: a draft); `minutes` is
    null where a person added the area.
    """
    query = """
        WITH issues AS (
            SELECT DISTINCT forecast_date, shift, unit, issue_id, issued_at FROM issued_patrol_areas
            WHERE forecast_date BETWEEN $first AND $last),
        last AS (
            FROM issues QUALIFY row_number() OVER (
                PARTITION BY forecast_date, shift, unit ORDER BY issued_at DESC, issue_id) = 1)
        SELECT forecast_date, shift, unit, offence_group, area_id, minutes, issue_id
        FROM issued_patrol_areas SEMI JOIN last USING (issue_id)
        UNION ALL
        SELECT forecast_date, shift, unit, offence_group, area_id, minutes, NULL
        FROM patrol_areas ANTI JOIN last USING (forecast_date, shift, unit)
        WHERE forecast_date BETWEEN $first AND $last
        ORDER BY ALL
    """
    return lake.read(query, {"first": first, "last": last})


def dosage_by_unit(lake: Lake, first: date, last: date) -> pl.DataFrame:
    """Planned and delivered minutes by unit: `unit, areas, visited, planned_minutes, delivered_minutes, visits`."""
    query = """
        SELECT unit, count(*) AS areas, count(*) FILTER (visits > 0) AS visited, sum(planned_minutes) AS planned_minutes,
            sum(delivered_minutes) AS delivered_minutes, sum(visits)::BIGINT AS visits
        FROM patrol_dosage WHERE forecast_date BETWEEN ? AND ? GROUP BY unit ORDER BY unit
    """
    return lake.read(query, [first, last])

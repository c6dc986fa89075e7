"""Writing forecasts: headers are appended, surfaces and areas are replaced day by day.

Belongs here: the transactions behind `study_areas`, `study_area_bases`, `cells`, `fitted_models`, `forecasts`,
`proximity_scores`, `patrol_areas`, `explanations` and `forecast_outcomes`. Not here: what stands in them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

import polars as pl

from hotspot_assets.warehouse.chain import Chain, note_parameters, note_run
from hotspot_assets.warehouse.lake import Committed, Lake, Stamp, Transaction
from hotspot_assets.warehouse.tables import TABLES


def replace_days(
    lake: Lake,
    table: str,
    days: tuple[date, date],
    rows: pl.DataFrame,
    stamp: Stamp,
    *,
    headers: pl.DataFrame | None = None,
    parameters: str | None = None,
    in_order: bool = False,
) -> Committed[int]:
    """Replace the rows of `table` for forecast dates first..last, and append headers not seen before.

    One transaction: a reader sees the old days or the new ones, never a gap; a killed writer leaves the old.
    Rows with headers are a run of the forecast and stand as such in the ledger, as does a change of
    `parameters` (`Settings.forecast_parameters`). Rows said to be `in_order` are not sorted once more.
    Returns the number of rows written.
    """
    shaped = TABLES[table].conform(rows, in_order=in_order)
    known = None if headers is None else TABLES["forecasts"].conform(headers)

    def write(transaction: Transaction) -> int:
        transaction.execute(f"DELETE FROM {table} WHERE forecast_date BETWEEN ? AND ?", list(days))
        transaction.append(table, shaped)
        if known is not None:
            _append_headers(transaction, known)
            chain = Chain(transaction)
            made_at: datetime = known["made_at"].sort().to_list()[-1]
            if parameters is not None:
                note_parameters(chain, made_at, stamp.author, parameters)
            note_run(chain, made_at, stamp, days, known, shaped.height)
            chain.write()
        return shaped.height

    locks = [table] if known is None else [table, "forecasts", "unreplayable_forecasts", "ledger"]
    return lake.transact(write, tables=locks, message=f"{table} {days[0]}..{days[1]}", stamp=stamp)


def _append_headers(transaction: Transaction, headers: pl.DataFrame) -> None:
    """Append the headers that are not there; of all, mark those that an erasure overtook."""
    query = """
        SELECT (SELECT list(forecast_id) FROM forecasts WHERE list_contains(?, forecast_id)) AS there,
            (SELECT max(delivery_seq) FROM deliveries WHERE status = 'erasure') AS erased
    """
    there, erased = transaction.read(query, [headers["forecast_id"].to_list()]).row(0)
    transaction.append("forecasts", headers.filter(~pl.col("forecast_id").is_in(there or [])))
    if erased is not None and erased > headers["delivery_seq"].min():
        _note_overtaken(transaction, headers)


def _note_overtaken(transaction: Transaction, headers: pl.DataFrame) -> None:
    """Mark forecasts that were being computed while incidents were erased: nobody can say what they read."""
    overtaken = """
        SELECT forecast_id, forecast_date, max(e.delivery_seq) AS delivery_seq
        FROM headers h JOIN deliveries e ON e.status = 'erasure' AND e.delivery_seq > h.delivery_seq
        WHERE h.not_made_because IS NULL AND forecast_id NOT IN (SELECT forecast_id FROM unreplayable_forecasts)
        GROUP BY ALL
    """
    with transaction.lend("headers", headers):
        transaction.append("unreplayable_forecasts", transaction.read(overtaken))


def append_once(
    lake: Lake, tables: Mapping[str, pl.DataFrame], keys: Mapping[str, Sequence[str]], stamp: Stamp
) -> Committed[None]:
    """Append content-addressed rows to tables, each unless rows with its `keys` are there already."""
    shaped = {table: TABLES[table].conform(rows) for table, rows in tables.items()}

    def write(transaction: Transaction) -> None:
        for table, rows in shaped.items():
            there = transaction.read(f"SELECT DISTINCT {', '.join(keys[table])} FROM {table}")
            transaction.append(table, rows.join(there, on=list(keys[table]), how="anti"))

    return lake.transact(write, tables=list(tables), message=f"add to {', '.join(tables)}", stamp=stamp)


def scores_between(lake: Lake, first: date, last: date) -> pl.DataFrame:
    """The stored surfaces of forecast dates first..last, cells ascending as in the study area."""
    query = """
        SELECT * FROM proximity_scores WHERE forecast_date BETWEEN ? AND ?
        ORDER BY forecast_date, offence_group, cell
    """
    return lake.read(query, [first, last])


def replace_outcomes(
    lake: Lake, days: tuple[date, date], outcomes: pl.DataFrame, delivery_seq: int, stamp: Stamp
) -> Committed[int]:
    """Replace the outcomes of days first..last, computed with what a delivery knew, and clear what it made stale."""
    rows = TABLES["forecast_outcomes"].empty()
    if not outcomes.is_empty():
        rows = TABLES["forecast_outcomes"].conform(
            outcomes.with_columns(delivery_seq=pl.lit(delivery_seq, pl.Int64))
        )

    def write(transaction: Transaction) -> int:
        transaction.execute("DELETE FROM forecast_outcomes WHERE forecast_date BETWEEN ? AND ?", list(days))
        transaction.append("forecast_outcomes", rows)
        transaction.execute(
            "DELETE FROM stale_days WHERE day BETWEEN ? AND ? AND delivery_seq <= ?", [*days, delivery_seq]
        )
        return rows.height

    locks = ["forecast_outcomes", "stale_days"]
    return lake.transact(write, tables=locks, message=f"forecast_outcomes {days[0]}..{days[1]}", stamp=stamp)


def replace_explanations(lake: Lake, day: date, rows: pl.DataFrame, stamp: Stamp) -> Committed[int]:
    """Replace the explanations of a day, without those in which an incident stands that was erased meanwhile."""
    shaped = TABLES["explanations"].empty()
    if not rows.is_empty():
        shaped = TABLES["explanations"].conform(rows.with_columns(forecast_date=pl.lit(day)))

    def write(transaction: Transaction) -> int:
        erased = transaction.read("SELECT incident_key FROM incidents WHERE list_contains(reasons, 'erased')")
        keys = ["offence_group", "cell"]
        gone = shaped.join(erased, on="incident_key", how="semi").select(keys).unique()
        left = shaped.join(gone, on=keys, how="anti")
        transaction.execute("DELETE FROM explanations WHERE forecast_date = ?", [day])
        transaction.append("explanations", left)
        return left.height

    return lake.transact(write, tables=["explanations"], message=f"explanations {day}", stamp=stamp)


def outcomes_between(lake: Lake, first: date, last: date) -> pl.DataFrame:
    """Outcomes of forecast dates first..last."""
    query = "SELECT * FROM forecast_outcomes WHERE forecast_date BETWEEN ? AND ? ORDER BY ALL"
    return lake.read(query, [first, last])


def areas_between(lake: Lake, first: date, last: date) -> pl.DataFrame:
    """The patrol areas of forecast dates first..last."""
    query = """
        SELECT * FROM patrol_areas WHERE forecast_date BETWEEN ? AND ?
        ORDER BY forecast_date, shift, unit, offence_group, rank
    """
    return lake.read(query, [first, last])


def headers_of(lake: Lake, first: date, last: date) -> pl.DataFrame:
    """Headers of the newest vintage of each forecast date and offence group."""
    query = """
        SELECT * FROM forecasts WHERE forecast_date BETWEEN ? AND ?
        QUALIFY row_number() OVER (PARTITION BY forecast_date, offence_group ORDER BY made_at DESC, forecast_id) = 1
        ORDER BY forecast_date, offence_group
    """
    return lake.read(query, [first, last])

"""Erasing incidents from the tables: deleted where they stand, never taken back by entries that tell a place.

Belongs here: the transaction that erases, and which forecasts rest on what it erased. Not here: snapshots and
files that still hold the rows afterwards (`upkeep`), and what lies beside the lake (workflow).

The tables that hold the rows are written anew without them: new files, and new statistics, as the smallest
and largest values that the catalog keeps of a table outlive a DELETE. What stays is one tombstone per
incident, with nothing in it but the keyed hash, so that a later delivery does not bring the incident back. An
erasure takes a number among the deliveries, one for each source: it changes what forecasts read, as a
delivery does.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime

import polars as pl

from hotspot_assets.assurance.ledger import Kind
from hotspot_assets.intake.versions import erasures
from hotspot_assets.warehouse.chain import append_entry, root_of
from hotspot_assets.warehouse.deliveries import delivery_rows, without_rows
from hotspot_assets.warehouse.lake import Committed, Lake, Stamp, Transaction
from hotspot_assets.warehouse.migrations import create_table
from hotspot_assets.warehouse.tables import TABLES
from hotspot_assets.warehouse.weights import note_stale_days

LOCKS = (
    "deliveries", "incidents", "rejected_rows", "hexagon_incidents", "forecasts", "stale_days",
    "unreplayable_forecasts", "explanations", "ledger",
)  # fmt: skip

EMPTIED = "erased"
"""What stands in `rejected_rows.detail` of a row that was emptied: it still counts, and says nothing else."""

_STALE = "incidents of the day were erased after its outcome was computed"
_NOT_ERASED = "NOT list_contains(reasons, 'erased')"


@dataclass(frozen=True)
class Target:
    """What is to be erased: an incident by its key, or all that may have happened from `start` to `end`.

    Attributes
    ----------
    incident_key
        The incident; None: a period.
    start, end
        The period, from `start` (UTC) to before `end`, which are the bounds of the days first..last.
    source
        Only incidents of this source; None: of all.
    wholly
        Of a period: only incidents of which no version may have happened later.
    """

    incident_key: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    days: tuple[date, date] | None = None
    source: str | None = None
    wholly: bool = False

    @property
    def subject(self) -> str:
        """What the ledger says was erased: never which incident."""
        what = "one incident" if self.days is None else f"incidents of {self.days[0]}..{self.days[1]}"
        return what + (f" of {self.source}" if self.source else "")


@dataclass(frozen=True)
class Erased:
    """What an erasure did to the tables.

    `incidents` has incident_key and source; `forecasts` has forecast_id and forecast_date of those that can no
    longer be made again; `delivery_seq` is the number of the erasure, the last of them where there were several
    sources; None: nothing was there to erase.
    """

    incidents: pl.DataFrame
    versions: int
    entries: int
    rejected_rows: int
    forecasts: pl.DataFrame
    stale_days: int
    delivery_seq: int | None


def erase(lake: Lake, target: Target, at: datetime, stamp: Stamp) -> Committed[Erased]:
    """Erase incidents from all tables, with tombstones and one ledger entry, in one transaction."""

    def write(transaction: Transaction) -> Erased:
        versions = _versions(transaction, target)
        with _lent(transaction, versions):
            rejected = _rejected(transaction, target)
            if versions.is_empty() and rejected.is_empty():
                return _nothing(versions)
            return _erase(transaction, target, versions, rejected, at, stamp)

    return lake.transact(write, tables=LOCKS, message=f"erase {target.subject}", stamp=stamp)


def _nothing(versions: pl.DataFrame) -> Erased:
    forecasts = TABLES["unreplayable_forecasts"].empty().select("forecast_id", "forecast_date")
    return Erased(versions.select("incident_key", "source"), 0, 0, 0, forecasts, 0, None)


def _erase(
    transaction: Transaction,
    target: Target,
    versions: pl.DataFrame,
    rejected: pl.DataFrame,
    at: datetime,
    stamp: Stamp,
) -> Erased:
    incidents = versions.select("incident_key", "source").unique().sort("source", "incident_key")
    entries = transaction.read(
        "SELECT * FROM hexagon_incidents SEMI JOIN erased_versions USING (incident_key)"
    )
    forecasts = _forecasts_resting_on(transaction, entries)
    nothing_waits = _nothing_waits(transaction)
    tombstones, seq = _number(transaction, incidents, target, at, stamp)
    if versions.height:
        _write_anew(transaction, "incidents", "ANTI JOIN erased_versions USING (incident_key)", tombstones)
    if entries.height:
        _write_anew(transaction, "hexagon_incidents", "ANTI JOIN erased_versions USING (incident_key)")
    _drop_explanations(transaction)
    _empty_rejected(transaction, rejected)
    stale = note_stale_days(transaction, entries["day"], seq, _STALE)
    number = pl.lit(seq, pl.Int64).alias("delivery_seq")
    transaction.append("unreplayable_forecasts", forecasts.with_columns(number))
    if nothing_waits:
        transaction.execute(
            "UPDATE write_locks SET through_delivery_seq = ? WHERE table_name = 'hexagon_incidents'", [seq]
        )
    done = Erased(incidents, versions.height, entries.height, rejected.height, forecasts, stale, seq)
    append_entry(transaction, Kind.ERASURE, at, stamp.author, target.subject, _facts(done))
    return done


def _facts(done: Erased) -> dict[str, object]:
    return {
        "delivery_seq": done.delivery_seq,
        "incidents": done.incidents.height,
        "versions": done.versions,
        "entries": done.entries,
        "rejected_rows": done.rejected_rows,
        "forecasts_not_replayable": done.forecasts.height,
        "forecasts_root": root_of(done.forecasts["forecast_id"]),
    }


def _versions(transaction: Transaction, target: Target) -> pl.DataFrame:
    """All versions of the incidents of which one fits the target; tombstones of erased ones fit none."""
    columns = "incident_key, source, occurred_from, latitude, longitude"
    of_source = "($source IS NULL OR source = $source)"
    if target.incident_key is not None:
        query = f"SELECT {columns} FROM incidents WHERE incident_key = $key AND {_NOT_ERASED} AND {of_source}"
        return transaction.read(query, {"key": target.incident_key, "source": target.source})
    query = f"""
        SELECT {columns} FROM incidents SEMI JOIN (
            SELECT incident_key FROM incidents WHERE {_NOT_ERASED} AND {of_source} GROUP BY incident_key
            HAVING bool_or(occurred_from < $end AND greatest(occurred_from, occurred_to) >= $start)
                AND (NOT $wholly OR max(greatest(occurred_from, occurred_to)) < $end)) USING (incident_key)
    """
    parameters = {"source": target.source, "start": target.start, "end": target.end, "wholly": target.wholly}
    return transaction.read(query, parameters)


@contextmanager
def _lent(transaction: Transaction, versions: pl.DataFrame) -> Iterator[None]:
    with transaction.lend("erased_versions", versions):
        yield


def _rejected(transaction: Transaction, target: Target) -> pl.DataFrame:
    """Rejected rows that may be of these incidents: they have no key, so the time tells, or else the place."""
    same = """
        (r.occurred_from IN (SELECT occurred_from FROM erased_versions)
            OR r.occurred_from IS NULL AND (r.latitude, r.longitude) IN (
                SELECT (latitude, longitude) FROM erased_versions WHERE latitude IS NOT NULL))
    """
    if target.days is not None:
        same += """
            OR (r.occurred_from >= $start AND r.occurred_from < $end)
            OR (r.occurred_from IS NULL AND d.occurred_from <= $last AND d.occurred_to >= $first)
        """
    query = f"""
        SELECT r.delivery_seq, r.line FROM rejected_rows r JOIN deliveries d USING (delivery_seq)
        WHERE r.detail <> '{EMPTIED}' AND ($source IS NULL OR d.source = $source) AND ({same})
    """
    parameters: dict[str, object] = {"source": target.source}
    if target.days is not None:
        first, last = target.days
        parameters |= {"start": target.start, "end": target.end, "first": first, "last": last}
    return transaction.read(query, parameters)


def _empty_rejected(transaction: Transaction, rejected: pl.DataFrame) -> None:
    """Take everything out of rejected rows but their reasons, so that deliveries still add up."""
    if rejected.is_empty():
        return
    with transaction.lend("erased_lines", rejected):
        rows = transaction.read(
            "SELECT r.* FROM rejected_rows r SEMI JOIN erased_lines USING (delivery_seq, line)"
        )
        _write_anew(
            transaction, "rejected_rows", "ANTI JOIN erased_lines USING (delivery_seq, line)", emptied(rows)
        )


def emptied(rows: pl.DataFrame) -> pl.DataFrame:
    """Rejected rows with nothing left but delivery, line and reason."""
    keep = ("delivery_seq", "line", "reason")
    dtypes = TABLES["rejected_rows"].dtypes
    blank = {name: pl.lit(None, dtype=dtypes[name]) for name in rows.columns if name not in keep}
    return rows.with_columns(**(blank | {"detail": pl.lit(EMPTIED)}))


def _drop_explanations(transaction: Transaction) -> None:
    """Drop each explanation in which an erased incident stands: without it the rest would not be the score."""
    theirs = transaction.read("""
        SELECT DISTINCT forecast_date, offence_group, cell FROM explanations
        SEMI JOIN erased_versions USING (incident_key)
    """)
    if theirs.height:
        with transaction.lend("explained_by_erased", theirs):
            without = "ANTI JOIN explained_by_erased USING (forecast_date, offence_group, cell)"
            _write_anew(transaction, "explanations", without)


def _write_anew(transaction: Transaction, table: str, without: str, also: pl.DataFrame | None = None) -> None:
    """Put a new table, with new files and statistics, in the place of one that holds erased rows."""
    laid_out = TABLES[table]
    order = f"ORDER BY {', '.join(laid_out.sorted_by)}" if laid_out.sorted_by else ""
    transaction.execute(f"ALTER TABLE {table} RENAME TO {table}_before")
    create_table(transaction, laid_out)
    with transaction.lend("rows_to_add", laid_out.conform(laid_out.empty() if also is None else also)):
        transaction.execute(f"""
            INSERT INTO {table} BY NAME
            FROM (SELECT * FROM {table}_before {without} UNION ALL BY NAME SELECT * FROM rows_to_add) {order}
        """)
    transaction.execute(f"DROP TABLE {table}_before")


def _number(
    transaction: Transaction, incidents: pl.DataFrame, target: Target, at: datetime, stamp: Stamp
) -> tuple[pl.DataFrame, int]:
    """Number the erasure, source by source; returns the tombstones and the last number."""
    last = int(transaction.read("SELECT coalesce(max(delivery_seq), 0) FROM deliveries").item())
    sources = incidents["source"].unique().sort().to_list() or [target.source or "all"]
    numbers = dict(zip(sources, range(last + 1, last + 1 + len(sources)), strict=True))
    tombstones = [
        erasures(incidents.filter(pl.col("source") == source)["incident_key"], source, seq, at)
        for source, seq in numbers.items()
    ]
    rows = [_delivery_row(seq, source, at, stamp) for source, seq in numbers.items()]
    transaction.append("deliveries", delivery_rows(rows))
    return pl.concat(tombstones), max(numbers.values())


def _delivery_row(seq: int, source: str, at: datetime, stamp: Stamp) -> dict[str, object]:
    return without_rows(
        delivery_seq=seq, status="erasure", source=source, format="none", file_name="none", sha256="none",
        delivered_at=at, run_id=stamp.run_id,
    )  # fmt: skip


def _nothing_waits(transaction: Transaction) -> bool:
    waiting = """
        SELECT count(*) FROM deliveries WHERE status <> 'set_aside' AND delivery_seq >
            (SELECT through_delivery_seq FROM write_locks WHERE table_name = 'hexagon_incidents')
    """
    return bool(transaction.read(waiting).item() == 0)


def _forecasts_resting_on(transaction: Transaction, entries: pl.DataFrame) -> pl.DataFrame:
    """Forecasts that could read one of these entries at their cut-off and delivery."""
    read = entries.group_by("day", "delivery_seq").agg(pl.col("known_from").min())
    query = """
        SELECT forecast_id, forecast_date FROM forecasts f SEMI JOIN erased_entries e
            ON e.day < f.forecast_date AND e.known_from <= f.cut_off AND e.delivery_seq <= f.delivery_seq
        WHERE not_made_because IS NULL AND forecast_id NOT IN (SELECT forecast_id FROM unreplayable_forecasts)
        ORDER BY forecast_date, forecast_id
    """
    with transaction.lend("erased_entries", read):
        return transaction.read(query)


def has_erasures(lake: Lake, source: str | None) -> bool:
    """Whether incidents of a source (None: of any) were erased before."""
    query = (
        "SELECT count(*) FROM deliveries WHERE status = 'erasure' AND ($source IS NULL OR source = $source)"
    )
    return bool(lake.read(query, {"source": source}).item())


def erased_keys(lake: Lake) -> pl.Series:
    """Keys of all erased incidents."""
    return lake.read("SELECT incident_key FROM incidents WHERE list_contains(reasons, 'erased')")[
        "incident_key"
    ]


def source_of(lake: Lake, incident_key: str) -> str | None:
    """The source of an incident, erased or not; None: it is not known."""
    rows = lake.read("SELECT source FROM incidents WHERE incident_key = ? LIMIT 1", [incident_key])
    return str(rows.item()) if rows.height else None


def rests_on_erased(lake: Lake, forecast_ids: pl.Series) -> bool:
    """Whether one of these forecasts rests on incidents erased since."""
    query = "SELECT count(*) FROM unreplayable_forecasts WHERE list_contains(?, forecast_id)"
    return bool(lake.read(query, [forecast_ids.to_list()]).item())


def unreplayable(lake: Lake) -> pl.DataFrame:
    """Forecasts that rest on erased incidents: `forecast_id, forecast_date, delivery_seq` of the erasure."""
    return lake.read("SELECT * FROM unreplayable_forecasts ORDER BY forecast_date, forecast_id")

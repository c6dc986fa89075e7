"""Erasing one incident, or a period, from everything a home holds.

Belongs here: the order of it, and what is said about it. Not here: the transaction (`warehouse.erasure`), the
bytes of the lake (`warehouse.upkeep`), files (`traces`).

Delivered files are deleted whole, not rewritten: the lake is the record, they are a copy kept for some days.
Those of the incident's source go, and those set aside, as nobody knows what is in them. Each step can be
done again: if one fails, the same erasure is asked for again and finishes the rest.

An erasure is no run of Dagster: a run keeps its configuration, and with it the crime reference, for ever.
It stands in the ledger, twice: what was erased from the tables, in the same transaction, and what from files.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from hotspot_assets.errors import UserError
from hotspot_assets.intake.calendar import day_bounds_utc
from hotspot_assets.intake.keys import incident_keys
from hotspot_assets.settings import Settings
from hotspot_assets.warehouse.deliveries import taken_in
from hotspot_assets.warehouse.erasure import (
    Erased,
    Target,
    erase,
    erased_keys,
    has_erasures,
    source_of,
    unreplayable,
)
from hotspot_assets.warehouse.lake import Lake, Stamp
from hotspot_assets.warehouse.upkeep import note_in_ledger, wipe
from hotspot_assets.workflow.bucketing import bucket_new_deliveries
from hotspot_assets.workflow.dates import now_utc
from hotspot_assets.workflow.deliveries import clear_parts
from hotspot_assets.workflow.landing import file_hash, landed_files
from hotspot_assets.workflow.traces import (
    Needles,
    blacken,
    delete_delivered,
    delete_holding,
    delete_pages,
    delivered_files,
)


class NothingToErase(UserError):
    """No incident fits what was asked for."""


class FilesWait(UserError):
    """Files that may hold what is to be erased have not been taken in."""


@dataclass(frozen=True)
class Erasure:
    """What an erasure did, everywhere.

    `rows` is what it did to the tables, with the forecasts that can no longer be made again; `snapshots` and
    `lake_files` are older states of the lake let go and files deleted with them; `blackened` counts texts
    in logs and in Dagster's history.
    """

    rows: Erased
    delivered_files: int
    pages: int
    blackened: int
    snapshots: int
    lake_files: int

    def lines(self) -> list[str]:
        """What was done, in words, the dates of the forecasts included."""
        rows = self.rows
        days = rows.forecasts["forecast_date"].unique().sort()
        again = [] if rows.delivery_seq is not None else ["erased before; what was left to do is done now"]
        told = [
            *again,
            f"{rows.incidents.height} incidents erased: {rows.versions} versions, {rows.entries} hexagon entries;"
            f" {rows.rejected_rows} rejected rows emptied",
            f"{self.delivered_files} delivered files deleted whole, {self.pages} pages deleted,"
            f" {self.blackened} texts in logs blackened",
            f"{self.snapshots} older states of the lake let go, {self.lake_files} of its files deleted",
            f"{rows.forecasts.height} forecasts of {days.len()} dates can no longer be made again row by row",
        ]
        return told + [f"  {first} to {last}" for first, last in _ranges(days)]


def erase_incident(lake: Lake, settings: Settings, source: str, reference: str, stamp: Stamp) -> Erasure:
    """Erase the incident with a crime reference of a source.

    Raises
    ------
    NothingToErase
        When the source has no incident with this reference.
    FilesWait
        When files wait in the landing folder.
    """
    key = incident_keys(pl.Series([reference.strip()]), source, settings.source_key()).item()
    if source_of(lake, key) is None:
        raise NothingToErase(
            f"No incident of {source!r} has this reference. Write both as in the delivered file; the sources are"
            " in the column `source` of `deliveries`."
        )
    target = Target(incident_key=key, source=source)
    return _erase(lake, settings, target, Needles(frozenset([key]), reference.strip()), stamp)


def erase_key(lake: Lake, settings: Settings, incident_key: str, stamp: Stamp) -> Erasure:
    """Erase the incident with a key, as shown by an explanation.

    Raises
    ------
    NothingToErase
        When there is no such incident.
    FilesWait
        When files wait in the landing folder.
    """
    source = source_of(lake, incident_key)
    if source is None:
        raise NothingToErase(f"There is no incident {incident_key}; write all 32 digits of its key.")
    target = Target(incident_key=incident_key, source=source)
    return _erase(lake, settings, target, Needles(frozenset([incident_key])), stamp)


def erase_period(
    lake: Lake, settings: Settings, first: date, last: date, source: str | None, stamp: Stamp
) -> Erasure:
    """Erase all incidents that happened, or may have, on the operational days first..last.

    Raises
    ------
    NothingToErase
        When there is none.
    FilesWait
        When files wait in the landing folder.
    """
    return _erase(lake, settings, period(settings, first, last, source), None, stamp)


def period(
    settings: Settings, first: date, last: date, source: str | None = None, *, wholly: bool = False
) -> Target:
    """The operational days first..last as a target."""
    days = pl.Series([first, last], dtype=pl.Date)
    starts, ends = day_bounds_utc(days, settings.area.timezone, settings.area.day_start)
    return Target(start=starts[0], end=ends[1], days=(first, last), source=source, wholly=wholly)


def _erase(lake: Lake, settings: Settings, target: Target, needles: Needles | None, stamp: Stamp) -> Erasure:
    _require_nothing_waiting(settings)
    clear_parts(settings.cache)
    bucket_new_deliveries(lake, settings, stamp)
    rows = erase(lake, target, now_utc(), stamp).result
    if rows.delivery_seq is None and not has_erasures(lake, target.source):
        raise NothingToErase(f"There is nothing to erase: {target.subject}.")
    files = delete_delivered(_may_hold(lake, settings, target, rows))
    return clean_up(lake, settings, target, rows, files, needles, stamp)


def clean_up(
    lake: Lake,
    settings: Settings,
    target: Target,
    rows: Erased,
    delivered: int,
    needles: Needles | None,
    stamp: Stamp,
) -> Erasure:
    """Take erased incidents out of pages, logs and older states of the lake, and note it in the ledger."""
    made = rows.forecasts if rows.delivery_seq is not None else unreplayable(lake)
    pages = delete_pages(settings.outputs, set(made["forecast_date"].to_list()))
    wanted = needles or Needles(frozenset(erased_keys(lake)))
    pages += delete_holding(settings.outputs, wanted)
    blackened = blacken(settings.dagster_home, wanted)
    snapshots, lake_files = wipe(lake, now_utc())
    done = Erasure(rows, delivered, pages, blackened, snapshots, lake_files)
    facts: dict[str, object] = {
        "delivery_seq": rows.delivery_seq,
        "delivered_files": delivered,
        "pages": pages,
        "texts_blackened": blackened,
        "snapshots": snapshots,
        "lake_files": lake_files,
    }
    note_in_ledger(lake, now_utc(), stamp, f"files that held {target.subject}", facts)
    return done


def _require_nothing_waiting(settings: Settings) -> None:
    waiting = [file.path.name for file in landed_files(settings.landing)]
    if waiting:
        raise FilesWait(
            f"{len(waiting)} files wait in {settings.landing} and may hold what is to be erased"
            f" ({', '.join(waiting[:5])}): take them in first with `hotspot import`, or take them away."
        )


def _may_hold(lake: Lake, settings: Settings, target: Target, rows: Erased) -> list[Path]:
    """Delivered files of the sources concerned, and all of which nobody knows what is in them."""
    concerned = set(rows.incidents["source"]) | {target.source} - {None}
    sources = {row["sha256"]: row["source"] for row in taken_in(lake).to_dicts()}
    others = set(sources.values()) - concerned if concerned else set()
    files = delivered_files(settings.landing)
    return [path for path in files if sources.get(file_hash(path)) not in others]


def _ranges(days: pl.Series) -> list[tuple[date, date]]:
    """Ascending days as ranges without gaps."""
    numbered = pl.DataFrame({"day": days}).with_columns(
        run=pl.col("day").cast(pl.Int32) - pl.int_range(pl.len(), dtype=pl.Int32)
    )
    return numbered.group_by("run", maintain_order=True).agg(
        first=pl.col("day").first(), last=pl.col("day").last()
    ).select("first", "last").rows()  # fmt: skip

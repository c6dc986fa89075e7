"""Visits back from patrol: files taken in, and planned against delivered minutes of the days they touch.

Belongs here: the landing folder of visits and the order of things. Not here: reading a file and the sums (patrol).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import polars as pl

from hotspot_assets.intake.calendar import utc_to_local
from hotspot_assets.patrol.budgets import VISIT_MINUTES
from hotspot_assets.patrol.dosage import Visits, VisitsError, dosage, read_visits, unmatched
from hotspot_assets.patrol.shifts import shift_times
from hotspot_assets.settings import Settings
from hotspot_assets.warehouse.dosage import keep_visits, planned_areas, visits_between
from hotspot_assets.warehouse.forecasts import replace_days
from hotspot_assets.warehouse.lake import Lake, Stamp
from hotspot_assets.warehouse.tables import TABLES
from hotspot_assets.workflow.dates import cut_off_of, days_between, now_utc
from hotspot_assets.workflow.grounds import shifts_of
from hotspot_assets.workflow.landing import INGESTED, SET_ASIDE, file_hash


@dataclass(frozen=True)
class TakenVisits:
    """What became of a file of visits; `refused` says why it was set aside as a whole."""

    file_name: str
    rows_accepted: int = 0
    rejected: tuple[tuple[str, int], ...] = ()
    days: tuple[date, date] | None = None
    new: bool = True
    refused: str | None = None

    def __str__(self) -> str:
        if self.refused is not None:
            return f"{self.file_name}: set aside: {self.refused}"
        known = "" if self.new else ", known already: nothing changed"
        return f"{self.file_name}: {self.rows_accepted} visits, rejected: {_said(self.rejected)}{known}"


def _said(rejected: Sequence[tuple[str, int]]) -> str:
    return ", ".join(f"{reason}: {count}" for reason, count in rejected) or "none"


def take_in_visits(lake: Lake, settings: Settings, path: Path, stamp: Stamp) -> TakenVisits:
    """Take in one file of visits; it moves to `ingested`, or to `set_aside` with the reason where it cannot be read."""
    try:
        read = read_visits(path.read_bytes(), settings.area.timezone)
    except VisitsError as error:
        aside = _moved(path, SET_ASIDE)
        aside.with_name(f"{aside.name}.reason.txt").write_text(f"{error}\n", encoding="utf-8")
        return TakenVisits(path.name, refused=str(error))
    counts = read.rejected.group_by("reason").len().sort("reason").rows()
    sha256, days = file_hash(path), _days_of(read, settings)
    file = pl.DataFrame(
        {
            "sha256": sha256,
            "file_name": path.name,
            "rows_read": read.accepted.height + read.rejected.height,
            "rows_accepted": read.accepted.height,
            "rows_rejected": read.rejected.height,
            "reasons": _said(counts),
            "first_day": pl.Series([days[0] if days else None], dtype=pl.Date),
            "last_day": pl.Series([days[1] if days else None], dtype=pl.Date),
            "received_at": now_utc(),
            "run_id": stamp.run_id,
        }
    )
    kept = keep_visits(lake, file, read.accepted.with_columns(sha256=pl.lit(sha256)), stamp)
    _moved(path, INGESTED)
    return TakenVisits(path.name, read.accepted.height, tuple(counts), days, kept.result)


def _moved(path: Path, folder: str) -> Path:
    target = path.parent / folder / path.name
    target.parent.mkdir(parents=True, exist_ok=True)
    return path.replace(target)


def _days_of(read: Visits, settings: Settings) -> tuple[date, date] | None:
    """First and last local day of the visits."""
    if read.accepted.is_empty():
        return None
    local = [
        utc_to_local(read.accepted[name], settings.area.timezone).dt.date()
        for name in ("entered_at", "left_at")
    ]
    return local[0].sort()[0], local[1].sort()[-1]


@dataclass(frozen=True)
class DayDosage:
    """Dosage of consecutive forecast dates, as written; `elsewhere` counts visits to no planned area."""

    first: date
    last: date
    rows: pl.DataFrame
    elsewhere: int
    snapshot_id: int


def make_dosage(lake: Lake, settings: Settings, first: date, last: date, stamp: Stamp) -> DayDosage:
    """Compare planned and delivered minutes of the areas of first..last, and write them."""
    zone, shifts = settings.area.timezone, shifts_of(settings)
    times = pl.concat(
        shift_times(shifts, day, zone, cut_off_of(settings, day)).with_columns(forecast_date=pl.lit(day))
        for day in days_between(first, last)
    )
    usual = {each.name: settings.patrol.visits * VISIT_MINUTES for each in shifts}
    planned = (
        planned_areas(lake, first, last)
        .join(times.drop("before_cut_off"), on=["forecast_date", "shift"])
        .with_columns(
            planned_minutes=pl.coalesce(
                pl.col("minutes"), pl.col("shift").replace_strict(usual, default=None, return_dtype=pl.Int32)
            ).cast(pl.Float64)
        )
        .drop("minutes")
    )
    visits = visits_between(lake, times["starts_at"].min(), times["ends_at"].max())  # type: ignore[arg-type]
    made = (
        dosage(planned, visits.drop("sha256", "line")) if planned.height else TABLES["patrol_dosage"].empty()
    )
    written = replace_days(lake, "patrol_dosage", (first, last), made, stamp)
    return DayDosage(first, last, made, unmatched(planned, visits), written.snapshot_id)


def touched_days(taken: Sequence[TakenVisits]) -> tuple[date, date] | None:
    """Forecast dates that files of visits may belong to: a night shift ends on the day after its own."""
    days = [each.days for each in taken if each.days is not None]
    if not days:
        return None
    return min(first for first, _ in days) - timedelta(days=1), max(last for _, last in days)

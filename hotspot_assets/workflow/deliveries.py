"""From a landed file to versions of incidents.

Belongs here: taking a file in as a single transaction, and saying what became of it. Not here: the landing
folder (`landing`), reading formats and comparing versions (intake), SQL (warehouse).
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

from hotspot_assets.errors import UserError
from hotspot_assets.intake.knowledge import Completeness, DeliveryFacts
from hotspot_assets.intake.mapping import load_mapping
from hotspot_assets.intake.offences import DEFAULT_EXCLUDED_GROUPS
from hotspot_assets.intake.parts import DeliveryParts, read_into_parts
from hotspot_assets.intake.reading import UnreadableDelivery
from hotspot_assets.intake.validation import IntakeOptions
from hotspot_assets.settings import Settings
from hotspot_assets.warehouse.deliveries import (
    FactsOf,
    ReadFile,
    compare_only,
    erased_since,
    known_delivery,
    record_delivery,
    record_unreadable,
)
from hotspot_assets.warehouse.lake import Lake, Stamp
from hotspot_assets.workflow.dates import now_utc
from hotspot_assets.workflow.landing import INGESTED, SET_ASIDE, file_hash, put_away, require_file

_PARTS = "intake-"
_LONGEST_RUN = timedelta(hours=2)


class BadDeclaration(UserError):
    """Something declared of a delivery that cannot be."""


@dataclass(frozen=True)
class Declaration:
    """What an operator declares of a delivery.

    Attributes
    ----------
    history
        Part of the source's first load: new incidents rest on an assumed knowledge time, and are marked.
    complete_for
        First and last day for which the file holds every incident; what it lacks has vanished.
    closings_approved
        Close what has vanished, however much it is.
    published_at
        When the source published the file (UTC): from then on, not from its arrival here, it was known.
    """

    history: bool = False
    complete_for: tuple[date, date] | None = None
    closings_approved: bool = False
    published_at: datetime | None = None

    def __post_init__(self) -> None:
        if self.complete_for is not None and self.complete_for[0] > self.complete_for[1]:
            first, last = self.complete_for
            raise BadDeclaration(f"A period from {first} to {last} holds no day; name the first day first.")


@dataclass(frozen=True)
class Taken:
    """What became of a file: its row of `deliveries`, whether it had come before, or why it was set aside.

    `discarded`: it holds incidents that were erased, so it was not kept. `notes`: what else is to be said of it.
    """

    COUNTS: ClassVar[tuple[str, ...]] = (
        "rows_read", "rows_new", "rows_amended", "rows_unchanged", "rows_rejected", "rows_excluded",
        "rows_duplicate", "rows_reversed", "incidents_vanished", "incidents_excluded", "closings_waiting",
        "reversals_unmatched",
    )  # fmt: skip

    row: dict[str, Any]
    snapshot_id: int
    again: bool = False
    discarded: bool = False
    notes: tuple[str, ...] = ()

    @property
    def set_aside(self) -> bool:
        """Whether the file could not be read as a whole."""
        return bool(self.row["status"] == SET_ASIDE)

    @property
    def counts(self) -> dict[str, int]:
        """The counts of what this taking-in did; all zero for a file that had come before."""
        return {name: 0 if self.again else int(self.row[name]) for name in self.COUNTS}

    def __str__(self) -> str:
        name = self.row["file_name"]
        if self.set_aside:
            return f"{name}: set aside. {self.row['reason']}"
        end = "; the file holds erased incidents and was deleted" if self.discarded else ""
        if self.again:
            return f"{name}: the same bytes came as delivery {self.row['delivery_seq']}; nothing changed{end}"
        return f"{name}: {described(self.row)}{end}" + "".join(f"\n  {note}" for note in self.notes)


def described(row: dict[str, Any]) -> str:
    """A delivery's counts in words: they add up to the rows read."""
    parts = ["new", "amended", "unchanged", "rejected", "excluded", "duplicate", "reversed"]
    counts = ", ".join(f"{row['rows_' + part]:,} {part}" for part in parts)
    rest = []
    if row["incidents_vanished"]:
        rest.append(f"{row['incidents_vanished']:,} vanished")
    if row["incidents_excluded"]:
        rest.append(f"{row['incidents_excluded']:,} closed as left out by now")
    if row["closings_waiting"]:
        rest.append(f"{row['closings_waiting']:,} closings wait for approval")
    if row["reversals_unmatched"]:
        rest.append(f"{row['reversals_unmatched']:,} reversals without an original")
    more = f"; {', '.join(rest)}" if rest else ""
    return f"{row['rows_read']:,} rows ({row['format']}) = {counts}{more}"


def options_of(settings: Settings) -> IntakeOptions:
    """How this home reads files."""
    groups = settings.intake.excluded_groups
    return IntakeOptions(
        now=now_utc(),
        key=settings.source_key(),
        zone=settings.area.timezone,
        extent=settings.area.extent,
        excluded_groups=DEFAULT_EXCLUDED_GROUPS if groups is None else frozenset(groups),
        exclude_domestic=settings.intake.exclude_domestic,
        mappings=tuple(load_mapping(path) for path in settings.intake.mappings),
    )


def take_in(lake: Lake, settings: Settings, path: Path, declaration: Declaration, stamp: Stamp) -> Taken:
    """Take in one landed file, in one transaction, and move it to `ingested` or, unreadable, to `set_aside`.

    A file that holds incidents erased before is not kept.
    """
    digest, size = file_hash(path), path.stat().st_size
    known = known_delivery(lake, digest)
    if known is not None and not _closings_to_approve(known, declaration):
        discarded = erased_since(lake, known)
        _leave(path, discarded)
        return Taken(known | {"file_name": path.name}, -1, again=True, discarded=discarded)
    options = options_of(settings)
    with _folder_of_parts(settings.cache) as folder:
        try:
            parts = read_into_parts(path, options, folder)
        except UnreadableDelivery as reason:
            noted = record_unreadable(lake, path.name, digest, size, str(reason), options.now, stamp)
            put_away(path, SET_ASIDE, str(reason))
            return Taken(noted.result.row, noted.snapshot_id)
        done = record_delivery(
            lake,
            ReadFile(path.name, digest, size, parts),
            _facts(settings, parts, declaration, options),
            stamp,
            declaration.complete_for,
            settings.forecast_parameters(),
        )
    _leave(path, done.result.holds_erased)
    return Taken(
        done.result.row, done.snapshot_id, done.result.again, done.result.holds_erased, notes_of(parts)
    )


@contextmanager
def _folder_of_parts(cache: Path) -> Iterator[Path]:
    """A folder for the parts of one file, gone afterwards; those that killed runs left behind go with it."""
    cache.mkdir(parents=True, exist_ok=True)
    clear_parts(cache, older_than=_LONGEST_RUN)
    with TemporaryDirectory(prefix=_PARTS, dir=cache) as folder:
        yield Path(folder)


def clear_parts(cache: Path, older_than: timedelta = timedelta(0)) -> None:
    """Delete the parts of files whose taking-in was killed."""
    before = time.time() - older_than.total_seconds()
    for folder in cache.glob(f"{_PARTS}*"):
        if folder.stat().st_mtime <= before:
            shutil.rmtree(folder, ignore_errors=True)


def _closings_to_approve(known: dict[str, Any], declaration: Declaration) -> bool:
    """Whether the same bytes come again to close what waited for an operator's word."""
    return declaration.closings_approved and known["closings_waiting"] > 0


def notes_of(read: DeliveryParts) -> tuple[str, ...]:
    """What is to be said of a file besides its counts: rows rejected, left out and noted, by code."""
    notes = [f"rejected, {reason}: {count:,}" for reason, count in sorted(read.reasons.items())]
    notes += [f"excluded, {code}: {count:,}" for code, count in sorted(read.excluded.items()) if count]
    notes += [f"noted, {code}: {count:,}" for code, count in sorted(read.marks.items()) if count]
    if months := read.month_only:
        notes.append(
            f"month only: {months:,} incidents are spread over their month; they support a map of a month, and say"
            " nothing about single days, hours or the order of days"
        )
    return tuple(notes)


def _leave(path: Path, discarded: bool) -> None:
    if discarded:
        path.unlink()
    else:
        put_away(path, INGESTED)


def preview(lake: Lake, settings: Settings, path: Path, declaration: Declaration) -> str:
    """What taking a file in would do, in words; nothing is written.

    Raises
    ------
    UnreadableDelivery
        When the file would be set aside.
    """
    require_file(path)
    digest, size = file_hash(path), path.stat().st_size
    known = known_delivery(lake, digest)
    if known is not None and not _closings_to_approve(known, declaration):
        return str(Taken(known, -1, again=True))
    options = options_of(settings)
    with TemporaryDirectory(prefix=_PARTS) as folder:
        parts = read_into_parts(path, options, Path(folder))
        file = ReadFile(path.name, digest, size, parts)
        row = compare_only(lake, file, _facts(settings, parts, declaration, options))
    return f"{path.name}: {described(row)}" + "".join(f"\n  {note}" for note in notes_of(parts))


@contextmanager
def dry_home(settings: Settings) -> Iterator[tuple[Lake, Settings]]:
    """The home's lake to compare with; where there is none yet, an empty one elsewhere, so that nothing is written."""
    if (settings.home / "source.key").exists():
        yield Lake(settings.warehouse, settings.data_path), settings
        return
    with TemporaryDirectory() as folder:
        home = Path(folder)
        lake = Lake(f"ducklake:sqlite:{home / 'catalog.sqlite'}", str(home / "data"))
        yield lake, settings.model_copy(update={"home": home})
        lake.close()


def _facts(
    settings: Settings, read: DeliveryParts, declaration: Declaration, options: IntakeOptions
) -> FactsOf:
    rules = settings.intake.of_source(read.source)

    def facts(delivery_seq: int, source_is_new: bool) -> DeliveryFacts:
        complete = None
        if declaration.complete_for is not None:
            first, last = declaration.complete_for
            complete = Completeness.of_days(first, last, settings.area.timezone, settings.area.day_start)
        return DeliveryFacts(
            delivery_seq=delivery_seq,
            source=read.source,
            delivered_at=options.now,
            zone=options.zone,
            knowledge="published" if declaration.published_at else rules.knowledge,
            published_at=declaration.published_at,
            first_load=source_is_new or declaration.history,
            assumed_lag=rules.first_load_lag,
            complete_for=complete,
            closing_limit=settings.intake.closing_limit,
            closing_approved=declaration.closings_approved,
        )

    return facts

"""Which runs are alive, and the end of those that are not.

A killed process says nothing: its run would stay "started" and keep its place in the pool of writers for ever.
So each run holds a lock of the operating system, which ends with its process however that ends. A started run
whose lock is free is over.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
from filelock import FileLock, Timeout

from hotspot_assets.settings import Settings
from hotspot_assets.warehouse.lake import Lake

_TO_LOCK_SECONDS = 1.0
"""A lock file younger than this may be one that its run is about to lock."""


def lake_of_run(settings: Settings) -> dg.ResourceDefinition:
    """The lake as every run gets it: with the lock that shows the run to be alive."""
    lake = Lake(settings.warehouse, settings.data_path)

    @dg.resource
    def held(context: dg.InitResourceContext) -> Iterator[Lake]:
        with _alive(settings, context.run.run_id) if context.run else contextlib.nullcontext():
            yield lake

    return held


def end_abandoned_runs(instance: dg.DagsterInstance, settings: Settings) -> list[str]:
    """Mark runs as failed, or canceled, whose process is gone, and free their places in the pools; returns their ids."""
    canceling = dg.DagsterRunStatus.CANCELING
    runs = instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED, canceling]))
    abandoned = [run for run in runs if _is_abandoned(_lock_file(settings, run.run_id))]
    for run in abandoned:
        end = instance.report_run_canceled if run.status is canceling else instance.report_run_failed
        end(run, "The process of this run ended without a word (killed, or no power).")
        instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
        _lock_file(settings, run.run_id).unlink(missing_ok=True)
    return [run.run_id for run in abandoned]


def _lock_file(settings: Settings, run_id: str) -> Path:
    return settings.dagster_home / "living_runs" / run_id


@contextlib.contextmanager
def _alive(settings: Settings, run_id: str) -> Iterator[None]:
    file = _lock_file(settings, run_id)
    file.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(file):
        yield
        with contextlib.suppress(PermissionError):  # Windows removes no open file
            file.unlink()
    file.unlink(missing_ok=True)


def _is_abandoned(file: Path) -> bool:
    """Whether a lock file is free, and still the one its run made: a run that ends removes it."""
    try:
        made = file.stat()
        if time.time() - made.st_mtime < _TO_LOCK_SECONDS:
            return False
        with FileLock(file, timeout=0):
            return file.stat().st_ino == made.st_ino
    except (Timeout, FileNotFoundError):
        return False

"""Progress of a long run in its log: done, rate, time left; and of a failed one, what it leaves."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import date
from typing import Any, Self

import dagster as dg

from hotspot_assets.defs.day_checks import DayCheck, day_checks, log_days
from hotspot_assets.defs.partitions import dates_of
from hotspot_assets.settings import Settings
from hotspot_assets.warehouse.lake import Lake

_EVERY_SECONDS = 5.0


class Progress:
    """Counts steps and logs them, at most every few seconds and at the end."""

    def __init__(self, log: dg.DagsterLogManager, total: int, unit: str) -> None:
        self._log, self._total, self._unit = log, total, unit
        self._done, self._rows = 0, 0
        self._start = self._last = time.monotonic()

    def step(self, rows: int) -> None:
        """One more step, with so many rows written."""
        self._done += 1
        self._rows += rows
        now = time.monotonic()
        if now - self._last < _EVERY_SECONDS and self._done < self._total:
            return
        self._last = now
        spent = max(now - self._start, 1e-9)
        left = spent / self._done * (self._total - self._done)
        self._log.info(
            f"{self._done} of {self._total} {self._unit}, {self._rows:,} rows, {self._rows / spent:,.0f} rows/s,"
            f" {left:.0f} s left"
        )


class WrittenDays:
    """The forecast dates of a run, and which of them are written: Dagster is told of those, however the run ends.

    Of a range that fails, the days it wrote are recorded as materialised, as they are, and checked; its log says
    which are left.
    """

    def __init__(self, context: dg.AssetExecutionContext, lake: Lake, settings: Settings, unit: str) -> None:
        self.days = dates_of(context)
        self._context, self._lake, self._settings = context, lake, settings
        self._progress = Progress(context.log, len(self.days), unit)
        self._written: dict[date, Mapping[str, Any]] = {}

    def wrote(self, day: date, rows: int, metadata: Mapping[str, Any]) -> None:
        """A day is written, with so many rows; `metadata` is what the UI shows of it."""
        self._written[day] = metadata
        self._progress.step(rows)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, failure: type[BaseException] | None, *_: object) -> None:
        if failure is None:
            for day, metadata in self._written.items():
                self._context.add_asset_metadata(metadata, partition_key=day.isoformat())
        else:
            self._record_what_stays()
            self._say_what_is_left()

    def _record_what_stays(self) -> None:
        asset = self._context.asset_key
        for day, metadata in self._written.items():
            event = dg.AssetMaterialization(asset, metadata=metadata, partition=day.isoformat())
            self._context.log_event(event)
        for check in day_checks(self._settings) if self._written else []:
            if check.asset == asset.to_user_string():
                self._look_at_what_stays(check)

    def _look_at_what_stays(self, check: DayCheck) -> None:
        try:
            findings = check.find(self._lake, list(self._written))
        except Exception as error:  # what failed the run may well fail this, and is not to be hidden by it
            self._context.log.error(f"The days that stay could not be checked for {check.name}: {error}")
        else:
            log_days(self._context, check.asset, check.name, findings)

    def _say_what_is_left(self) -> None:
        left = [day for day in self.days if day not in self._written]
        kept = f"{len(self._written)} of {len(self.days)} days are written and stay"
        if left:
            self._context.log.error(
                f"{kept}; left: {left[0]} to {left[-1]}, {len(left)} days. Run that range again."
            )

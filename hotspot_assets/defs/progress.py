"""Progress of a long run in its log: done, rate, time left; and of a failed one, what it leaves."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import date
from typing import Any, Self

import dagster as dg

from hotspot_assets.defs.partitions import dates_of

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

    Of a range that fails, the days it wrote are recorded as materialised, as they are, and its log says which are left.
    """

    def __init__(self, context: dg.AssetExecutionContext, unit: str) -> None:
        self.days = dates_of(context)
        self._context = context
        self._progress = Progress(context.log, len(self.days), unit)
        self._written: dict[str, Mapping[str, Any]] = {}

    def wrote(self, day: date, rows: int, metadata: Mapping[str, Any]) -> None:
        """A day is written, with so many rows; `metadata` is what the UI shows of it."""
        self._written[day.isoformat()] = metadata
        self._progress.step(rows)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, failure: type[BaseException] | None, *_: object) -> None:
        for day, metadata in self._written.items():
            if failure is None:
                self._context.add_asset_metadata(metadata, partition_key=day)
            else:
                asset = self._context.asset_key
                self._context.log_event(dg.AssetMaterialization(asset, metadata=metadata, partition=day))
        if failure is not None:
            self._say_what_is_left()

    def _say_what_is_left(self) -> None:
        left = [day for day in self.days if day.isoformat() not in self._written]
        kept = f"{len(self._written)} of {len(self.days)} days are written and stay"
        if left:
            self._context.log.error(
                f"{kept}; left: {left[0]} to {left[-1]}, {len(left)} days. Run that range again."
            )

"""Progress of a long run in its log: done, rate, time left; and of a failed one, what it leaves."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg

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


def keep_written(
    context: dg.AssetExecutionContext,
    asset: str,
    written: Mapping[str, Mapping[str, Any]],
    days: Sequence[str],
) -> None:
    """Of a range that fails: record the days it wrote as materialised, as they are, and say which are left."""
    for day, metadata in written.items():
        context.log_event(dg.AssetMaterialization(asset, metadata=metadata, partition=day))
    left = [day for day in days if day not in written]
    kept = f"{len(written)} of {len(days)} days are written and stay"
    if left:
        context.log.error(f"{kept}; left: {left[0]} to {left[-1]}, {len(left)} days. Run that range again.")

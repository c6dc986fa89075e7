"""How long the disk will last at the present growth.

Belongs here: counting a home's files. Not here: making room (`retention`).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from stat import S_ISREG

_LOOKED_BACK = timedelta(days=30)


@dataclass(frozen=True)
class DiskForecast:
    """Bytes of a home, what it has grown by a day lately, and what is free."""

    used: int
    grown_per_day: float
    free: int

    @property
    def days_left(self) -> float | None:
        """Days until the disk is full; None where nothing grew."""
        return self.free / self.grown_per_day if self.grown_per_day > 0 else None


def disk_forecast(home: Path, now: datetime) -> DiskForecast:
    """Count the files of a home; what was written in the last 30 days and is still there is its growth.

    A home younger than that has grown since its first file, over one day at least.
    """
    files = list(_files(home))
    since = now.timestamp() - _LOOKED_BACK.total_seconds()
    oldest = min((status.st_mtime for status in files), default=since)
    days = max((now.timestamp() - max(oldest, since)) / 86_400, 1.0)
    grown = sum(status.st_size for status in files if status.st_mtime >= since)
    return DiskForecast(sum(status.st_size for status in files), grown / days, shutil.disk_usage(home).free)


def _files(home: Path) -> Iterator[os.stat_result]:
    for path in home.rglob("*"):
        with suppress(FileNotFoundError):  # journals of databases come and go
            status = path.lstat()
            if S_ISREG(status.st_mode):
                yield status

"""A day's patrol areas as maps and files for people: for review, not for issue.

Belongs here: gathering what a day's files need and writing them under `outputs/<date>/`. Not here: drawing
(patrol).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from hotspot_assets.settings import Settings
from hotspot_assets.warehouse.lake import Lake


@dataclass(frozen=True)
class DayFiles:
    """What was written for a day."""

    date: date
    folder: Path
    paths: tuple[Path, ...]
    map_png: bytes | None


def write_briefings(lake: Lake, settings: Settings, first: date, last: date) -> Iterator[DayFiles]:
    """Write the files of each day first..last."""
    yield DayFiles(first, settings.outputs, (), None)

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hotspot_assets.workflow.disk import DiskForecast, disk_forecast

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def file(folder: Path, name: str, size: int, days_old: float) -> None:
    path = folder / name
    path.write_bytes(b"x" * size)
    moment = (NOW - timedelta(days=days_old)).timestamp()
    os.utime(path, (moment, moment))


def test_growth_is_what_the_last_thirty_days_brought(tmp_path: Path) -> None:
    file(tmp_path, "old", 5_000, 90)
    file(tmp_path, "new", 600, 10)
    file(tmp_path, "newer", 300, 1)
    found = disk_forecast(tmp_path, NOW)
    assert found.used == 5_900
    assert found.grown_per_day == pytest.approx(30.0)
    assert found.days_left == pytest.approx(found.free / 30.0)


def test_files_that_vanish_while_they_are_counted_are_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Journals of databases do, beside a run; folders count nothing themselves."""
    file(tmp_path, "new", 600, 10)
    (tmp_path / "folder").mkdir()
    file(tmp_path, "index.db-wal", 50, 1)
    looked_at = Path.lstat

    def vanished(path: Path) -> os.stat_result:
        if path.name == "index.db-wal":  # between being listed and being looked at
            path.unlink()
        return looked_at(path)

    monkeypatch.setattr(Path, "lstat", vanished)
    assert disk_forecast(tmp_path, NOW).used == 600


def test_a_young_home_has_grown_since_its_first_file(tmp_path: Path) -> None:
    file(tmp_path, "first", 1_000, 4)
    assert disk_forecast(tmp_path, NOW).grown_per_day == pytest.approx(250.0)


def test_where_nothing_grows_the_disk_lasts() -> None:
    assert DiskForecast(1_000, 0.0, 5).days_left is None

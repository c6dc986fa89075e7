"""A terminal for tests: commands typed in this process, what they said, and small deliveries to type about."""

from __future__ import annotations

import hashlib
import sys
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from hotspot_assets import cli
from hotspot_assets.settings import load_settings
from hotspot_assets.warehouse.lake import Lake

FIRST, DAYS = date(2024, 1, 1), 60
HEADER = "reference,offence_code,occurred_from,latitude,longitude"


@dataclass(frozen=True)
class Ended:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str

    @property
    def complaint(self) -> str:
        """The last line on stderr: the one that a person reads."""
        return self.err.strip().splitlines()[-1] if self.err.strip() else ""


class Terminal:
    """A terminal with one home."""

    def __init__(
        self, home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.home = home
        self._capsys, self._monkeypatch = capsys, monkeypatch
        for name in ("HOTSPOT_SETTINGS", "HOTSPOT_WAREHOUSE", "HOTSPOT_DATA_PATH", "DAGSTER_HOME"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("HOTSPOT_HOME", str(home))

    def type(self, *words: str | Path) -> Ended:
        """Run `hotspot WORDS`."""
        self._monkeypatch.setattr(sys, "argv", ["hotspot", *map(str, words)])
        self._capsys.readouterr()
        code = 0
        try:
            cli.main()
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 1
        said = self._capsys.readouterr()
        return Ended(code, said.out, said.err)

    def set(self, name: str, value: str) -> None:
        self._monkeypatch.setenv(name, value)

    @property
    def lake(self) -> Lake:
        settings = load_settings()
        return Lake(settings.warehouse, settings.data_path)


def delivery(path: Path, rows: list[str]) -> Path:
    path.write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
    return path


def some_rows(first: date = FIRST, days: int = DAYS) -> list[str]:
    """Three burglaries a day, at places that move a little."""
    moments = [
        datetime.combine(first, datetime.min.time()) + timedelta(hours=8 * each) for each in range(3 * days)
    ]
    places = [(51.5 + number % 7 * 0.004, -0.1 - number % 5 * 0.004) for number in range(len(moments))]
    return [
        f"r{moment:%y%m%d%H},burglary,{moment.isoformat()},{latitude:.4f},{longitude:.4f}"
        for moment, (latitude, longitude) in zip(moments, places, strict=True)
    ]


def assert_clear(ended: Ended, *words: str) -> None:
    """One line that says what is wrong, a code other than 0, and no traceback."""
    assert ended.code not in (0, None)
    assert "Traceback" not in ended.out + ended.err
    complaint = ended.complaint
    assert complaint.startswith(("hotspot: ", "Error: ")), ended.err[-500:]
    if complaint.startswith("hotspot: "):
        assert ended.err.strip() == complaint, "more than one line"
    assert len(complaint) < 500
    for word in words:
        assert word in complaint, complaint


def contents(folder: Path) -> dict[str, str]:
    """Every file of a folder with a hash of its bytes; the catalog's own working files left out."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.endswith(("-wal", "-shm"))
    }

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hotspot_assets.settings import Settings, load_settings

SettingsOf = Callable[[str], Settings]
CONTRACT_HEADER = "reference,offence_code,occurred_from,latitude,longitude\n"


@pytest.fixture
def settings_of(tmp_path: Path) -> SettingsOf:
    """Settings of a new home with this settings file."""

    def make(text: str = "") -> Settings:
        (tmp_path / "settings.toml").write_text(text, encoding="utf-8")
        return load_settings({"HOTSPOT_HOME": str(tmp_path)})

    return make


def drop(settings: Settings, name: str, content: str, age_seconds: float = 60) -> Path:
    """A file in the landing folder, last written to so long ago."""
    settings.landing.mkdir(parents=True, exist_ok=True)
    path = settings.landing / name
    path.write_text(content, encoding="utf-8")
    written = datetime.now(UTC).timestamp() - age_seconds
    os.utime(path, (written, written))
    return path


def incidents(*references: str) -> str:
    """A delivery in the project's own format: burglaries at one place."""
    return CONTRACT_HEADER + "".join(
        f"{each},burglary,2020-01-02T03:04:05,51.5,-0.1\n" for each in references
    )

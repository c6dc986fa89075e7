"""One home for all end-to-end tests: the main job on the fictional city, run once through Dagster."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from hotspot_assets.settings import Settings, load_settings
from hotspot_assets.warehouse.lake import Lake

DAYS = 4
ON_DEMAND = {"explanations", "grid250_daily", "issued_sheets", "withdrawals", "patrol_dosage", "lake_upkeep"}
"""Assets that wait for somebody: who asks for them, takes an issue back, brings visits from patrol; or for the night."""


@dataclass(frozen=True)
class Home:
    """A home in which the main job has run, with what it said."""

    settings: Settings
    said: tuple[str, ...]

    @property
    def lake(self) -> Lake:
        return Lake(self.settings.warehouse, self.settings.data_path)


def settings_in(path: Path) -> Settings:
    return load_settings({"HOTSPOT_HOME": str(path)})


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    from hotspot_assets.defs.main_job import run_main_job

    path = tmp_path_factory.mktemp("home")
    before = dict(os.environ)
    os.environ["HOTSPOT_HOME"] = str(path)
    for name in ("HOTSPOT_SETTINGS", "HOTSPOT_WAREHOUSE", "HOTSPOT_DATA_PATH"):
        os.environ.pop(name, None)
    said: list[str] = []
    try:
        run_main_job(settings_in(path), days=DAYS, port=3000, say=said.append)
        yield Home(settings_in(path), tuple(said))
    finally:
        os.environ.clear()
        os.environ.update(before)


@pytest.fixture
def copy_of_home(home: Home, tmp_path: Path) -> Home:
    """A copy of the home that a test may change: lake, settings and city, without Dagster's history."""
    path = tmp_path / "home"
    shutil.copytree(home.settings.home, path, ignore=shutil.ignore_patterns("dagster", "outputs"))
    return Home(settings_in(path), home.said)

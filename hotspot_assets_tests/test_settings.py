"""Settings: where they come from, and what is said when they cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from hotspot_assets.settings import PROJECT_ROOT, SettingsError, load_settings


def home_with(tmp_path: Path, text: str) -> dict[str, str]:
    (tmp_path / "settings.toml").write_text(text, encoding="utf-8")
    return {"HOTSPOT_HOME": str(tmp_path)}


def test_everything_lies_under_the_home_by_default() -> None:
    settings = load_settings({})
    assert settings.home == PROJECT_ROOT / "data"
    assert settings.warehouse == f"ducklake:sqlite:{PROJECT_ROOT / 'data' / 'lake' / 'catalog.sqlite'}"
    assert settings.data_path == str(PROJECT_ROOT / "data" / "lake" / "data")


def test_the_environment_goes_before_the_file(tmp_path: Path) -> None:
    env = home_with(tmp_path, 'warehouse = "ducklake:postgres:dbname=a"\n[area]\nname = "Atlantis"\n')
    assert load_settings(env).warehouse == "ducklake:postgres:dbname=a"
    assert load_settings(env).area.name == "Atlantis"
    other = "ducklake:postgres:dbname=b"
    assert load_settings({**env, "HOTSPOT_WAREHOUSE": other}).warehouse == other


def test_paths_in_the_file_are_relative_to_it(tmp_path: Path) -> None:
    env = home_with(tmp_path, '[area]\nboundary = "wards.geojson"\n')
    assert load_settings(env).area.boundary == tmp_path / "wards.geojson"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[forecast]\nmodle = 'kde'\n", "forecast.modle"),
        ("[area]\ntimezone = 'London'\n", "IANA"),
        ("[area]\nextent = [52, 0, 51, 1]\n", "south < north"),
        ("[grid]\nresolution = 16\n", "grid.resolution"),
        ("[forecast]\nfirst_date = 2014-05-02\n", "first of a month"),
        ("[forecast]\ngroups = ['theft', 'arson', 'theft']\n", "groups names theft more than once"),
        ("not toml", "cannot be read"),
        ("home = '/elsewhere'\n", "HOTSPOT_HOME"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        load_settings(home_with(tmp_path, text))


def test_a_profile_that_does_not_exist_lists_those_that_do(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="chicago_reproduction"):
        load_settings({"HOTSPOT_HOME": str(tmp_path), "HOTSPOT_SETTINGS": "nowhere"})


def test_the_hash_changes_with_what_can_change_a_forecast_and_with_nothing_else(tmp_path: Path) -> None:
    base = load_settings(home_with(tmp_path, ""))
    renamed = load_settings(
        home_with(tmp_path, "[area]\nname = 'x'\n[forecast]\nbatch_days = 7\n[patrol]\nareas = 9\n")
    )
    later = load_settings(home_with(tmp_path, "[forecast]\ncut_off = 06:00:00\n"))
    assert base.settings_hash() == renamed.settings_hash() != later.settings_hash()


def test_the_source_key_is_made_once_and_lies_outside_the_lake(tmp_path: Path) -> None:
    settings = load_settings({"HOTSPOT_HOME": str(tmp_path)})
    assert settings.source_key() == settings.source_key()
    assert len(settings.source_key()) == 64
    assert not (tmp_path / "lake").exists()

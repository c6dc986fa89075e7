"""One typed settings object, from a file and the environment.

Belongs here: where settings come from, and what follows from them alone. Another city, another machine or
another catalog differ by settings and by nothing else. Not here: the choices themselves (`settings_sections`),
anything computed from the data, and secrets (the source key lives in a file of its own, see
`Settings.source_key`).

Order of precedence: environment (`HOTSPOT_HOME`, `HOTSPOT_SETTINGS`, `HOTSPOT_WAREHOUSE`,
`HOTSPOT_DATA_PATH`), then the settings file, then the defaults.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import tomllib
from collections.abc import Mapping
from pathlib import Path

from pydantic import Field, ValidationError

from hotspot_assets.errors import UserError
from hotspot_assets.settings_sections import (
    AreaSettings,
    ForecastSettings,
    GridSettings,
    IntakeSettings,
    PatrolSettings,
    RetentionSettings,
    Section,
    TrialSettings,
)

PROJECT_ROOT = Path(__file__).resolve().parents[1]
PROFILES = Path(__file__).resolve().parent / "profiles"


class SettingsError(UserError):
    """A settings file or an environment variable that cannot be used."""


_INTAKE_PARAMETERS = {
    "excluded_groups", "exclude_domestic", "longest_span_days", "longest_span_days_of_group",
}  # fmt: skip
"""What of intake can change a forecast."""


class Settings(Section):
    """All settings of one installation; see the module for where they come from."""

    home: Path
    from_file: Path | None = Field(None, description="The settings file in force; none: defaults.")
    warehouse: str
    data_path: str
    area: AreaSettings = AreaSettings()
    grid: GridSettings = GridSettings()
    intake: IntakeSettings = IntakeSettings()
    forecast: ForecastSettings = ForecastSettings()
    patrol: PatrolSettings = PatrolSettings()
    trial: TrialSettings = TrialSettings()
    retention: RetentionSettings = RetentionSettings()

    @property
    def landing(self) -> Path:
        """Folder into which deliveries are dropped."""
        return self.home / "landing"

    @property
    def outputs(self) -> Path:
        """Folder of maps, sheets and exports, one folder a day."""
        return self.home / "outputs"

    @property
    def visits(self) -> Path:
        """Folder into which files of visits are dropped."""
        return self.home / "visits"

    @property
    def cache(self) -> Path:
        """Folder of what can be computed again: neighbour matrices."""
        return self.home / "cache"

    @property
    def dagster_home(self) -> Path:
        """Dagster's own home: runs, events, schedules."""
        return self.home / "dagster"

    def forecast_parameters(self) -> str:
        """Every setting that can change a forecast, as JSON: what the ledger keeps of the settings in force."""
        relevant = {
            "area": self.area.model_dump(mode="json", exclude={"name", "units", "unit_name_field"}),
            "grid": self.grid.model_dump(mode="json"),
            "intake": self.intake.model_dump(mode="json", include=_INTAKE_PARAMETERS),
            "forecast": self.forecast.model_dump(
                mode="json", exclude={"run_at", "batch_days", "complete_after_days"}
            ),
        }
        if self.area.boundary is not None:
            relevant["area"]["boundary"] = _file_hash(self.area.boundary)
        return json.dumps(relevant, sort_keys=True)

    def settings_hash(self) -> str:
        """Hash of `forecast_parameters` (16 hex digits); part of each forecast's header."""
        return hashlib.sha256(self.forecast_parameters().encode()).hexdigest()[:16]

    def source_key(self) -> bytes:
        """Secret key of the incident keys: a file in the home, outside the lake, made once.

        Whoever holds it can test whether a known crime reference is in the lake; deleting it severs the
        incident keys from the force's references for good.
        """
        path = self.home / "source.key"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                with path.open("x", encoding="ascii") as file:
                    file.write(secrets.token_hex(32))
                path.chmod(0o600)
            except FileExistsError:
                pass
        return path.read_text(encoding="ascii").strip().encode()


def _file_hash(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise SettingsError(
            f"Boundary file {path} cannot be read ({error.strerror}); correct `area.boundary`."
        ) from error


def _settings_file(home: Path, environ: Mapping[str, str]) -> Path | None:
    """The file in force: `HOTSPOT_SETTINGS` (a path or a shipped profile's name), else the home's own."""
    named = environ.get("HOTSPOT_SETTINGS")
    if not named:
        own = home / "settings.toml"
        return own if own.exists() else None
    for candidate in (Path(named), PROFILES / f"{named}.toml"):
        if candidate.is_file():
            return candidate
    shipped = ", ".join(sorted(path.stem for path in PROFILES.glob("*.toml")))
    raise SettingsError(f"HOTSPOT_SETTINGS={named!r} is neither a file nor a shipped profile ({shipped}).")


def _read_toml(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"Settings file {path} cannot be read: {error}") from error


def _relative_to(folder: Path, values: dict[str, object]) -> None:
    """Resolve the paths of a settings file against its folder, so that a home can be moved as a whole."""

    def resolved(path: object) -> object:
        return str((folder / path).resolve()) if isinstance(path, str) else path

    files = {"area": ("boundary", "units"), "patrol": ("exclusions", "places", "streets")}
    for section, names in files.items():
        held = values.get(section)
        if isinstance(held, dict):
            held.update({name: resolved(held[name]) for name in names if name in held})
    intake = values.get("intake")
    if isinstance(intake, dict) and isinstance(intake.get("mappings"), list):
        intake["mappings"] = [resolved(path) for path in intake["mappings"]]


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings in force.

    Raises
    ------
    SettingsError
        Naming the file and the setting that cannot be used.
    """
    env = os.environ if environ is None else environ
    home = Path(env.get("HOTSPOT_HOME") or PROJECT_ROOT / "data").expanduser().resolve()
    file = _settings_file(home, env)
    values = _read_toml(file) if file else {}
    if file:
        _relative_to(file.resolve().parent, values)
    if "home" in values:
        raise SettingsError(f"Settings file {file}: `home` is set by HOTSPOT_HOME, not in the file.")
    values["home"], values["from_file"] = home, file
    values["warehouse"] = (
        env.get("HOTSPOT_WAREHOUSE")
        or values.get("warehouse")
        or f"ducklake:sqlite:{home / 'lake' / 'catalog.sqlite'}"
    )
    values["data_path"] = (
        env.get("HOTSPOT_DATA_PATH") or values.get("data_path") or str(home / "lake" / "data")
    )
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
        raise SettingsError(f"Settings ({file or 'environment'}): {faults}") from error

"""One typed settings object, from a file and the environment.

Belongs here: every choice an installation may make, with its default and its bounds. Another city, another
machine or another catalog differ by what stands here and by nothing else. Not here: anything computed from
the data, and secrets (the source key lives in a file of its own, see `Settings.source_key`).

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
from datetime import date, time, timedelta
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from hotspot_assets.errors import UserError

PROJECT_ROOT = Path(__file__).resolve().parents[1]
PROFILES = Path(__file__).resolve().parent / "profiles"


class SettingsError(UserError):
    """A settings file or an environment variable that cannot be used."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _known_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(f"{name!r} is no IANA time zone; write it as in 'Europe/London'")
    return name


class AreaSettings(_Section):
    """The place: what it is called, where it ends, which clock it lives by."""

    name: str = "the study area"
    synthetic: bool = Field(False, description="A fictional place: SYNTHETIC stands on every map and page.")
    timezone: Annotated[str, AfterValidator(_known_zone)] = "Europe/London"
    day_start: time = Field(
        time(0), description="Local time at which the operational day begins; fixed per home."
    )
    boundary: Path | None = Field(
        None, description="Boundary file of the study area; none: taken from incidents."
    )
    units: Path | None = Field(
        None, description="Boundary file of the patrol units (wards, beats, boroughs)."
    )
    unit_name_field: str | None = Field(None, description="Field of the units file that holds their names.")
    extent: tuple[float, float, float, float] | None = Field(
        None, description="South, west, north, east in degrees: coordinates outside are rejected."
    )
    as_of: date | None = Field(
        None,
        description="With no boundary, the study area is where incidents before this date lay; none: before"
        " the month of each forecast.",
    )

    @model_validator(mode="after")
    def _extent_in_order(self) -> AreaSettings:
        if self.extent is not None:
            south, west, north, east = self.extent
            if not (-90 <= south < north <= 90 and -180 <= west < east <= 180):
                raise ValueError(
                    "extent must be south, west, north, east in degrees, south < north, west < east"
                )
        return self


class GridSettings(_Section):
    """The hexagons."""

    resolution: int = Field(10, ge=5, le=12, description="H3 resolution; a home keeps one.")


class SourceSettings(_Section):
    """When a source is taken to have known what it delivers."""

    knowledge: Literal["delivered", "recorded"] = Field(
        "delivered", description="Whose clock dates a later version: ours, or the source's recording time."
    )
    first_load_lag_days: float = Field(
        0.0, ge=0, le=365, description="Assumed days from occurrence to knowledge in the first load only."
    )

    @property
    def first_load_lag(self) -> timedelta:
        """`first_load_lag_days` as a span of time."""
        return timedelta(days=self.first_load_lag_days)


class IntakeSettings(_Section):
    """What is taken in, and what is left out."""

    excluded_groups: tuple[str, ...] | None = Field(
        None, description="Offence groups left out; none: the default of the data contract."
    )
    exclude_domestic: bool = True
    source: SourceSettings = SourceSettings()
    sources: dict[str, SourceSettings] = Field(
        default_factory=dict, description="Per source, where it differs."
    )
    mappings: tuple[Path, ...] = Field(
        (), description="Mapping files (TOML) that describe further CSV layouts."
    )
    settle_seconds: float = Field(
        10.0, ge=0, description="A landing file is taken once unchanged for this long."
    )
    silence_days: int = Field(2, ge=0, description="A source silent for longer is reported as missing.")
    keep_delivered_days: int = Field(30, ge=0, description="Days for which delivered files are kept.")
    longest_span_days: int = Field(31, ge=1, description="From/to ranges longer than this are not bucketed.")
    longest_span_days_of_group: dict[str, Annotated[int, Field(ge=1)]] = Field(
        default_factory=dict, description="Per offence group, where it differs."
    )
    closing_limit: float = Field(
        0.05, ge=0, le=1, description="Vanished share of a period above which closing waits for an operator."
    )

    def of_source(self, source: str) -> SourceSettings:
        """Settings of one source: its own, or the common ones."""
        return self.sources.get(source, self.source)


class ForecastSettings(_Section):
    """What is forecast, when, from which model."""

    model: str = "learned"
    groups: tuple[str, ...] = Field(
        ("burglary", "robbery", "theft", "vehicle_theft", "violence"),
        min_length=1,
        description="Offence groups to forecast.",
    )
    learn_from: tuple[str, ...] | None = Field(
        None, description="Offence groups that fits may learn from besides; none: all that are taken in."
    )
    first_date: date = Field(date(2010, 1, 1), description="First day that can be forecast: a month's first.")
    cut_off: time = Field(time(5), description="Local time up to which a forecast may know anything.")
    cut_off_days_before: int = Field(0, ge=0, le=1, description="1: the cut-off lies on the day before.")
    run_at: time = Field(time(5, 15), description="Local time of the daily run.")
    complete_after_days: int = Field(
        1, ge=0, description="Days after which a day's incidents count as known."
    )
    least_history_days: int = Field(28, ge=1, description="Below this much history no forecast is made.")
    least_incidents: int = Field(30, ge=1, description="Below this many known incidents no forecast is made.")
    batch_days: int = Field(31, ge=1, description="Days one backfill run takes at a time.")

    @model_validator(mode="after")
    def _anchored(self) -> ForecastSettings:
        if self.first_date.day != 1:
            raise ValueError("first_date must be the first of a month, as scores are computed from there")
        return self


class ShiftSettings(_Section):
    """A part of the day, in local time; one that ends at or before its start ends on the next day."""

    name: str = Field(min_length=1)
    start: time
    end: time


class OwnBudget(_Section):
    """Where one unit, one shift, or one unit in one shift has limits of its own; what is not set stays."""

    unit: str | None = Field(None, description="Unit it holds for; none: all of them.")
    shift: str | None = Field(None, description="Shift it holds for; none: all of them.")
    budget_km2: float | None = Field(None, gt=0)
    budget_share: float | None = Field(None, gt=0, le=1)
    areas: int | None = Field(None, ge=1)
    officer_minutes: int | None = Field(None, ge=1)
    visits: int | None = Field(None, ge=1)
    max_radius_m: float | None = Field(None, gt=0)
    min_separation_m: float | None = Field(None, ge=0)


class PatrolSettings(_Section):
    """What can be patrolled."""

    budget_km2: float | None = Field(None, gt=0, description="Area per unit, offence group and shift.")
    budget_share: float = Field(
        0.01, gt=0, le=1, description="Where budget_km2 is not set: share of the unit, one cell at least."
    )
    areas: int = Field(5, ge=1, description="At most so many areas per unit, offence group and shift.")
    officer_minutes: int | None = Field(
        None, ge=1, description="Minutes per unit, offence group and shift; they limit the number of areas."
    )
    visits: int = Field(2, ge=1, description="Visits to each area in a shift, of 15 minutes each.")
    max_radius_m: float = Field(400.0, gt=0, description="No cell of an area lies further from its centre.")
    min_separation_m: float = Field(0.0, ge=0, description="Least distance between two areas.")
    pooled: bool = Field(
        False, description="One budget for all units together, spent where most is expected."
    )
    union_share: float = Field(
        0.1,
        gt=0,
        le=1,
        description="Most of a unit that all offence groups together may take, one cell at least.",
    )
    own: tuple[OwnBudget, ...] = Field((), description="Limits of single units and shifts; later ones win.")
    shifts: tuple[ShiftSettings, ...] = Field(
        (), description="Parts of the day, one after the other around the clock; none: the whole day."
    )
    exclusions: Path | None = Field(
        None, description="Layer of ground not patrolled: polygons with reason, valid_from, valid_to."
    )
    places: Path | None = Field(None, description="Layer of named places, to call areas by.")
    streets: Path | None = Field(None, description="Layer of lines drawn on the sheets.")
    sheets: bool = Field(True, description="Write a sheet for each unit and shift of the newest day.")
    pdf: bool = Field(True, description="Write the sheets of a shift as one PDF, too.")

    @model_validator(mode="after")
    def _fit_together(self) -> PatrolSettings:
        from hotspot_assets.patrol.shifts import Shift, ShiftError, check_shifts

        if self.shifts:
            try:
                check_shifts([Shift(each.name, each.start, each.end) for each in self.shifts])
            except ShiftError as error:
                raise ValueError(str(error)) from error
        named = {each.shift for each in self.own if each.shift is not None}
        unknown = named - {each.name for each in self.shifts}
        if unknown:
            raise ValueError(f"own: there is no shift named {', '.join(sorted(unknown))}")
        if self.pooled and any(each.unit is not None for each in self.own):
            raise ValueError("own: with one pooled budget, no unit has limits of its own")
        return self


class TrialSettings(_Section):
    """Which models are judged side by side."""

    models: tuple[str, ...] = Field(
        (
            "count_28",
            "count_365",
            "count_all",
            "kde",
            "promap",
            "exponential",
            "etas",
            "learned",
        ),
        description="Models judged every day beside the one that forecasts; boosting takes minutes a day.",
    )
    squares_crs: str | None = Field(
        None, description="Coordinate system of the 250 m squares, such as EPSG:27700; none: the UTM zone."
    )
    stale_days_per_tick: int = Field(
        62, ge=1, description="Changed days judged again at a time, oldest first."
    )


RetainedTable = Literal[
    "incidents", "rejected_rows", "proximity_scores", "patrol_areas", "forecast_outcomes", "explanations"
]


class RetentionSettings(_Section):
    """How long things are kept. Headers of forecasts, what was issued and the ledger are always kept."""

    tables: dict[RetainedTable, Annotated[int, Field(ge=1)]] = Field(
        default_factory=dict,
        description="Days per table; a table not named is kept whole. Incidents count from their last possible"
        " day and are erased a whole month at a time, rejected rows count from their delivery and are emptied,"
        " the others count from the forecast date.",
    )
    snapshots_days: int = Field(
        30, ge=1, description="Days for which older states of the lake can be queried; no replay needs them."
    )


_INTAKE_PARAMETERS = {
    "excluded_groups", "exclude_domestic", "longest_span_days", "longest_span_days_of_group",
}  # fmt: skip
"""What of intake can change a forecast."""


class Settings(_Section):
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

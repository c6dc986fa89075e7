"""The sections of the settings: every choice an installation may make, with its default and its bounds.

Not here: where settings come from, and what is derived of them (`settings`).
"""

from __future__ import annotations

from datetime import date, time, timedelta
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator


class Section(BaseModel):
    """Settings that belong together; a name not known here is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _known_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(f"{name!r} is no IANA time zone; write it as in 'Europe/London'")
    return name


class AreaSettings(Section):
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


class GridSettings(Section):
    """The hexagons."""

    resolution: int = Field(10, ge=5, le=12, description="H3 resolution; a home keeps one.")


class SourceSettings(Section):
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


class IntakeSettings(Section):
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


class ForecastSettings(Section):
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
    def _each_group_once(self) -> ForecastSettings:
        if twice := sorted({group for group in self.groups if self.groups.count(group) > 1}):
            raise ValueError(f"groups names {', '.join(twice)} more than once; name each offence group once")
        return self

    @model_validator(mode="after")
    def _anchored(self) -> ForecastSettings:
        if self.first_date.day != 1:
            raise ValueError("first_date must be the first of a month, as scores are computed from there")
        return self


class ShiftSettings(Section):
    """A part of the day, in local time; one that ends at or before its start ends on the next day."""

    name: str = Field(min_length=1)
    start: time
    end: time


class OwnBudget(Section):
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


class PatrolSettings(Section):
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


class TrialSettings(Section):
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


class RetentionSettings(Section):
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

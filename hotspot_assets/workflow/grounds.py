"""The ground of a day and shift: units, exclusions in force, budgets, and what people call its places.

Belongs here: turning the settings of patrol into the ground that areas are chosen on. Not here: choosing them.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

import polars as pl

from hotspot_assets.hexgrid.study_areas import StudyArea
from hotspot_assets.patrol.areas import ALL_DAY
from hotspot_assets.patrol.budgets import Budget
from hotspot_assets.patrol.exclusions import excluded_cells, in_force, read_exclusions
from hotspot_assets.patrol.ground import NO_EXCLUSIONS, Ground, lay_ground, rings_needed
from hotspot_assets.patrol.layers import read_places
from hotspot_assets.patrol.shifts import Shift
from hotspot_assets.settings import Settings
from hotspot_assets.warehouse.lake import Lake
from hotspot_assets.workflow.study_area import kept_study_area, neighbours_of, units_of

if TYPE_CHECKING:
    import geopandas as gpd


def shifts_of(settings: Settings) -> list[Shift]:
    """The shifts of a day; where none are set, one that is the operational day."""
    start = settings.area.day_start
    named = [Shift(each.name, each.start, each.end) for each in settings.patrol.shifts]
    return named or [Shift(ALL_DAY, start, start)]


def budgets_of(settings: Settings, shift: str) -> tuple[Budget, dict[str, Budget]]:
    """The common budget of a shift, and those of the units that have their own."""
    rules = settings.patrol
    common = Budget(
        km2=rules.budget_km2,
        share=None if rules.budget_km2 is not None else rules.budget_share,
        areas=rules.areas,
        max_radius_m=rules.max_radius_m,
        min_separation_m=rules.min_separation_m,
        officer_minutes=rules.officer_minutes,
        visits=rules.visits,
        pooled=rules.pooled,
    )
    units = sorted({each.unit for each in rules.own if each.unit is not None})
    own = {unit: _with_own(common, settings, unit, shift) for unit in units}
    return _with_own(common, settings, None, shift), own


def _with_own(budget: Budget, settings: Settings, unit: str | None, shift: str) -> Budget:
    """The budget with the limits set for the unit and the shift, later ones last."""
    for rule in settings.patrol.own:
        if rule.unit in {None, unit} and rule.shift in {None, shift}:
            limits = rule.model_dump(exclude={"unit", "shift"}, exclude_none=True)
            names = {"budget_km2": "km2", "budget_share": "share"}
            if "budget_km2" in limits:
                limits.setdefault("budget_share", None)
            elif "budget_share" in limits:
                limits["budget_km2"] = None
            budget = replace(budget, **{names.get(name, name): value for name, value in limits.items()})
    return budget


class Grounds:
    """Grounds by study area, day and shift; each is laid out once, as most days and shifts share one.

    Those of one study area only are held: they are large, and a year has twelve.
    """

    def __init__(self, lake: Lake, settings: Settings) -> None:
        self._lake, self._settings = lake, settings
        self._areas: dict[str, StudyArea] = {}
        self._grounds: dict[tuple[object, ...], Ground] = {}
        self._excluded: dict[tuple[object, ...], pl.DataFrame] = {}

    def of(self, study_area_id: str, day: date, shift: str) -> Ground:
        """The ground of a shift."""
        common, own = budgets_of(self._settings, shift)
        key = (study_area_id, self._in_force(day), common, tuple(own.items()))
        if key not in self._grounds:
            area = self.area(study_area_id)
            rings = max(rings_needed(area, each) for each in (common, *own.values()))
            near = neighbours_of(self._settings, area, rings)
            units = units_of(self._lake, self._settings, area)
            self._grounds[key] = lay_ground(area, near, common, units, self.excluded(study_area_id, day), own)
        return self._grounds[key]

    def area(self, study_area_id: str) -> StudyArea:
        """A kept study area; what is held of another is let go."""
        if study_area_id not in self._areas:
            for held in (self._areas, self._grounds, self._excluded):
                held.clear()
            self._areas[study_area_id] = kept_study_area(self._lake, study_area_id)
        return self._areas[study_area_id]

    def excluded(self, study_area_id: str, day: date) -> pl.DataFrame:
        """Cells not patrolled on a day: cell, reason."""
        if self._layer is None:
            return NO_EXCLUSIONS
        key = (study_area_id, self._in_force(day))
        if key not in self._excluded:
            self._excluded[key] = excluded_cells(self._layer, self.area(study_area_id), day)
        return self._excluded[key]

    def _in_force(self, day: date) -> tuple[bool, ...]:
        return () if self._layer is None else in_force(self._layer, day)

    @cached_property
    def _layer(self) -> gpd.GeoDataFrame | None:
        path = self._settings.patrol.exclusions
        return None if path is None else read_exclusions(path)

    @cached_property
    def places(self) -> pl.DataFrame | None:
        """Named places to call areas by: name, latitude, longitude."""
        path = self._settings.patrol.places
        return None if path is None else read_places(path)

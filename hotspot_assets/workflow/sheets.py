"""Briefing sheets of a day: drafts for review, and the sheets of lists that a person approved.

Belongs here: gathering what stands on a sheet, writing its files, and marking those that a newer forecast
overtook. Not here: how a sheet looks (patrol), and issuing: `write_issued` prints what stands in the table.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from hotspot_assets.errors import UserError
from hotspot_assets.patrol.briefing import list_of, overtaken_html, sheet_html
from hotspot_assets.patrol.briefing_pdf import sheets_pdf
from hotspot_assets.patrol.drawing import Shading, shading_of
from hotspot_assets.patrol.ground import Ground, exclusion_effect
from hotspot_assets.patrol.layers import read_streets
from hotspot_assets.patrol.review import list_hash
from hotspot_assets.patrol.sheet_map import SheetMap, sheet_map
from hotspot_assets.patrol.sheets import Approval, Sheet, local
from hotspot_assets.patrol.shifts import Shift, hour_strip, shift_times
from hotspot_assets.settings import Settings
from hotspot_assets.warehouse.forecasts import headers_of, scores_between
from hotspot_assets.warehouse.lake import Lake
from hotspot_assets.warehouse.reads import caught_by_rank, has_issued_areas, issued_areas
from hotspot_assets.workflow.files import file_name, why_path, write_whole
from hotspot_assets.workflow.grounds import Grounds, shifts_of
from hotspot_assets.workflow.hours import hour_profile_of
from hotspot_assets.workflow.outcomes import last_known_day
from hotspot_assets.workflow.study_area import unit_boundaries

if TYPE_CHECKING:
    import geopandas as gpd

DRAFTS, ISSUED, SUPERSEDED = "sheets", "issued", "superseded"
"""Folders under `outputs/<date>/`, and under `sheets/`."""

TRACK_DAYS = 90
"""Days before the forecast date that make the track record, as far as their areas are in the lake."""


class SheetError(UserError):
    """A list of areas that no sheet can be made of."""


def write_drafts(lake: Lake, settings: Settings, day: date, areas: pl.DataFrame) -> list[Path]:
    """Write the draft sheets of a day: `sheets/<shift>/<unit>.html`, and `sheets/<shift>.pdf` for all units.

    `areas` are its rows of `patrol_areas`. Drafts of other lists that lie there move to `sheets/superseded`, and
    say by which forecast.

    Raises
    ------
    SheetError
        When nothing was forecast for the day, or the settings know the shift no more.
    """
    if areas.is_empty():
        return []
    facts = _Facts(lake, settings, day)
    folder = settings.outputs / day.isoformat() / DRAFTS
    _put_aside(folder, areas, facts.newest)
    paths = []
    for (shift,), of_shift in areas.sort("shift", "unit").group_by("shift", maintain_order=True):
        sheets = [_drawn(facts.sheet(each)) for each in of_shift.partition_by("unit", maintain_order=True)]
        name = file_name(str(shift))
        paths += [
            write_whole(folder / name / f"{file_name(each.unit)}.html", sheet_html(each, drawing).encode())
            for each, drawing in sheets
        ]
        if settings.patrol.pdf:
            paths.append(write_whole(folder / f"{name}.pdf", sheets_pdf(sheets)))
    return paths


def _drawn(sheet: Sheet) -> tuple[Sheet, SheetMap]:
    """A sheet with its map, which page and paper share."""
    return sheet, sheet_map(sheet)


def _put_aside(folder: Path, areas: pl.DataFrame, by: str) -> None:
    """Move drafts of other lists than these aside, marked; PDFs cannot be marked and go."""
    drafts = sorted(folder.glob("*/*.html"))
    if not drafts:
        return
    lists = {
        (file_name(str(shift)), file_name(str(unit))): list_hash(rows)
        for (shift, unit), rows in areas.group_by("shift", "unit")
    }
    for path in drafts:
        page, shift = path.read_text(encoding="utf-8"), path.parent.name
        made_of = list_of(page)
        if shift == SUPERSEDED or made_of is None or made_of == lists.get((shift, path.stem)):
            continue
        aside = folder / SUPERSEDED / f"{shift}-{path.stem}-{made_of[:12]}.html"
        write_whole(aside, overtaken_html(page, "SUPERSEDED", f"Superseded by forecast {by}.").encode())
        path.unlink()
        (folder / f"{shift}.pdf").unlink(missing_ok=True)


def write_issued(lake: Lake, settings: Settings, day: date) -> list[Path]:
    """Write the sheets of what is issued for a day: `issued/<shift>/<unit>-<issue>.html`, and `.pdf`.

    What is there stays as it is, as an issue never changes; but a sheet whose issue was withdrawn, or rests on a
    forecast that has been made anew, says so from then on, and its PDF, which cannot, goes.

    Raises
    ------
    SheetError
        As `write_drafts`.
    """
    if not has_issued_areas(lake, day):
        return []
    issued, facts = issued_areas(lake, day), _Facts(lake, settings, day)
    paths = []
    for (issue_id,), areas in issued.group_by("issue_id", maintain_order=True):
        page = issued_path(settings, day, areas["shift"][0], areas["unit"][0], str(issue_id))
        pdf, later = page.with_suffix(".pdf"), facts.came_after(areas)
        with_pdf = settings.patrol.pdf
        if later is None:
            if not page.exists() or (with_pdf and not pdf.exists()):
                sheet = _drawn(facts.sheet(areas, _approval(areas)))
                write_whole(page, sheet_html(*sheet).encode())
                if with_pdf:
                    write_whole(pdf, sheets_pdf([sheet]))
            paths += [page, pdf] if with_pdf else [page]
            continue
        if page.exists():
            marked = overtaken_html(page.read_text(encoding="utf-8"), *later)
            paths.append(write_whole(page, marked.encode()))
        pdf.unlink(missing_ok=True)
    return paths


def issued_path(settings: Settings, day: date, shift: str, unit: str, issue_id: str) -> Path:
    """Where the sheet of an issue lies."""
    folder = settings.outputs / day.isoformat() / ISSUED / file_name(shift)
    return folder / f"{file_name(unit)}-{issue_id[:8]}.html"


def _approval(areas: pl.DataFrame) -> Approval:
    """Who approved an issued list."""
    row = areas.row(0, named=True)
    return Approval(
        reviewer=row["reviewer"],
        role=row["role"],
        identity=row["identity"],
        decided_at=row["decided_at"],
        expires_at=row["expires_at"],
        issue_id=row["issue_id"],
        simulated=row["simulated"],
    )


class _Facts:
    """What the sheets of a day have in common; each part is read once, when a sheet first needs it."""

    def __init__(self, lake: Lake, settings: Settings, day: date) -> None:
        self._lake, self._settings, self._day = lake, settings, day
        headers = headers_of(lake, day, day).filter(pl.col("not_made_because").is_null())
        if headers.is_empty():
            raise SheetError(f"No forecast was made for {day}, so there is no sheet of that day.")
        self._header: dict[str, Any] = headers.row(0, named=True)
        self._newest = dict(headers.select("offence_group", "forecast_id").iter_rows())
        self._grounds = Grounds(lake, settings)

    @property
    def newest(self) -> str:
        """The newest forecast of the day (of its first offence group)."""
        return str(self._header["forecast_id"])

    def came_after(self, issued: pl.DataFrame) -> tuple[str, str] | None:
        """What became of an issue since, as status and sentence; None: it stands."""
        withdrawn = issued["withdrawn_at"][0]
        if withdrawn is not None:
            return "WITHDRAWN", f"Withdrawn on {local(withdrawn, self._settings.area.timezone)}."
        made_of = issued.filter(pl.col("forecast_id").is_not_null())
        for group, forecast_id in made_of.select("offence_group", "forecast_id").iter_rows():
            if self._newest.get(group) != forecast_id:
                return "SUPERSEDED", f"Superseded by forecast {self._newest.get(group, self.newest)}."
        return None

    def sheet(self, areas: pl.DataFrame, approval: Approval | None = None) -> Sheet:
        """The sheet of one unit and shift: those of the areas."""
        shift, unit = self._shift(areas["shift"][0]), str(areas["unit"][0])
        ground = self._grounds.of(self._header["study_area_id"], self._day, shift.name)
        return Sheet(
            place=self._settings.area.name,
            synthetic=self._settings.area.synthetic,
            unit=unit,
            forecast_date=self._day,
            shift=shift.name,
            shift_window=f"{shift.start:%H:%M} to {shift.end:%H:%M}",
            starts_at=self._starts_at[shift.name],
            zone=self._settings.area.timezone,
            cut_off=self._header["cut_off"],
            run_id=self._header["run_id"],
            areas=areas,
            ground=ground,
            shading=self._shading,
            approval=approval,
            boundaries=self._boundaries,
            hours={group: self._hours[group] for group in areas["offence_group"].unique().sort()},
            track=self._track,
            exclusions=self._excluded(ground, unit),
            streets=self._streets,
            links=self._links(areas),
        )

    def _shift(self, name: str) -> Shift:
        found = next((each for each in shifts_of(self._settings) if each.name == name), None)
        if found is None:
            raise SheetError(
                f"The settings know no shift {name!r}: make the patrol areas of {self._day} again."
            )
        return found

    def _excluded(self, ground: Ground, unit: str) -> pl.DataFrame:
        """What was left out of a unit, and its part of all that is expected."""
        if unit not in ground.units:
            raise SheetError(
                f"The units file knows no unit {unit!r}: make the patrol areas of {self._day} again."
            )
        shut = self._grounds.excluded(self._header["study_area_id"], self._day)
        inside = ground.area.cells[ground.unit_of == ground.units.index(unit)]
        mine = shut.filter(pl.col("cell").is_in(pl.Series(inside).implode()))
        return exclusion_effect(self._together, ground.area, mine)

    def _links(self, areas: pl.DataFrame) -> dict[str, str]:
        """Where the reasons of areas are told, as seen from a sheet."""
        pages = {area["area_id"]: why_path(self._settings, self._day, area) for area in areas.to_dicts()}
        return {area_id: f"../../why/{path.name}" for area_id, path in pages.items() if path.exists()}

    @cached_property
    def _starts_at(self) -> dict[str, datetime]:
        """When each shift begins (UTC)."""
        zone, cut_off = self._settings.area.timezone, self._header["cut_off"]
        return {
            shift.name: shift_times([shift], self._day, zone, cut_off)["starts_at"].item()
            for shift in shifts_of(self._settings)
        }

    @cached_property
    def _scores(self) -> pl.DataFrame:
        return scores_between(self._lake, self._day, self._day)

    @cached_property
    def _together(self) -> pl.DataFrame:
        """What is expected in each cell, over all offence groups."""
        return self._scores.group_by("cell").agg(pl.col("score").sort().mean())

    @cached_property
    def _shading(self) -> Shading:
        area = self._grounds.area(self._header["study_area_id"])
        surfaces = self._scores.partition_by("offence_group", as_dict=True)
        return shading_of(area, {str(group): surface for (group,), surface in surfaces.items()})

    @cached_property
    def _boundaries(self) -> gpd.GeoDataFrame | None:
        return unit_boundaries(self._settings)

    @cached_property
    def _streets(self) -> gpd.GeoDataFrame | None:
        path = self._settings.patrol.streets
        return None if path is None else read_streets(path)

    @cached_property
    def _hours(self) -> dict[str, list[float]]:
        profile = hour_profile_of(self._lake, self._settings, self._header)
        groups = profile["offence_group"].unique().sort()
        return {group: hour_strip(profile, group, self._day) for group in groups}

    @cached_property
    def _track(self) -> pl.DataFrame:
        """How areas of each rank fared, as far as this forecast could know."""
        last = last_known_day(self._settings, self._day)
        since = last - timedelta(days=TRACK_DAYS - 1)
        return caught_by_rank(self._lake, since, last, self._header["cut_off"], self._header["delivery_seq"])

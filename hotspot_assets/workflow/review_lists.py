"""What a reviewer has to decide about: the lists of a day, with where they stand.

Belongs here: gathering the day for the page. Not here: deciding (`review`), and how the page looks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from hotspot_assets.hexgrid.cells import CellArray
from hotspot_assets.patrol.review import list_hash
from hotspot_assets.patrol.review_map import UnitMap, cell_map, unit_map
from hotspot_assets.settings import Settings
from hotspot_assets.warehouse.forecasts import headers_of
from hotspot_assets.warehouse.lake import Lake
from hotspot_assets.warehouse.review_reads import Place, Standing, approved_lists, standings
from hotspot_assets.workflow.dates import now_utc
from hotspot_assets.workflow.review import ground_of, shift_bounds
from hotspot_assets.workflow.study_area import kept_study_area, units_of

_SHOWN_DAYS = 30


@dataclass(frozen=True, eq=False)
class ListToReview:
    """One list as a person sees it.

    Attributes
    ----------
    window
        The shift in local hours, and its day.
    ends
        When its areas end, local.
    state
        As `patrol.review.TRANSITIONS` has it; draft: nobody has decided about these areas.
    open
        Whether a decision can be taken now.
    outdated
        What was decided about earlier areas: officers may still hold that issue.
    areas
        Rows of the model's list, or of the human list where that is issued or approved.
    """

    place: Place
    window: str
    ends: str
    state: str
    open: bool
    outdated: bool
    seen_hash: str
    seen_round: int
    areas: list[dict[str, Any]]
    review: Mapping[str, Any] | None
    issue: Mapping[str, Any] | None
    map: UnitMap


@dataclass(frozen=True, eq=False)
class DayToReview:
    """The lists of a forecast date, and the dates that can be looked at, newest first."""

    day: date | None
    dates: list[date]
    lists: list[ListToReview]


class ReviewLists:
    """The lists of a home; remembers the cells of its units."""

    def __init__(self, lake: Lake, settings: Settings) -> None:
        self._lake, self._settings = lake, settings
        self._cells: dict[str, dict[str, CellArray]] = {}

    def day(self, wanted: date | None) -> DayToReview:
        """The lists of a date; none: of the newest that has areas."""
        query = "SELECT DISTINCT forecast_date FROM patrol_areas ORDER BY 1 DESC LIMIT ?"
        dates = self._lake.read(query, [_SHOWN_DAYS])["forecast_date"].to_list()
        day = wanted or (dates[0] if dates else None)
        if day is None:
            return DayToReview(None, [], [])
        known = standings(self._lake.read, [day])
        decided = [str(each.review["review_id"]) for each in known.values() if each.review]
        approved = approved_lists(self._lake.read, decided)
        cells = self._cells_of(day)
        bounds = shift_bounds(self._settings, day)
        order = {shift: number for number, shift in enumerate(bounds)}
        shown = [
            self._list(place, standing, bounds[place.shift], cells, approved)
            for place, standing in known.items()
            if place.shift in bounds and not standing.areas.is_empty() and place.unit in cells
        ]
        shown.sort(key=lambda each: (not each.open, each.place.unit, order[each.place.shift]))
        return DayToReview(day, dates, shown)

    def cells(self, place: Place) -> UnitMap:
        """The cells on which an area of this list may be laid."""
        return cell_map(ground_of(self._lake, self._settings, place), place.unit)

    def _list(
        self,
        place: Place,
        standing: Standing,
        bounds: tuple[datetime, datetime],
        cells: dict[str, CellArray],
        approved: Mapping[str, pl.DataFrame],
    ) -> ListToReview:
        now, (start, end) = now_utc(), bounds
        state = standing.state_at(now)
        areas = standing.areas.with_columns(origin=pl.lit("model"))
        if standing.review is not None and not standing.may_be_decided:
            areas = approved[standing.review["review_id"]]
        rows = areas.sort("offence_group", "rank").to_dicts()
        return ListToReview(
            place=place,
            window=f"{self._local(start):%H:%M} to {self._local(end):%H:%M}",
            ends=f"{self._local(end):%a} {self._local(end).day} {self._local(end):%B, %H:%M}",
            state=state if standing.current or state == "draft" else "draft",
            open=standing.may_be_decided and now < end,
            outdated=standing.review is not None and not standing.current,
            seen_hash=list_hash(standing.areas),
            seen_round=standing.round,
            areas=rows,
            review=standing.review,
            issue=next(
                (each for each in standing.issues if each["issue_id"] in standing.in_force(now)), None
            ),
            map=unit_map(cells[place.unit], rows),
        )

    def _local(self, moment: datetime) -> datetime:
        return moment.astimezone(ZoneInfo(self._settings.area.timezone))

    def _cells_of(self, day: date) -> dict[str, CellArray]:
        headers = headers_of(self._lake, day, day).drop_nulls("study_area_id")
        if headers.is_empty():
            return {}
        study_area_id = headers["study_area_id"][0]
        if study_area_id not in self._cells:
            area = kept_study_area(self._lake, study_area_id)
            units = units_of(self._lake, self._settings, area).drop_nulls("unit")
            parts = units.partition_by("unit", as_dict=True)
            self._cells[study_area_id] = {
                str(unit): rows["cell"].to_numpy() for (unit,), rows in parts.items()
            }
        return self._cells[study_area_id]

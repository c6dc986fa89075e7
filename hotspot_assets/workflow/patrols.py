"""From ranked surfaces to patrol areas by shift, unit and offence group.

Belongs here: reading a day's surfaces, choosing areas on the day's ground, capping their union, and writing the
table. Not here: how areas are chosen (patrol), what they are drawn on (`briefings`, `sheets`), and issuing them:
that takes a person.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import polars as pl

from hotspot_assets.intake.ahead import ahead
from hotspot_assets.patrol.areas import Cells, Evidence, chosen_cells, patrol_areas
from hotspot_assets.patrol.ground import Ground, exclusion_effect
from hotspot_assets.patrol.shifts import shift_shares, shift_times
from hotspot_assets.patrol.union import union_cover, within_cap
from hotspot_assets.settings import Settings
from hotspot_assets.warehouse.forecasts import headers_of, replace_days, scores_between
from hotspot_assets.warehouse.lake import Lake, Stamp
from hotspot_assets.warehouse.reads import cell_counts
from hotspot_assets.warehouse.tables import TABLES
from hotspot_assets.workflow.dates import days_between
from hotspot_assets.workflow.grounds import Grounds, shifts_of
from hotspot_assets.workflow.hours import hour_profile_of

_COUNTED_DAYS = 365
_NO_ROOM = "the cap on the union of all offence groups leaves no room"


@dataclass(frozen=True)
class DayAreas:
    """The patrol areas of a day, as written, and what is said of them.

    Attributes
    ----------
    union
        What all offence groups together take: `patrol.union.union_cover`.
    effect
        What exclusions cost: offence_group, reason, cells, area_km2, share of the expected incidents.
    without
        Lists that are empty, and why: shift, unit, offence_group, reason.
    late_shifts
        Shifts that begin before the cut-off.
    snapshot_id
        Of the lake when they were written; -1 before.
    """

    date: date
    areas: pl.DataFrame
    union: pl.DataFrame
    effect: pl.DataFrame
    without: pl.DataFrame
    late_shifts: tuple[str, ...]
    snapshot_id: int = -1


def make_patrol_areas(
    lake: Lake, settings: Settings, first: date, last: date, stamp: Stamp
) -> Iterator[DayAreas]:
    """Choose patrol areas for each day first..last and write them; a day without a forecast has none."""
    grounds = Grounds(lake, settings)
    # Reading the next day, choosing areas and writing them go on side by side.
    for made in ahead(_chosen(ahead(_read(lake, settings, first, last, grounds)))):
        written = replace_days(lake, "patrol_areas", (made.date, made.date), made.areas, stamp)
        yield replace(made, snapshot_id=written.snapshot_id)


def _read(lake: Lake, settings: Settings, first: date, last: date, grounds: Grounds) -> Iterator[_Day]:
    for day in days_between(first, last):
        yield _Day(lake, settings, day, grounds)


def _chosen(days: Iterator[_Day]) -> Iterator[DayAreas]:
    for day in days:
        yield day.chosen()


class _Day:
    """A forecast date with what is needed to choose its areas."""

    def __init__(self, lake: Lake, settings: Settings, day: date, grounds: Grounds) -> None:
        self._lake, self._settings, self._day, self._grounds = lake, settings, day, grounds
        scores = scores_between(lake, day, day)
        headers = headers_of(lake, day, day).filter(pl.col("not_made_because").is_null())
        there = headers.filter(pl.col("offence_group").is_in(scores["offence_group"].unique().implode()))
        self._headers = there.to_dicts()
        self._scores = scores.partition_by("offence_group", as_dict=True)
        self._shifts = shifts_of(settings)
        self._before: dict[str, pl.DataFrame] = {}
        if self._headers:
            self._shares, self._counts = self._shift_shares(), self._counted()

    def chosen(self) -> DayAreas:
        """The day's areas and what is said of them, before they are written."""
        areas = self.areas()
        return DayAreas(
            date=self._day,
            areas=areas,
            union=self.union(areas),
            effect=self.effect(),
            without=self.without(areas),
            late_shifts=self.late_shifts(),
        )

    def areas(self) -> pl.DataFrame:
        """The areas of all shifts, within the cap on their union."""
        if not self._headers:
            return TABLES["patrol_areas"].empty()
        evidence = self._evidence()
        chosen: dict[tuple[str, int], Cells] = {}
        capped = []
        for shift in self._shifts:
            ground = self._ground(shift.name)
            found = []
            for header, known in zip(self._headers, evidence, strict=True):
                group = header["offence_group"]
                surface = self._scores[(group,)]
                if (group, id(ground)) not in chosen:
                    chosen[group, id(ground)] = chosen_cells(surface, ground)
                told = Evidence(
                    known.counts, known.expected_total, self._shares[group, shift.name], known.features
                )
                areas = patrol_areas(
                    surface, ground, self._day, group, shift.name, told, chosen[group, id(ground)]
                )
                found.append(areas.with_columns(forecast_id=pl.lit(header["forecast_id"])))
            self._before[shift.name] = pl.concat(found)
            capped.append(within_cap(self._before[shift.name], ground, self._settings.patrol.union_share))
        late = list(self.late_shifts())
        return pl.concat(capped).with_columns(begins_before_cut_off=pl.col("shift").is_in(late))

    def union(self, areas: pl.DataFrame) -> pl.DataFrame:
        """What all offence groups together take of each unit, by shift."""
        parts = areas.partition_by("shift", as_dict=True).items()
        covers = [union_cover(part, self._ground(str(shift))) for (shift,), part in parts]
        return pl.concat(covers) if covers else pl.DataFrame()

    def effect(self) -> pl.DataFrame:
        """What exclusions cost each offence group."""
        frames = []
        for header in self._headers:
            area = self._grounds.area(header["study_area_id"])
            shut = self._grounds.excluded(header["study_area_id"], self._day)
            cost = exclusion_effect(self._scores[(header["offence_group"],)], area, shut)
            frames.append(cost.select(pl.lit(header["offence_group"]).alias("offence_group"), pl.all()))
        return pl.concat(frames) if frames else pl.DataFrame()

    def without(self, areas: pl.DataFrame) -> pl.DataFrame:
        """Lists without any area, and why."""
        key = ["shift", "unit", "offence_group"]
        frames = []
        for shift, before in self._before.items():
            ground = self._ground(shift)
            units = pl.DataFrame({"shift": shift, "unit": ground.units, "otherwise": _why_none(ground)})
            groups = pl.DataFrame({"offence_group": [header["offence_group"] for header in self._headers]})
            empty = units.join(groups, how="cross").join(areas, on=key, how="anti")
            capped = before.select(key).unique().with_columns(reason=pl.lit(_NO_ROOM))
            frames.append(
                empty.join(capped, on=key, how="left").select(
                    *key, pl.col("reason").fill_null(pl.col("otherwise"))
                )
            )
        return pl.concat(frames).sort(key) if frames else pl.DataFrame()

    def late_shifts(self) -> tuple[str, ...]:
        """Shifts that begin before the cut-off."""
        if not self._headers:
            return ()
        times = shift_times(
            self._shifts, self._day, self._settings.area.timezone, self._headers[0]["cut_off"]
        )
        return tuple(times.filter("before_cut_off")["shift"])

    def _ground(self, shift: str) -> Ground:
        return self._grounds.of(self._headers[0]["study_area_id"], self._day, shift)

    def _shift_shares(self) -> dict[tuple[str, str], float]:
        """The shift's part of each offence group's expected incidents."""
        groups = [header["offence_group"] for header in self._headers]
        if len(self._shifts) == 1:
            return {(group, self._shifts[0].name): 1.0 for group in groups}
        profile = hour_profile_of(self._lake, self._settings, self._headers[0])
        shares = shift_shares(profile, self._shifts, self._day)
        return {(group, shift): share for group, shift, share in shares.iter_rows()}

    def _counted(self) -> pl.DataFrame:
        """Incidents of the last year in each cell, at the forecast's own point in time."""
        since, header = self._day - timedelta(days=_COUNTED_DAYS), self._headers[0]
        groups = [each["offence_group"] for each in self._headers]
        counts = cell_counts(self._lake, groups, since, self._day, header["cut_off"], header["delivery_seq"])
        return counts.with_columns(days=pl.lit(_COUNTED_DAYS, pl.Int32))

    def _evidence(self) -> list[Evidence]:
        """What each forecast itself may know."""
        return [
            Evidence(
                self._counts.filter(pl.col("offence_group") == each["offence_group"]).drop("offence_group"),
                each["expected_total"],
                features=self._grounds.places,
            )
            for each in self._headers
        ]


def _why_none(ground: Ground) -> list[str]:
    """Why each unit may have no area at all."""
    otherwise = (
        "the pooled budget is spent elsewhere" if ground.budget.pooled else "nothing is expected there"
    )
    return [
        otherwise if ground.open[ground.unit_of == code].any() else "all of it is excluded"
        for code in range(len(ground.units))
    ]


def best_area(lake: Lake, day: date) -> dict[str, Any] | None:
    """The area of a day that holds the largest share of its offence group's expected incidents; None: no areas."""
    query = "SELECT * FROM patrol_areas WHERE forecast_date = ? ORDER BY share DESC, area_id LIMIT 1"
    rows = lake.read(query, [day])
    return rows.row(0, named=True) if rows.height else None

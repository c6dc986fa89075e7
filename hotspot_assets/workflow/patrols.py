"""From ranked surfaces to patrol areas, their map and their files.

Belongs here: reading a day's surfaces, choosing areas unit by unit, and writing table and exports. Not here:
how areas are chosen and drawn (patrol), and issuing them: that takes a person.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import polars as pl

from hotspot_assets.patrol.areas import Evidence, patrol_areas
from hotspot_assets.patrol.budgets import Budget
from hotspot_assets.patrol.ground import Ground, lay_ground
from hotspot_assets.settings import Settings
from hotspot_assets.warehouse.forecasts import headers_of, replace_days, scores_between
from hotspot_assets.warehouse.lake import Lake, Stamp
from hotspot_assets.warehouse.reads import cell_counts
from hotspot_assets.warehouse.tables import TABLES
from hotspot_assets.workflow.dates import days_between
from hotspot_assets.workflow.models import REACH_RINGS
from hotspot_assets.workflow.study_area import kept_study_area, neighbours_of, units_of

_COUNTED_DAYS = 365


@dataclass(frozen=True)
class DayAreas:
    """The patrol areas of a day, as written, with what they were made from."""

    date: date
    areas: pl.DataFrame
    scores: pl.DataFrame
    headers: pl.DataFrame
    snapshot_id: int


def budget_of(settings: Settings) -> Budget:
    """The budget of every unit, offence group and shift."""
    rules = settings.patrol
    return Budget(
        km2=rules.budget_km2,
        share=rules.budget_share,
        areas=rules.areas,
        max_radius_m=rules.max_radius_m,
        min_separation_m=rules.min_separation_m,
    )


def make_patrol_areas(
    lake: Lake, settings: Settings, first: date, last: date, stamp: Stamp
) -> Iterator[DayAreas]:
    """Choose patrol areas for each day first..last and write them; a day without a forecast has none."""
    grounds: dict[str, Ground] = {}
    for day in days_between(first, last):
        headers = headers_of(lake, day, day).filter(pl.col("not_made_because").is_null())
        scores = scores_between(lake, day, day)
        frames = []
        for header in headers.to_dicts():
            ground = _ground(lake, settings, header["study_area_id"], grounds)
            surface = scores.filter(pl.col("offence_group") == header["offence_group"])
            if surface.is_empty():
                continue
            evidence = _evidence(lake, header)
            found = patrol_areas(surface, ground, day, header["offence_group"], evidence=evidence)
            frames.append(found.with_columns(forecast_id=pl.lit(header["forecast_id"])))
        areas = pl.concat(frames) if frames else TABLES["patrol_areas"].empty()
        written = replace_days(lake, "patrol_areas", (day, day), areas, stamp)
        yield DayAreas(day, areas, scores, headers, written.snapshot_id)


def _ground(lake: Lake, settings: Settings, study_area_id: str, grounds: dict[str, Ground]) -> Ground:
    if study_area_id not in grounds:
        area = kept_study_area(lake, study_area_id)
        near = neighbours_of(settings, area, REACH_RINGS)
        grounds[study_area_id] = lay_ground(area, near, budget_of(settings), units_of(lake, settings, area))
    return grounds[study_area_id]


def _evidence(lake: Lake, header: dict[str, Any]) -> Evidence:
    """What the forecast itself may know: counts of the last year at its own point in time."""
    day: date = header["forecast_date"]
    since = day - timedelta(days=_COUNTED_DAYS)
    counts = cell_counts(lake, header["offence_group"], since, day, header["cut_off"], header["delivery_seq"])
    counts = counts.with_columns(days=pl.lit(_COUNTED_DAYS, pl.Int32))
    return Evidence(counts=counts, expected_total=header["expected_total"])


def best_area(lake: Lake, day: date) -> dict[str, Any] | None:
    """The area of a day that holds the largest share of its offence group's expected incidents; None: no areas."""
    query = "SELECT * FROM patrol_areas WHERE forecast_date = ? ORDER BY share DESC, area_id LIMIT 1"
    rows = lake.read(query, [day])
    return rows.row(0, named=True) if rows.height else None

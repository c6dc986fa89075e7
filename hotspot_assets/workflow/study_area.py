"""The study area in force for a month, and the neighbours of its cells.

Belongs here: choosing between a boundary and the incidents known before a date, keeping what was found, and
the cache of neighbour matrices. Not here: geometry (hexgrid).
"""

from __future__ import annotations

import threading
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from hotspot_assets.errors import UserError
from hotspot_assets.hexgrid.neighbours import Neighbours, at_edge, load, neighbours, save
from hotspot_assets.hexgrid.study_areas import StudyArea, from_boundary, from_cells, from_incidents
from hotspot_assets.settings import Settings
from hotspot_assets.warehouse.forecasts import append_once
from hotspot_assets.warehouse.lake import Lake, Stamp
from hotspot_assets.warehouse.reads import occupied_cells
from hotspot_assets.workflow.dates import cut_off_of
from hotspot_assets.workflow.landing import file_hash

if TYPE_CHECKING:
    import geopandas as gpd


_near: dict[str, Neighbours] = {}
_one_at_a_time = threading.Lock()
_kept: dict[tuple[str, str], StudyArea] = {}
_KEPT = "SELECT 1 FROM cells WHERE study_area_id = ? AND units_hash = ? LIMIT 1"


class NoStudyArea(UserError):
    """Nothing tells where the study area lies."""


def study_area_of_month(lake: Lake, settings: Settings, month: date, delivery_seq: int) -> StudyArea:
    """The study area for forecasts of a month (its first day): the boundary, or where incidents lay before.

    Raises
    ------
    NoStudyArea
        When there is neither a boundary nor an incident before the month.
    """
    resolution = settings.grid.resolution
    boundary = settings.area.boundary
    if boundary is not None:
        return _within(boundary, file_hash(boundary) if boundary.is_file() else "", resolution)
    as_of = settings.area.as_of or month
    cells = occupied_cells(lake, as_of, cut_off_of(settings, as_of), delivery_seq)
    if cells.is_empty():
        raise NoStudyArea(
            f"No incident is known before {as_of}, so there is no study area: deliver earlier incidents, or name a"
            " boundary file in the settings (area.boundary)."
        )
    return _around(cells.to_numpy().tobytes(), resolution, as_of)


@lru_cache(maxsize=1)
def _around(occupied: bytes, resolution: int, as_of: date) -> StudyArea:
    """The cells on and around those given; kept for the next day, which mostly has the same."""
    return from_incidents(np.frombuffer(occupied, dtype=np.uint64), resolution, as_of)


@lru_cache(maxsize=1)
def _within(boundary: Path, content: str, resolution: int) -> StudyArea:
    """The cells within the polygons of a file; kept for the next day, until its `content` (a hash) is another."""
    from hotspot_assets.hexgrid.boundaries import read_outline

    return from_boundary(read_outline(boundary), resolution)


def assign_to_units(settings: Settings, area: StudyArea) -> pl.DataFrame:
    """`cell, unit` of each cell that lies in a patrol unit; with no units file the area is one unit."""
    boundaries = unit_boundaries(settings)
    if boundaries is None:
        return pl.DataFrame({"cell": area.cells, "unit": [settings.area.name] * area.n})
    from hotspot_assets.hexgrid.boundaries import assign_units

    return assign_units(area, boundaries).select("cell", "unit")


def unit_boundaries(settings: Settings) -> gpd.GeoDataFrame | None:
    """Boundaries of the patrol units; None where the area is one unit."""
    if settings.area.units is None:
        return None
    from hotspot_assets.hexgrid.boundaries import read_boundaries

    return read_boundaries(settings.area.units, settings.area.unit_name_field)


def units_hash(settings: Settings) -> str:
    """Hash of what assigns cells to units: the file and the field; "none" where the area is one unit."""
    path = settings.area.units
    return "none" if path is None else file_hash(path)[:16] + (settings.area.unit_name_field or "")


def keep_study_area(lake: Lake, settings: Settings, area: StudyArea, stamp: Stamp) -> None:
    """Write a study area and its cells, with their units, to the lake unless they are there."""
    key = [area.study_area_id, units_hash(settings)]
    if lake.read(_KEPT, key).height:
        return
    units = assign_to_units(settings, area)
    identity = {"study_area_id": pl.lit(area.study_area_id), "units_hash": pl.lit(key[1])}
    facts = {"cell": area.cells, "area_km2": area.area_km2, "at_edge": at_edge(area)}
    cells = pl.DataFrame(facts).join(units, on="cell", how="left")
    tables = {"cells": cells.with_columns(**identity), "study_areas": _header(area, stamp)}
    append_once(lake, tables, {"cells": list(identity), "study_areas": ["study_area_id"]}, stamp)


def units_of(lake: Lake, settings: Settings, area: StudyArea) -> pl.DataFrame:
    """`cell, unit` of a kept study area's cells, by the units file in force; unit is null outside all units."""
    query = "SELECT cell, unit FROM cells WHERE study_area_id = ? AND units_hash = ? ORDER BY cell"
    return lake.read(query, [area.study_area_id, units_hash(settings)])


def cells_at_edge(lake: Lake, study_area_id: str) -> int:
    """How many of a kept study area's cells touch a cell outside it."""
    query = "SELECT count(DISTINCT cell) FROM cells WHERE study_area_id = ? AND at_edge"
    return int(lake.read(query, [study_area_id]).item())


def _header(area: StudyArea, stamp: Stamp) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "study_area_id": area.study_area_id,
            "resolution": area.resolution,
            "method": area.method,
            "as_of": pl.Series([area.as_of], dtype=pl.Date),
            "cells": area.n,
            "area_km2": float(np.sum(area.area_km2)),
            "run_id": stamp.run_id,
        }
    )


def kept_study_area(lake: Lake, study_area_id: str) -> StudyArea:
    """A study area as it stands in the lake. Raises NoStudyArea if it does not."""
    key = lake.attach, study_area_id
    if key not in _kept:
        area = _read_kept(lake, study_area_id)
        _kept.clear()  # one at a time, as with neighbours
        _kept[key] = area
    return _kept[key]


def _read_kept(lake: Lake, study_area_id: str) -> StudyArea:
    cells = lake.read(
        "SELECT DISTINCT cell FROM cells WHERE study_area_id = ? ORDER BY cell", [study_area_id]
    )
    header = lake.read(
        "SELECT resolution, method, as_of FROM study_areas WHERE study_area_id = ?", [study_area_id]
    )
    if cells.is_empty() or header.is_empty():
        raise NoStudyArea(f"Study area {study_area_id} is not in the lake.")
    resolution, method, as_of = header.row(0)
    return from_cells(cells["cell"].to_numpy(), resolution, method, as_of)


def neighbours_of(settings: Settings, area: StudyArea, rings: int) -> Neighbours:
    """Neighbours within `rings` or more, from memory or from the cache where they were computed before."""
    with _one_at_a_time:
        found = _near.get(area.study_area_id)
        if found is None or found.max_ring < rings:
            path = settings.cache / f"neighbours-{area.study_area_id}-{rings}.npy"
            if path.exists():
                found = load(path, area)
            else:
                found = neighbours(area, rings, next(iter(_near.values()), None))
                save(found, path)
            _near.clear()  # the last made only: they are large, and those of the next month grow from it
            _near[area.study_area_id] = found
    return found

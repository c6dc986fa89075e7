"""The study area in force for a month, and the neighbours of its cells.

Belongs here: choosing between a boundary and the incidents known before a date, keeping what was found, and
the cache of neighbour matrices. Not here: geometry (hexgrid).
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from hotspot_assets.errors import UserError
from hotspot_assets.hexgrid.neighbours import Neighbours, at_edge, load, neighbours, save
from hotspot_assets.hexgrid.study_areas import (
    MARGIN_RINGS,
    StudyArea,
    from_boundary,
    from_cells,
    from_incidents,
)
from hotspot_assets.settings import Settings
from hotspot_assets.warehouse.forecasts import append_once
from hotspot_assets.warehouse.lake import Lake, Stamp
from hotspot_assets.warehouse.reads import occupied_cells
from hotspot_assets.workflow.dates import cut_off_of
from hotspot_assets.workflow.knowledge import newest_readable
from hotspot_assets.workflow.landing import file_hash

if TYPE_CHECKING:
    import geopandas as gpd


_near: dict[str, Neighbours] = {}
_one_at_a_time = threading.Lock()
_kept: dict[tuple[str, str], StudyArea] = {}


class NoStudyArea(UserError):
    """Nothing tells where the study area lies."""


def study_area_of_month(
    lake: Lake, settings: Settings, month: date, clocks: pl.DataFrame, stamp: Stamp
) -> StudyArea:
    """The study area for forecasts of a month (its first day): the boundary, or where incidents lay before.

    What was found on the same basis before is read from the lake; else it is found, and kept there with its cells and
    their units. `clocks` are those of the deliveries that may be used.

    Raises
    ------
    NoStudyArea
        When there is neither a boundary nor an incident before the month.
    """
    basis = basis_of(settings, month, clocks)
    known = lake.read("SELECT min(study_area_id) FROM study_area_bases WHERE basis = ?", [basis]).item()
    if known is not None:
        return kept_study_area(lake, known)
    area = _found(lake, settings, month, clocks)
    _keep(lake, settings, area, basis, stamp)
    return _remembered(lake, area)


def basis_of(settings: Settings, month: date, clocks: pl.DataFrame) -> str:
    """All that the study area of a month, and the units of its cells, are made of."""
    boundary = settings.area.boundary
    if boundary is not None:
        cells = f"boundary {file_hash(boundary) if boundary.is_file() else 'not there'}"
    else:
        point = _point_of(settings, month, clocks)
        cells = (
            f"incidents before {point.as_of}, known at {point.cut_off.isoformat()} through delivery"
            f" {point.delivery_seq}, and {MARGIN_RINGS} ring(s)"
        )
    return f"{cells}; H3 resolution {settings.grid.resolution}; units {units_hash(settings)}"


@dataclass(frozen=True)
class _Point:
    """Incidents before a day, as known at both clocks: through the newest delivery that could be read at the cut-off,
    as those after it say nothing about it."""

    as_of: date
    cut_off: datetime
    delivery_seq: int


def _point_of(settings: Settings, month: date, clocks: pl.DataFrame) -> _Point:
    as_of = settings.area.as_of or month
    cut_off = cut_off_of(settings, as_of)
    return _Point(as_of, cut_off, newest_readable(clocks, cut_off))


def _found(lake: Lake, settings: Settings, month: date, clocks: pl.DataFrame) -> StudyArea:
    if settings.area.boundary is not None:
        from hotspot_assets.hexgrid.boundaries import read_outline

        return from_boundary(read_outline(settings.area.boundary), settings.grid.resolution)
    point = _point_of(settings, month, clocks)
    cells = occupied_cells(lake, point.as_of, point.cut_off, point.delivery_seq)
    if cells.is_empty():
        raise NoStudyArea(
            f"No incident is known before {point.as_of}, so there is no study area: deliver earlier incidents, or name"
            " a boundary file in the settings (area.boundary)."
        )
    return from_incidents(cells.to_numpy(), settings.grid.resolution, point.as_of)


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


def _keep(lake: Lake, settings: Settings, area: StudyArea, basis: str, stamp: Stamp) -> None:
    """Write a study area, its cells with their units, and what it was found from to the lake."""
    units = assign_to_units(settings, area)
    identity = {"study_area_id": pl.lit(area.study_area_id), "units_hash": pl.lit(units_hash(settings))}
    facts = {"cell": area.cells, "area_km2": area.area_km2, "at_edge": at_edge(area)}
    cells = pl.DataFrame(facts).join(units, on="cell", how="left")
    tables = {
        "cells": cells.with_columns(**identity),
        "study_areas": _header(area, stamp),
        "study_area_bases": pl.DataFrame(
            {"basis": basis, "study_area_id": area.study_area_id, "run_id": stamp.run_id}
        ),
    }
    keys = {"cells": list(identity), "study_areas": ["study_area_id"], "study_area_bases": ["basis"]}
    append_once(lake, tables, keys, stamp)


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
    known = _kept.get((lake.attach, study_area_id))
    return known or _remembered(lake, _read_kept(lake, study_area_id))


def _remembered(lake: Lake, area: StudyArea) -> StudyArea:
    _kept.clear()  # one at a time, as with neighbours
    return _kept.setdefault((lake.attach, area.study_area_id), area)


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

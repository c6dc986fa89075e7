"""Review map: a unit and its areas as flat shapes, for the page on which people decide.

Belongs here: where shapes lie. Not here: the page (`review_desk`) and the map of the sheet (`sheet_map`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import h3
import numpy as np

from hotspot_assets.hexgrid.cells import CellArray, cell_polygons, cell_to_hex, centres
from hotspot_assets.patrol.drawing import Flat
from hotspot_assets.patrol.ground import Ground
from hotspot_assets.patrol.sheet_map import path_of

_MARGIN = 0.05


@dataclass(frozen=True)
class Shape:
    """An area or a cell: its path, the point for its label, and its id."""

    path: str
    x: float
    y: float
    id: str


@dataclass(frozen=True)
class UnitMap:
    """A unit's map in metres from its middle; y runs down."""

    left: float
    top: float
    width: float
    height: float
    outline: str
    shapes: tuple[Shape, ...]


def unit_map(cells: CellArray, areas: Sequence[Mapping[str, Any]]) -> UnitMap:
    """The outline of a unit's cells with its areas (`area_id`, `cells`) upon it."""
    flat, box = _frame(cells)
    shapes = tuple(_shape(np.array(area["cells"], dtype=np.uint64), flat, area["area_id"]) for area in areas)
    return UnitMap(*box, _outline(cells, flat), shapes)


def cell_map(ground: Ground, unit: str) -> UnitMap:
    """The cells of a unit one by one: those on which an area may lie."""
    inside = ground.unit_of == ground.units.index(unit)
    flat, box = _frame(ground.area.cells[inside])
    open_cells = ground.area.cells[inside & ground.open]
    shapes = tuple(
        _shape(open_cells[at : at + 1], flat, name) for at, name in enumerate(cell_to_hex(open_cells))
    )
    return UnitMap(*box, _outline(ground.area.cells[inside], flat), shapes)


def _frame(cells: CellArray) -> tuple[Flat, tuple[float, float, float, float]]:
    lats, lngs = centres(cells)
    flat = Flat.around(lats, lngs)
    xs, ys = flat.x(lngs), -flat.y(lats)
    margin = 100.0 + _MARGIN * float(max(np.ptp(xs), np.ptp(ys)))
    left, top = float(xs.min()) - margin, float(ys.min()) - margin
    width, height = float(np.ptp(xs)) + 2 * margin, float(np.ptp(ys)) + 2 * margin
    return flat, (round(left), round(top), round(width), round(height))


def _shape(cells: CellArray, flat: Flat, name: str) -> Shape:
    lats, lngs = centres(cells)
    path = _outline(cells, flat) if len(cells) > 1 else path_of(np.array(cell_polygons(cells)[0]), flat, 0)
    return Shape(path, round(float(flat.x(lngs).mean())), round(float(-flat.y(lats).mean())), name)


def _outline(cells: CellArray, flat: Flat) -> str:
    parts = h3.cells_to_h3shape(cell_to_hex(cells), tight=False)
    rings = [ring for part in parts for ring in (part.outer, *part.holes)]
    closed = [np.array([*ring, ring[0]])[:, ::-1] for ring in rings]
    return "".join(path_of(ring, flat, 0) for ring in closed)

"""Sheet map: the shapes of a unit's map, in metres, ready to be drawn.

Belongs here: which hexagons, lines, names and labels a sheet's map has, and where. Not here: facts and words
(`sheets`), HTML (`briefing`). No incident is ever drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from hotspot_assets.hexgrid.cells import cell_to_hex
from hotspot_assets.patrol.drawing import CLASSES, Flat, rings_of, round_length_m
from hotspot_assets.patrol.sheets import Sheet
from hotspot_assets.patrol.wording import plain_group

_MARGIN = 0.08  # around the unit, as a share of its size
_LABELS_ACROSS = 30  # height of a label, as a part of the map's longer side
_MOST_HEXAGONS = 3_000  # beyond, the lowest class is left blank: a page must open at once


@dataclass(frozen=True)
class Outline:
    """An area's outline, the code written beside it and where."""

    path: str
    code: str
    area_id: str
    x: float
    y: float


@dataclass(frozen=True)
class Label:
    """A name and where it stands."""

    text: str
    x: float
    y: float


@dataclass(frozen=True, eq=False)
class SheetMap:
    """The map; y runs down, all in metres from its middle.

    `hexagons`: path, cell (text), and classes, a digit each: for all groups together and for each.
    """

    left: float
    top: float
    width: float
    height: float
    groups: tuple[str, ...]
    hexagons: pl.DataFrame
    outlines: tuple[Outline, ...]
    unit_path: str
    other_path: str
    street_path: str
    names: tuple[Label, ...]
    bar_m: float


def sheet_map(sheet: Sheet) -> SheetMap:
    """The shapes of a sheet's map."""
    inside = sheet.ground.unit_of == sheet.ground.units.index(sheet.unit)
    lats, lngs = sheet.shading.lats, sheet.shading.lngs
    flat = Flat.around(lats[inside], lngs[inside])
    xs, ys = flat.x(lngs), -flat.y(lats)
    margin = 100.0 + _MARGIN * max(np.ptp(xs[inside]), np.ptp(ys[inside]))
    left, right = xs[inside].min() - margin, xs[inside].max() + margin
    top, bottom = ys[inside].min() - margin, ys[inside].max() + margin
    shown = (xs >= left) & (xs <= right) & (ys >= top) & (ys <= bottom)
    box = (float(left), float(top), float(right), float(bottom))
    unit_path, other_path, names = _boundaries(sheet, flat, box)
    return SheetMap(
        left=round(float(left), 1),
        top=round(float(top), 1),
        width=round(float(right - left), 1),
        height=round(float(bottom - top), 1),
        groups=("all groups together", *(plain_group(group) for group in sheet.shading.groups)),
        hexagons=_hexagons(sheet, flat, shown),
        outlines=_outlines(sheet, flat, float(max(right - left, bottom - top)) / _LABELS_ACROSS),
        unit_path=unit_path,
        other_path=other_path,
        street_path=_streets(sheet, flat, box),
        names=names,
        bar_m=round_length_m(float(right - left) / 4),
    )


def path_of(points: npt.NDArray[np.float64], flat: Flat, decimals: int = 1, closed: bool = True) -> str:
    """An SVG path of (longitude, latitude) points, in metres with so many decimals."""
    flat_points = flat.xy(points)
    drawn = flat_points[:-1] if closed else flat_points
    text = "L".join(f"{x:.{decimals}f} {-y:.{decimals}f}" for x, y in drawn)
    return f"M{text}Z" if closed else f"M{text}"


def _hexagons(sheet: Sheet, flat: Flat, shown: npt.NDArray[np.bool_]) -> pl.DataFrame:
    """`SheetMap.hexagons` of the cells shown: thousands, so on columns."""
    classes = sheet.shading.classes
    if shown.sum() > _MOST_HEXAGONS:
        shown = shown & (classes < len(CLASSES) - 1).any(axis=1)
    cells, corners = sheet.ground.area.cells[shown], sheet.ground.area.corners
    x, y = flat.x(pl.col("lng")).round(1), -flat.y(pl.col("lat")).round(1)
    paths = (
        corners.filter(shown[corners["at"].to_numpy()])
        .select("at", point=pl.format("{} {}", x, y))
        .group_by("at", maintain_order=True)
        .agg(path=pl.format("M{}Z", pl.col("point").str.join("L")))
    )
    digits = [pl.Series(f"{group}", of_group) for group, of_group in enumerate(classes[shown].T)]
    return paths.select(
        pl.col("path"),
        cell=pl.Series(cell_to_hex(cells), dtype=pl.String),
        classes=pl.select(pl.concat_str(digits)).to_series(),
    )


def _outlines(sheet: Sheet, flat: Flat, step: float) -> tuple[Outline, ...]:
    """Outlines of the areas; their labels do not cover each other, and areas on the same ground share one."""
    import shapely

    drawn = list(zip(sheet.lines, sheet.areas.sort("offence_group", "rank")["geometry"], strict=True))
    codes: dict[str, list[str]] = {}
    for line, text in drawn:
        codes.setdefault(text, []).append(line.code)
    found: list[Outline] = []
    for line, text in drawn:
        shape = shapely.from_wkt(text)
        path = "".join(path_of(ring, flat) for ring in rings_of(shape))
        label = " ".join(codes.pop(text, []))
        x, y = float(flat.x(shape.centroid.x)), -float(flat.y(shape.bounds[3])) - step / 3
        if label:
            x, y = _free_place(x, y, label, step, found)
        found.append(Outline(path, label, line.area_id, round(x, 1), round(y, 1)))
    return tuple(found)


def _free_place(x: float, y: float, label: str, step: float, taken: Sequence[Outline]) -> tuple[float, float]:
    """The nearest place to a point that no label holds; `step` is the height of a label."""

    def apart(other: Outline, at: tuple[float, float]) -> bool:
        wide = _half_width(label, step) + _half_width(other.code, step)
        return abs(at[0] - other.x) >= wide or abs(at[1] - other.y) >= 0.95 * step

    held = [each for each in taken if each.code]
    offsets = sorted(product(range(-4, 5), range(-6, 7)), key=lambda way: (2 * way[0]) ** 2 + way[1] ** 2)
    for right, down in offsets:
        at = x + right * 1.9 * step, y + down * step
        if all(apart(each, at) for each in held):
            return at
    return x, y


def _half_width(text: str, step: float) -> float:
    """Half the width of a label of this height, and a little air."""
    return (0.32 * len(text) + 0.2) * step


def _boundaries(sheet: Sheet, flat: Flat, box: tuple[float, ...]) -> tuple[str, str, tuple[Label, ...]]:
    """The unit's boundary, those of its neighbours, and the neighbours' names inside the box."""
    if sheet.boundaries is None:
        return "", "", ()
    own, others, names = "", "", []
    left, top, right, bottom = box
    for unit, geometry in zip(sheet.boundaries["unit"], sheet.boundaries.geometry, strict=True):
        west, south, east, north = geometry.bounds
        if flat.x(east) < left or flat.x(west) > right or -flat.y(south) < top or -flat.y(north) > bottom:
            continue
        path = "".join(path_of(ring, flat) for ring in rings_of(geometry))
        if unit == sheet.unit:
            own += path
            continue
        others += path
        point = geometry.representative_point()
        names.append(_inside(str(unit), float(flat.x(point.x)), -float(flat.y(point.y)), box))
    return own, others, tuple(names)


def _inside(name: str, x: float, y: float, box: tuple[float, ...]) -> Label:
    """A name as near to a point as the map's frame, its north arrow and its scale bar allow."""
    left, top, right, bottom = box
    step = max(right - left, bottom - top) / _LABELS_ACROSS
    half = _half_width(name, step)
    y = float(np.clip(y, top + 1.2 * step, bottom - 0.6 * step))
    upper, lower = y < top + 4 * step, y > bottom - 4 * step
    x = float(np.clip(x, left + half + (9 * step if lower else 0), right - half - (3 * step if upper else 0)))
    return Label(name, round(x, 1), round(y, 1))


def _streets(sheet: Sheet, flat: Flat, box: tuple[float, ...]) -> str:
    """Lines of the street layer inside the box, as one path."""
    if sheet.streets is None:
        return ""
    left, top, right, bottom = box
    east, north = float(flat.x(flat.lng + 1.0)), float(flat.y(flat.lat + 1.0))
    west_south = flat.lng + left / east, flat.lat - bottom / north
    east_north = flat.lng + right / east, flat.lat - top / north
    clipped: Any = sheet.streets.clip((*west_south, *east_north))
    lines = clipped.explode(index_parts=False).geometry
    return "".join(
        path_of(np.asarray(line.coords)[:, :2], flat, closed=False)
        for line in lines
        if line.geom_type == "LineString"
    )

"""Real incidents: burglary on Chicago's South side in 250 m squares, beside PredictCode's published hit rates.

The region: the twelve community areas that make up the South side among Chicago's nine sides (34-43, 60, 69),
as squares of 250 m in EPSG:2790 whose area meets it; burglaries inside it. Which areas and which squares
PredictCode took was not published in full, so the region is this project's reading of it. 28 September 2011 to
6 January 2012, each day forecast from what happened before it; coverage by share of squares; all days pooled;
history from 1 January 2011 on, which is all there is here.

Run it with `pytest -m slow -s hotspot_assets_tests/forecasting/test_south_side.py`: it prints the table.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.sparse import csr_array
from scipy.spatial import KDTree

from hotspot_assets.forecasting.catalogue import model, surfaces
from hotspot_assets.forecasting.events import Events, build_events
from hotspot_assets.forecasting.fitting import FitInput, events_needed_from, incidents_of
from hotspot_assets.hexgrid.neighbours import Neighbours
from hotspot_assets.hexgrid.study_areas import StudyArea
from hotspot_assets_tests.forecasting.test_reproduction import caught
from hotspot_assets_tests.forecasting.towns import cut_offs

pytestmark = pytest.mark.slow

FIRST, LAST = date(2011, 9, 28), date(2012, 1, 6)
SOUTH_SIDE = {34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 60, 69}
SIDE_M = 250
COVERAGES = (0.01, 0.02, 0.03, 0.04, 0.05)
PUBLISHED = (5.8, 9.4, 14.3, 18.2, 22.0)
TYPES = {
    "BURGLARY": "burglary",
    "ROBBERY": "robbery",
    "THEFT": "theft",
    "MOTOR VEHICLE THEFT": "vehicle_theft",
}
MODELS = ("count_28", "count_all", "kde", "promap", "exponential", "etas", "learned")

Frame = tuple[Events, StudyArea, Neighbours]


def squares_of_region(folder: Path) -> tuple[object, np.ndarray]:
    """The region in metres, and the lower left corners of its squares."""
    import shapely
    from pyproj import Transformer

    to_metres = Transformer.from_crs("EPSG:4326", "EPSG:2790", always_xy=True)
    read = json.loads((folder / "reference" / "chicago_community_areas.geojson").read_text(encoding="utf-8"))
    shapes = [
        shapely.geometry.shape(feature["geometry"])
        for feature in read["features"]
        if int(feature["properties"]["AREA_NUMBE"]) in SOUTH_SIDE
    ]
    assert len(shapes) == len(SOUTH_SIDE)
    region = shapely.transform(
        shapely.union_all(shapes), lambda points: np.column_stack(to_metres.transform(*points.T))
    )
    west, south, east, north = np.array(region.bounds) // SIDE_M * SIDE_M
    x, y = np.meshgrid(np.arange(west, east + 1, SIDE_M), np.arange(south, north + 1, SIDE_M))
    corners = np.column_stack([x.ravel(), y.ravel()])
    boxes = shapely.box(corners[:, 0], corners[:, 1], corners[:, 0] + SIDE_M, corners[:, 1] + SIDE_M)
    return region, corners[shapely.intersects(boxes, region)]


def number_of(corner: np.ndarray) -> np.ndarray:
    """A square's number, from its corner."""
    return (corner[:, 0] // SIDE_M * 100_000 + corner[:, 1] // SIDE_M).astype(np.uint64)


def neighbours_of(area: StudyArea, corners: np.ndarray, max_ring: int) -> Neighbours:
    """Squares within so many steps (diagonals too), with the metres between their centres."""
    pairs = KDTree(corners).query_pairs(max_ring * SIDE_M + 1, p=np.inf, output_type="ndarray")
    own = np.arange(area.n)
    row = np.concatenate([pairs[:, 0], pairs[:, 1], own])
    column = np.concatenate([pairs[:, 1], pairs[:, 0], own])
    order = np.lexsort((column, row))
    row, column = row[order], column[order]
    apart = np.abs(corners[row] - corners[column])
    ends = np.searchsorted(row, np.arange(area.n + 1)).astype(np.int32)
    ring = (apart.max(axis=1) // SIDE_M + 1).astype(np.int8)
    place = (column.astype(np.int32), ends)
    rings = csr_array((ring, *place), shape=(area.n, area.n))
    return Neighbours(area.study_area_id, area.cells, max_ring, rings, corners.T, radius_m=np.inf)


def incidents(folder: Path, region: object) -> pl.DataFrame:
    """Incidents inside the region: day, type, corner of the square."""
    import shapely
    from pyproj import Transformer

    files = [folder / "chicago" / f"chicago_crimes_{year}.csv.gz" for year in (2011, 2012)]
    wanted = ["Date", "Primary Type", "Latitude", "Longitude"]
    read = pl.concat([pl.read_csv(file, columns=wanted, infer_schema=False) for file in files])
    read = (
        read.select(
            pl.col("Date").str.to_datetime("%m/%d/%Y %I:%M:%S %p").dt.date().alias("day"),
            pl.col("Primary Type").replace_strict(TYPES, default=None).alias("offence_group"),
            pl.col("Latitude", "Longitude").cast(pl.Float64),
        )
        .filter(pl.col("day") <= LAST)
        .drop_nulls()
    )
    to_metres = Transformer.from_crs("EPSG:4326", "EPSG:2790", always_xy=True)
    x, y = to_metres.transform(read["Longitude"].to_numpy(), read["Latitude"].to_numpy())
    shapely.prepare(region)
    inside = shapely.contains_xy(region, x, y)
    corner = np.column_stack([x, y])[inside] // SIDE_M * SIDE_M
    return read.filter(pl.Series(inside)).select("day", "offence_group", cell=pl.Series(number_of(corner)))


@pytest.fixture(scope="module")
def frame(shared_data: Path) -> Frame:
    region, corners = squares_of_region(shared_data)
    corners = corners[np.argsort(number_of(corners))]
    size = np.full(len(corners), SIDE_M * SIDE_M / 1e6)
    area = StudyArea("south-side-250m", 0, number_of(corners), size, "squares", None)
    ledger = incidents(shared_data, region).with_columns(
        known_from=(pl.col("day") + pl.duration(days=1)).cast(pl.Datetime("us", "UTC")),
        weight=pl.lit(1_000_000, dtype=pl.Int32),
        setting=pl.lit("unknown"),
    )
    start = events_needed_from(FIRST.replace(day=1))
    events = build_events(
        [ledger], area, sorted(TYPES.values()), start, cut_offs(start, LAST + timedelta(days=1))
    )
    return events, area, neighbours_of(area, corners, 16)


def spans() -> Iterator[tuple[date, date]]:
    """The days by month; the fit is of the first day of each span."""
    begin = FIRST
    while begin <= LAST:
        end = (begin.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
        yield begin, min(end, LAST)
        begin = end + timedelta(days=1)


def hit_rates(name: str, frame: Frame) -> tuple[np.ndarray, float]:
    """Pooled hit rates in per cent, ties averaged, and the burglaries they rest on."""
    events, area, near = frame
    flagged = np.array([round(coverage * area.n) for coverage in COVERAGES])
    hits, total = np.zeros(len(flagged)), 0.0
    for first, last in spans():
        fitted = model(name).fitted(FitInput(events, area, near, ("burglary",), first))
        for surface in surfaces(fitted, events, area, near, first, last):
            cell, number = incidents_of(events, "burglary", surface.date)
            hits += caught(surface.of("burglary"), cell, number, flagged)
            total += number.sum()
    return 100 * hits / total, total


def test_the_default_is_not_below_what_was_published(frame: Frame) -> None:
    print(f"\n{frame[1].n} squares; published         ", " / ".join(f"{value:5.1f}" for value in PUBLISHED))
    for name in MODELS:
        rates, total = hit_rates(name, frame)
        print(f"{name:12s} {total:5.0f} burglaries", " / ".join(f"{value:5.2f}" for value in rates))
    assert (rates >= np.array(PUBLISHED)).all()

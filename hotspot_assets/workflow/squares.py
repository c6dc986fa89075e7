"""The day as 250 m squares: the best ten or twenty of each unit, as such maps were shown.

Belongs here: moving the stored scores of a day onto squares, choosing, and the files. Not here: geometry
(hexgrid). For looking only: squares are neither issued nor measured.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from hotspot_assets.forecasting.profiles import FloatArray
from hotspot_assets.forecasting.ranking import rank, tie_seed
from hotspot_assets.hexgrid.squares import Squares, squares_over
from hotspot_assets.patrol.exports import WARNING
from hotspot_assets.settings import Settings
from hotspot_assets.warehouse.forecasts import headers_of, scores_between
from hotspot_assets.warehouse.lake import Lake
from hotspot_assets.workflow.files import write_whole
from hotspot_assets.workflow.study_area import kept_study_area, units_of

SHOWN = (10, 20)
"""How many squares of a unit are shown: the first ten are marked, twenty are listed."""

GRID_NOTE = "Another grid than the forecast's: PAI and hit rates of one are never compared with the other's."


@dataclass(frozen=True)
class SquaresOfDay:
    """The squares of a day as written: top squares by unit and offence group, and their files."""

    grid_id: str
    squares: pl.DataFrame
    paths: tuple[Path, ...]


def write_squares(lake: Lake, settings: Settings, day: date) -> SquaresOfDay | None:
    """Write the top squares of a day as GeoJSON and CSV; None where no forecast was made."""
    headers = headers_of(lake, day, day).filter(pl.col("not_made_because").is_null())
    if headers.is_empty():
        return None
    area = kept_study_area(lake, headers["study_area_id"][0])
    grid = squares_over(area, settings.trial.squares_crs)
    units = units_of(lake, settings, area)
    named = pl.DataFrame({"cell": area.cells}).join(units, on="cell", how="left", maintain_order="left")[
        "unit"
    ]
    names = grid.most_of(named)
    tables = []
    for (group,), surface in scores_between(lake, day, day).group_by("offence_group", maintain_order=True):
        scores = surface["score"].to_numpy()
        tables.append(_top(grid, names, grid.moved(scores), day, str(group)))
    squares = pl.concat(tables)
    folder = settings.outputs / day.isoformat() / "grid250"
    paths = (folder / "squares.geojson", folder / "squares.csv")
    write_whole(paths[0], _geojson(grid, squares, settings).encode())
    write_whole(paths[1], squares.drop("square").write_csv().encode())
    return SquaresOfDay(grid.grid_id, squares, paths)


def _top(grid: Squares, units: pl.Series, shares: FloatArray, day: date, group: str) -> pl.DataFrame:
    """The squares of each unit with the largest shares; ties in a seeded random order."""
    table = pl.DataFrame(
        {
            "grid_id": grid.grid_id,
            "forecast_date": day,
            "unit": units,
            "offence_group": group,
            "east_m": grid.east,
            "north_m": grid.north,
            "share": shares,
            "order": rank(shares, tie_seed(day, group, grid.grid_id)),
        }
    ).with_row_index("square")
    best = table.drop_nulls("unit").filter(pl.col("share") > 0).sort("unit", "order")
    ranked = best.with_columns(rank=pl.int_range(1, pl.len() + 1, dtype=pl.Int32).over("unit"))
    shown = ranked.filter(pl.col("rank") <= SHOWN[-1]).drop("order")
    return shown.with_columns(
        shown=pl.when(pl.col("rank") <= SHOWN[0]).then(pl.lit("top 10")).otherwise(pl.lit("top 20"))
    )


def _geojson(grid: Squares, squares: pl.DataFrame, settings: Settings) -> str:
    outlines = grid.outlines()
    data = "synthetic" if settings.area.synthetic else "recorded incidents"
    said = {"status": "draft", "data": data, "note": GRID_NOTE, "warning": WARNING}
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Polygon", "coordinates": [outlines[row.pop("square")]]},
            "properties": row | {"forecast_date": row["forecast_date"].isoformat()} | said,
        }
        for row in squares.to_dicts()
    ]
    return json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False)

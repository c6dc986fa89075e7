"""The places that are measured: the fictional city, as large and as busy as asked for."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path

import polars as pl
from shapely import union_all
from shapely.geometry import shape

from benchmarks.measure import connected
from hotspot_assets.hexgrid.cells import with_cells
from hotspot_assets.hexgrid.study_areas import StudyArea, from_boundary
from hotspot_assets.settings import Settings, load_settings
from hotspot_assets.simulation.city import CitySpec, wards, write_wards
from hotspot_assets.simulation.process import City, simulate
from hotspot_assets.simulation.records import as_of, write_delivery
from hotspot_assets.warehouse.lake import Lake, Stamp
from hotspot_assets.workflow.bucketing import bucket_new_deliveries
from hotspot_assets.workflow.deliveries import Declaration, take_in
from hotspot_assets.workflow.landing import deliver

START = date(2023, 1, 1)
RESOLUTION = 10
STAMP = Stamp("benchmark", "benchmark")


def spec_of(cells: int, per_day: float) -> CitySpec:
    """The fictional city stretched to about so many cells, with so many incidents a day."""
    factor = math.sqrt(cells / area_of(CitySpec()).n)
    plain = CitySpec()
    busier = per_day / sum(group.per_day for group in plain.groups.values())
    groups = {name: replace(group, per_day=group.per_day * busier) for name, group in plain.groups.items()}
    return replace(
        plain,
        width_m=plain.width_m * factor,
        height_m=plain.height_m * factor,
        hot_spots=max(2, round(plain.hot_spots * factor**2)),
        groups=groups,
    )


def area_of(spec: CitySpec) -> StudyArea:
    """The cells of a city."""
    return _cells_of(spec.seed, spec.width_m, spec.height_m)


@cache
def _cells_of(seed: int, width_m: float, height_m: float) -> StudyArea:
    features = wards(CitySpec(seed=seed, width_m=width_m, height_m=height_m))["features"]
    return from_boundary(union_all([shape(feature["geometry"]) for feature in features]), RESOLUTION)  # type: ignore[attr-defined]


def ledger_of(city: City) -> pl.DataFrame:
    """The city's incidents as entries of the ledger of weights, each known on the morning after its day."""
    days = (pl.lit(city.start) + pl.duration(days=pl.col("day").floor().cast(pl.Int64))).cast(pl.Date)
    rows = with_cells(city.events.select("day", "group", "latitude", "longitude"), RESOLUTION)
    return rows.select(
        day=days,
        cell="cell",
        offence_group="group",
        setting=pl.lit("unknown"),
        known_from=(days + timedelta(days=1)).cast(pl.Datetime("us", "UTC")) + timedelta(hours=3),
        weight=pl.lit(1_000_000, pl.Int32),
    )


def write_file(path: Path, spec: CitySpec, days: int, rows: int | None = None) -> Path:
    """A contract file of the city; `rows`: its incidents under new references as often as that takes."""
    once = as_of(simulate(spec, START, days), datetime(2100, 1, 1, tzinfo=UTC))
    if rows is None:
        return write_delivery(once, path)
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = connected()
    connection.register("once", once.to_arrow())
    repeats = math.ceil(rows / once.height)
    connection.execute(
        f"COPY (SELECT reference || '-' || k AS reference, * EXCLUDE (reference, k) FROM once, range({repeats}) t(k)"
        f" LIMIT {rows}) TO '{path}' (HEADER)"
    )
    connection.close()
    return path


def home_in(folder: Path, spec: CitySpec, model: str = "count_365") -> Settings:
    """A new home of the city, nothing taken in."""
    folder.mkdir(parents=True, exist_ok=True)
    boundary = write_wards(spec, folder / "wards.geojson")
    groups = ", ".join(f'"{name}"' for name in sorted(spec.groups))
    (folder / "settings.toml").write_text(
        f'[area]\nname = "Port Meridian"\nsynthetic = true\nboundary = "{boundary.name}"\nunits = "{boundary.name}"\n'
        f'unit_name_field = "name"\n[forecast]\nmodel = "{model}"\ngroups = [{groups}]\n'
        '[intake.sources.contract]\nknowledge = "recorded"\n',
        encoding="utf-8",
    )
    return load_settings({"HOTSPOT_HOME": str(folder)})


def fill(settings: Settings, file: Path) -> None:
    """Take a file in and bucket it."""
    lake = Lake(settings.warehouse, settings.data_path)
    take_in(lake, settings, deliver(file, settings.landing), Declaration(), STAMP)
    bucket_new_deliveries(lake, settings, STAMP)
    lake.close()

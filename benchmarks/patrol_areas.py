"""Patrol areas of whole cities: every promise checked, the gain over plain greedy, and the time it takes.

`python benchmarks/patrol_areas.py [folder of public data]` prints one line per city and offence: Chicago by police
beat and by community area from a year of real incidents, and the wards of the fictional city.
"""

from __future__ import annotations

import sys
import tempfile
from datetime import date
from pathlib import Path
from time import process_time

import geopandas as gpd
import numpy as np
import polars as pl

from hotspot_assets.hexgrid.boundaries import assign_units, read_boundaries
from hotspot_assets.hexgrid.cells import with_cells
from hotspot_assets.hexgrid.neighbours import neighbours
from hotspot_assets.hexgrid.study_areas import StudyArea, from_boundary
from hotspot_assets.patrol.areas import chosen_cells, patrol_areas
from hotspot_assets.patrol.budgets import Budget
from hotspot_assets.patrol.ground import lay_ground, rings_needed
from hotspot_assets.patrol.search import greedy_areas
from hotspot_assets.simulation.city import CitySpec, write_wards
from hotspot_assets.simulation.process import simulate
from hotspot_assets_tests.patrol.towns import faults, surface_of

DAY = date(2014, 6, 2)
BUDGETS = {"1 %": Budget(share=0.01), "5 %": Budget(share=0.05)}


def surface_from(area: StudyArea, places: pl.DataFrame) -> pl.DataFrame:
    """A surface from places, each spread over its cell and, by half, the cells around: ties are real ones."""
    index = area.index_of(with_cells(places, 10)["cell"].to_numpy())
    counts = np.bincount(index[index >= 0], minlength=area.n).astype(float)
    near = neighbours(area, 1).ring
    around = near.astype(bool).astype(float) @ counts - counts
    return surface_of(area, counts + around / 12)


def compare(name: str, boundaries: gpd.GeoDataFrame, offences: dict[str, pl.DataFrame]) -> None:
    """Print a line per offence and budget."""
    area = from_boundary(boundaries.geometry.union_all(), 10)
    units = assign_units(area, boundaries)
    near = neighbours(area, max(rings_needed(area, each) for each in BUDGETS.values()))
    for said, budget in BUDGETS.items():
        ground = lay_ground(area, near, budget, units)
        for offence, places in offences.items():
            surface = surface_from(area, places)
            began = process_time()
            chosen = chosen_cells(surface, ground)
            seconds = process_time() - began
            found = patrol_areas(surface, ground, DAY, offence, chosen=chosen)
            plain = chosen_cells(surface, ground, greedy_areas)
            greedy = patrol_areas(surface, ground, DAY, offence, chosen=plain)
            gain = found["share"].sum() / greedy["share"].sum() - 1
            print(
                f"{name}, {offence}, {said} of each unit: {len(ground.units)} units, {area.n} cells,"
                f" {found.height} areas, promises broken: {len(faults(found, ground))},"
                f" expected share {found['share'].sum():.4f}, above greedy {gain:+.2%}, {seconds:.2f} s"
            )


def chicago(folder: Path) -> dict[str, pl.DataFrame]:
    """Places of a year's thefts, robberies and burglaries."""
    read = pl.read_csv(folder / "chicago" / "chicago_crimes_2014.csv.gz", infer_schema=False)
    places = read.select(
        pl.col("Primary Type"),
        latitude=pl.col("Latitude").cast(pl.Float64, strict=False),
        longitude=pl.col("Longitude").cast(pl.Float64, strict=False),
    ).drop_nulls()
    return {
        kind.lower(): places.filter(pl.col("Primary Type") == kind)
        for kind in ("THEFT", "ROBBERY", "BURGLARY")
    }


def main() -> None:
    """Compare all cities that are there."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "../shared/data")
    with tempfile.TemporaryDirectory() as made:
        spec = CitySpec(seed=20140501)
        wards = read_boundaries(write_wards(spec, Path(made) / "wards.geojson"), "name")
        events = simulate(spec, date(2014, 1, 1), 365).events
        groups = {str(group): rows for (group,), rows in events.partition_by("group", as_dict=True).items()}
        compare("fictional city by ward", wards, groups)
    if not folder.is_dir():
        print(f"no public data in {folder}: Chicago was left out")
        return
    offences = chicago(folder)
    for kind in ("police_beats", "community_areas"):
        compare(
            f"Chicago by {kind}", read_boundaries(folder / "reference" / f"chicago_{kind}.geojson"), offences
        )


if __name__ == "__main__":
    main()

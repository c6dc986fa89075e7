"""Study areas of one process: what is kept for the next day is never that of another boundary, area or lake."""

from __future__ import annotations

import json
import shutil
from datetime import date
from pathlib import Path

import h3
import polars as pl
import pytest

from hotspot_assets.errors import UserError
from hotspot_assets.hexgrid.study_areas import StudyArea
from hotspot_assets.settings import Settings
from hotspot_assets.warehouse.lake import Stamp
from hotspot_assets.warehouse.reads import newest_delivery
from hotspot_assets.workflow.forecasts import make_forecasts
from hotspot_assets.workflow.study_area import keep_study_area, study_area_of_month

from .homes import deliver, home_in, lake_of, town

MARCH, DAY = date(2020, 3, 1), date(2020, 3, 9)
STAMP = Stamp("tester", "areas")


def boundary(path: Path, degrees: float) -> None:
    """A square of so many degrees to each side of the town's middle."""
    west, east, south, north = -0.1 - degrees, -0.1 + degrees, 51.5 - degrees, 51.5 + degrees
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    feature = {"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": [ring]}}
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}), encoding="utf-8")


@pytest.fixture
def bounded(tmp_path: Path) -> tuple[Settings, Path]:
    """A home of which a file says where it ends."""
    path = tmp_path / "boundary.geojson"
    boundary(path, 0.004)
    settings = home_in(tmp_path / "home", f'[area]\nboundary = "{path.as_posix()}"\n')
    deliver(settings, "town.csv", town())
    return settings, path


def area_now(settings: Settings) -> StudyArea:
    lake = lake_of(settings)
    found = study_area_of_month(lake, settings, MARCH, newest_delivery(lake))
    lake.close()
    return found


def cells_forecast(settings: Settings, day: date) -> set[int]:
    """The cells of which scores of a day stand in the lake, once made."""
    lake = lake_of(settings)
    assert all(facts.rows for facts in make_forecasts(lake, settings, day, day, STAMP))
    cells = lake.read("SELECT cell FROM proximity_scores WHERE forecast_date = ?", [day])["cell"]
    lake.close()
    return set(cells.to_list())


def test_another_boundary_under_the_same_name_is_another_area(bounded: tuple[Settings, Path]) -> None:
    settings, path = bounded
    small = area_now(settings)
    assert area_now(settings) is small  # as read before, as long as the file is the same
    boundary(path, 0.008)
    large = area_now(settings)
    assert large.n > 3 * small.n
    path.unlink()
    with pytest.raises(UserError, match=r"boundary\.geojson"):
        area_now(settings)


def test_scores_stand_in_the_cells_of_their_own_area(bounded: tuple[Settings, Path]) -> None:
    """As many days of either area in turn as there are, in one process."""
    settings, path = bounded
    for degrees, day in ((0.004, 8), (0.008, 9), (0.004, 10)):
        boundary(path, degrees)
        day_cells = cells_forecast(settings, date(2020, 3, day))
        assert day_cells == set(area_now(settings).cells.tolist())


def test_areas_of_as_many_cells_are_not_mixed_up(tmp_path: Path) -> None:
    """Two towns alike, each within a cell of resolution 7, which holds 7^3 of resolution 10."""
    found = []
    for name, east in (("here", 0.0), ("there", 0.3)):
        middle = h3.latlng_to_cell(51.5, -0.1 + east, 7)
        latitude, longitude = h3.cell_to_latlng(middle)
        up, right = latitude - 51.5, longitude + 0.1
        rows = [(*each[:4], str(float(each[4]) + up), str(float(each[5]) + right)) for each in town()]
        path = tmp_path / f"{name}.geojson"
        ring = [[lng, lat] for lat, lng in h3.cell_to_boundary(middle)]
        feature = {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}
        path.write_text(json.dumps({"type": "Feature", "properties": {}, "geometry": feature}))
        settings = home_in(tmp_path / name, f'[area]\nboundary = "{path.as_posix()}"\n')
        deliver(settings, "town.csv", rows)
        found.append((cells_forecast(settings, DAY), set(area_now(settings).cells.tolist())))
    (here, here_area), (there, there_area) = found
    assert len(here_area) == len(there_area) == 7**3
    assert here == here_area
    assert there == there_area
    assert here.isdisjoint(there)


def test_a_lake_made_anew_gets_its_study_area_again(tmp_path: Path) -> None:
    settings = home_in(tmp_path)
    deliver(settings, "town.csv", town())
    first = kept_cells(settings)
    assert first.height > 100
    shutil.rmtree(Path(settings.data_path))
    for path in Path(str(lake_of(settings).sqlite_file)).parent.glob("catalog.sqlite*"):
        path.unlink()
    deliver(settings, "again.csv", town())
    assert kept_cells(settings).equals(first)


def kept_cells(settings: Settings) -> pl.DataFrame:
    """Cells of the study area as they stand in the lake, once kept, and kept once more."""
    lake = lake_of(settings)
    area = study_area_of_month(lake, settings, MARCH, newest_delivery(lake))
    for _ in range(2):
        keep_study_area(lake, settings, area, STAMP)
    found = lake.read("SELECT cell FROM cells ORDER BY cell")
    lake.close()
    return found

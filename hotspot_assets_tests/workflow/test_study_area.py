"""Study areas of one process: what is kept for the next day is never that of another boundary, area or lake."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import h3
import polars as pl
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from hotspot_assets.errors import UserError
from hotspot_assets.hexgrid.study_areas import StudyArea
from hotspot_assets.settings import Settings
from hotspot_assets.warehouse.lake import Stamp
from hotspot_assets.warehouse.reads import delivery_clocks, incidents_as_known, newest_delivery
from hotspot_assets.workflow.dates import cut_off_of
from hotspot_assets.workflow.erasure import erase_incident
from hotspot_assets.workflow.forecasts import make_forecasts
from hotspot_assets.workflow.study_area import study_area_of_month, units_of

from .homes import COLUMNS, RECORDED, SOURCE, boundary, deliver, home_in, lake_of, row, town

MARCH, DAY = date(2020, 3, 1), date(2020, 3, 9)
STAMP = Stamp("tester", "areas")


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
    found = study_area_of_month(lake, settings, MARCH, delivery_clocks(lake), STAMP)
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


def bases(settings: Settings) -> pl.DataFrame:
    """What stands in the lake of the ways in which study areas were found."""
    lake = lake_of(settings)
    found = lake.read("SELECT * FROM study_area_bases ORDER BY basis")
    lake.close()
    return found


def found_anew(settings: Settings, month: date) -> list[int]:
    """Cells of a month's study area, from all incidents as known at its cut-off, whatever was kept."""
    lake = lake_of(settings)
    known = incidents_as_known(lake, cut_off_of(settings, month), newest_delivery(lake)).collect()
    lake.close()
    before = known.filter(pl.col("occurred_from") < datetime(month.year, month.month, month.day, tzinfo=UTC))
    cells = [h3.latlng_to_cell(*place, 10) for place in before.select("latitude", "longitude").rows()]
    return sorted({int(near, 16) for cell in cells for near in h3.grid_disk(cell, 1)})


def test_what_a_month_cannot_know_leaves_its_study_area_as_it_was_found(tmp_path: Path) -> None:
    """Each morning's delivery is known too late for the month; it is read from the lake and not looked for again."""
    settings = home_in(tmp_path, RECORDED)
    deliver(settings, "town.csv", town())
    first = area_now(settings)
    for number in range(3):
        at = datetime(2020, 3, 2 + number, 12, tzinfo=UTC)
        far = [(*row(f"far-{number}", at, 51.6 + number / 100), (at + timedelta(hours=1)).isoformat())]
        deliver(settings, f"{number}.csv", far, columns=(*COLUMNS, "recorded_at"))
        assert area_now(settings) is first
    assert bases(settings)["study_area_id"].to_list() == [first.study_area_id]
    assert first.cells.tolist() == found_anew(settings, MARCH)


@given(
    drawn=st.lists(
        st.lists(
            st.tuples(
                st.integers(0, 4),  # which incident
                st.integers(0, 60),  # day on which it happened, from January on
                st.integers(0, 40),  # days until it was recorded
                st.integers(0, 3),  # where
            ),
            min_size=1,
            max_size=3,
            unique_by=lambda each: each[0],
        ),
        min_size=1,
        max_size=4,
    )
)
@hypothesis_settings(max_examples=8, deadline=None)
def test_a_study_area_kept_is_the_one_that_would_be_found(
    drawn: list[list[tuple[int, int, int, int]]],
) -> None:
    """After each of several deliveries, with late rows and incidents that move, and for both months asked again."""
    with TemporaryDirectory() as folder:
        settings = home_in(Path(folder), RECORDED)
        deliver(settings, "town.csv", town(20))
        for number, rows in enumerate(drawn):
            delivered = []
            for name, day, after, where in rows:
                at = datetime(2020, 1, 3, 12, tzinfo=UTC) + timedelta(days=day)
                recorded = (at + timedelta(days=after)).isoformat()
                delivered.append((*row(f"i{name}", at, 51.52 + where / 50), recorded, recorded))
            columns = (*COLUMNS, "recorded_at", "modified_at")
            deliver(settings, f"{number}.csv", delivered, columns=columns)
            for month in (date(2020, 2, 1), MARCH, date(2020, 2, 1)):
                lake = lake_of(settings)
                found = study_area_of_month(lake, settings, month, delivery_clocks(lake), STAMP)
                lake.close()
                assert found.cells.tolist() == found_anew(settings, month)


def test_an_erasure_is_another_basis(tmp_path: Path) -> None:
    """A cell in which only the erased incident lay is not in the study area any more."""
    settings = home_in(tmp_path)
    alone = row("alone", datetime(2020, 2, 1, 12, tzinfo=UTC), 51.6)
    deliver(settings, "town.csv", [*town(), alone])
    before = area_now(settings)
    lake = lake_of(settings)
    erase_incident(lake, settings, SOURCE, "alone", STAMP)
    lake.close()
    after = area_now(settings)
    assert before.n - after.n == 7
    assert after.cells.tolist() == found_anew(settings, MARCH)


def test_other_units_are_another_basis(tmp_path: Path) -> None:
    """The cells are the same; the units in which they lie are those of the file in force."""
    settings = home_in(tmp_path)
    deliver(settings, "town.csv", town())
    area = area_now(settings)
    boundary(tmp_path / "units.geojson", 0.004, "Middle")
    apart = home_in(tmp_path, '[area]\nunits = "units.geojson"\nunit_name_field = "name"\n')
    assert area_now(apart).study_area_id == area.study_area_id
    lake = lake_of(apart)
    units = units_of(lake, apart, area)["unit"]
    lake.close()
    assert 0 < units.null_count() < area.n
    assert set(units.drop_nulls()) == {"Middle"}
    assert bases(apart)["study_area_id"].to_list() == [area.study_area_id] * 2


def kept_cells(settings: Settings) -> pl.DataFrame:
    """Cells of the study area as they stand in the lake, once kept, and kept once more."""
    lake = lake_of(settings)
    for _ in range(2):
        study_area_of_month(lake, settings, MARCH, delivery_clocks(lake), STAMP)
    found = lake.read("SELECT cell FROM cells ORDER BY cell")
    lake.close()
    return found

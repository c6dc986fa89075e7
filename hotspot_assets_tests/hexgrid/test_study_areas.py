from __future__ import annotations

from datetime import date

import h3
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from hotspot_assets.hexgrid.study_areas import (
    EmptyStudyAreaError,
    StudyArea,
    from_boundary,
    from_cells,
    from_incidents,
)
from hotspot_assets_tests.hexgrid.areas import disk, study_areas


@settings(max_examples=30)
@given(area=study_areas(), seed=st.integers(0, 1000))
def test_the_same_cells_in_any_order_are_the_same_study_area(area: StudyArea, seed: int) -> None:
    rng = np.random.default_rng(seed)
    again = from_cells(
        rng.permutation(np.concatenate([area.cells, area.cells[:3]])), 9, "another way", date(2020, 1, 1)
    )
    assert again.study_area_id == area.study_area_id
    assert (again.cells == area.cells).all()
    if area.n > 1:
        assert from_cells(area.cells[1:], 9, "drawn").study_area_id != area.study_area_id


@settings(max_examples=30)
@given(area=study_areas())
def test_areas_are_true_and_positions_are_found(area: StudyArea) -> None:
    true = [h3.cell_area(f"{cell:x}", unit="km^2") for cell in area.cells]
    assert np.allclose(area.area_km2, true, rtol=1e-6)
    assert area.total_area_km2 == pytest.approx(sum(true))
    assert (np.diff(area.cells.astype(object)) > 0).all()
    shuffled = np.random.default_rng(1).permutation(area.n)
    assert (area.index_of(area.cells[shuffled]) == shuffled).all()
    last_and_beyond = np.array([0, area.cells[-1], area.cells[-1] + np.uint64(1)], dtype=np.uint64)
    assert area.index_of(last_and_beyond).tolist() == [-1, area.n - 1, -1]


def test_the_average_area_of_a_resolution_would_be_wrong() -> None:
    london = from_cells(disk(51.5, -0.1, 10, 5), 10, "disk")
    assert london.total_area_km2 / london.n < 0.95 * h3.average_hexagon_area(10, unit="km^2")


def test_a_boundary_takes_the_cells_whose_centre_lies_inside() -> None:
    hole = shapely.box(-0.11, 51.50, -0.10, 51.51)
    boundary = shapely.union(
        shapely.box(-0.13, 51.49, -0.08, 51.52).difference(hole), shapely.box(-0.05, 51.49, -0.04, 51.50)
    )
    area = from_boundary(boundary, 10)
    around = disk(51.505, -0.09, 10, 60)
    lat, lng = np.array([h3.cell_to_latlng(f"{cell:x}") for cell in around]).T
    assert set(area.cells.tolist()) == set(around[shapely.contains_xy(boundary, lng, lat)].tolist())
    assert area.method == "boundary"
    assert area.as_of is None


def test_incidents_take_their_cells_and_those_beside_them() -> None:
    occupied = disk(51.5, -0.1, 10, 0).repeat(3)
    area = from_incidents(occupied, 10, date(2014, 5, 1))
    assert set(area.cells.tolist()) == set(disk(51.5, -0.1, 10, 1).tolist())
    assert area.as_of == date(2014, 5, 1)


def test_a_study_area_without_cells_is_refused() -> None:
    with pytest.raises(EmptyStudyAreaError, match="no cell"):
        from_boundary(shapely.box(-0.1, 51.5, -0.0999, 51.5001), 7)
    with pytest.raises(EmptyStudyAreaError):
        from_incidents(np.array([], dtype=np.uint64), 10, date(2014, 5, 1))

from __future__ import annotations

from datetime import date

import pytest
import shapely

from hotspot_assets.hexgrid.study_areas import StudyArea, from_boundary
from hotspot_assets.simulation.city import CitySpec, wards
from hotspot_assets.simulation.process import City, simulate

START, DAYS = date(2024, 3, 10), 420


@pytest.fixture(scope="session")
def city() -> City:
    """The city as a newcomer sees it, over two changes of the clock."""
    return simulate(CitySpec(), START, DAYS)


@pytest.fixture(scope="session")
def ward_shapes() -> list[shapely.Polygon]:
    """The wards as delivered."""
    return [shapely.geometry.shape(feature["geometry"]) for feature in wards(CitySpec())["features"]]  # type: ignore[attr-defined]


@pytest.fixture(scope="session")
def area(ward_shapes: list[shapely.Polygon]) -> StudyArea:
    """A little coarser than the main job's."""
    return from_boundary(shapely.union_all(ward_shapes).buffer(0.005), 9)

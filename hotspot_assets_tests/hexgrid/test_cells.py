from __future__ import annotations

import h3
import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotspot_assets.hexgrid.cells import (
    cell_areas_km2,
    cell_polygons,
    cell_to_hex,
    centres,
    corners,
    hex_to_cell,
    with_cells,
)

LATITUDES = st.floats(-89.9, 89.9)
LONGITUDES = st.floats(-180.0, 179.9)
PLACES = st.lists(st.tuples(LATITUDES, LONGITUDES), min_size=1, max_size=30)


def as_frame(places: list[tuple[float, float]]) -> pl.DataFrame:
    return pl.DataFrame(places, schema={"latitude": pl.Float64, "longitude": pl.Float64}, orient="row")


@given(places=PLACES, resolution=st.integers(5, 12))
def test_cells_on_columns_are_those_of_the_official_binding(
    places: list[tuple[float, float]], resolution: int
) -> None:
    got = with_cells(as_frame(places), resolution)["cell"]
    assert got.dtype == pl.UInt64
    assert got.to_list() == [int(h3.latlng_to_cell(lat, lng, resolution), 16) for lat, lng in places]


def test_rows_without_a_full_place_have_no_cell() -> None:
    frame = as_frame([(51.5, -0.1), (None, -0.1), (51.5, None), (None, None)])  # type: ignore[list-item]
    assert with_cells(frame, 10)["cell"].is_null().to_list() == [False, True, True, True]


def test_a_frame_without_rows_or_places_still_gets_the_column() -> None:
    assert with_cells(as_frame([]), 10).schema["cell"] == pl.UInt64
    assert with_cells(as_frame([(None, None)]), 10)["cell"].to_list() == [None]  # type: ignore[list-item]


@given(places=PLACES)
def test_centres_outlines_and_areas_are_those_of_the_official_binding(
    places: list[tuple[float, float]],
) -> None:
    names = [h3.latlng_to_cell(lat, lng, 9) for lat, lng in places]
    cells = np.array([int(name, 16) for name in names], dtype=np.uint64)
    assert np.allclose(
        np.column_stack(centres(cells)), [h3.cell_to_latlng(name) for name in names], atol=1e-9
    )
    assert np.allclose(cell_areas_km2(cells), [h3.cell_area(name, unit="km^2") for name in names], rtol=1e-6)
    for ring, name in zip(cell_polygons(cells), names, strict=True):
        assert ring[0] == ring[-1]
        assert [(lat, lng) for lng, lat in ring[:-1]] == list(h3.cell_to_boundary(name))
    on_columns = [(at, *corner) for at, name in enumerate(names) for corner in h3.cell_to_boundary(name)]
    assert np.allclose(corners(cells).select("at", "lat", "lng").to_numpy(), on_columns, atol=1e-9)


def test_hexadecimal_text_comes_back_whole() -> None:
    cell = h3.latlng_to_cell(51.5, -0.1, 10)
    cells = hex_to_cell([cell])
    assert cells.dtype == np.uint64
    assert cell_to_hex(cells) == [cell]


@pytest.mark.parametrize("text", ["", "8a2a1072b59ffff0", "zzz", "42"])
def test_text_that_is_no_cell_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no H3 cell"):
        hex_to_cell([text])

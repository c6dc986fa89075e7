from __future__ import annotations

from pathlib import Path

import h3
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hotspot_assets.hexgrid.cells import hex_to_cell
from hotspot_assets.hexgrid.neighbours import Neighbours, at_edge, load, neighbours, save
from hotspot_assets.hexgrid.study_areas import StudyArea, from_cells
from hotspot_assets_tests.hexgrid.areas import disk, study_areas


def agree_with_the_official_binding(area: StudyArea, near: Neighbours) -> None:
    """Every pair, its ring and its metres, against h3; and no pair missing."""
    names = [f"{cell:x}" for cell in area.cells]
    position = {name: i for i, name in enumerate(names)}
    for row, name in enumerate(names):
        expected = {}
        for ring in range(near.max_ring + 1):
            expected |= {position[other]: ring + 1 for other in h3.grid_ring(name, ring) if other in position}
        pair = slice(near.ring.indptr[row], near.ring.indptr[row + 1])
        columns = near.ring.indices[pair]
        assert dict(zip(columns.tolist(), near.ring.data[pair].tolist(), strict=True)) == expected
        assert (np.diff(columns) > 0).all()
        here = h3.cell_to_latlng(name)
        metres = [h3.great_circle_distance(here, h3.cell_to_latlng(names[i]), unit="m") for i in columns]
        assert np.allclose(near.metres(np.full(len(columns), row), columns), metres, atol=1e-3)
    everyone = list(near.pairs(near.max_ring))
    assert np.array_equal(np.concatenate([pairs.column for pairs in everyone]), near.ring.indices)
    assert np.array_equal(np.concatenate([pairs.ring for pairs in everyone]) + 1, near.ring.data)
    row = np.concatenate([pairs.row for pairs in everyone])
    assert np.array_equal(np.searchsorted(row, np.arange(area.n + 1)), near.ring.indptr)


@settings(max_examples=25)
@given(area=study_areas(), max_ring=st.integers(0, 4))
def test_pairs_are_those_of_the_official_binding(area: StudyArea, max_ring: int) -> None:
    agree_with_the_official_binding(area, neighbours(area, max_ring))


@pytest.mark.parametrize("start", [0, 1, 2, 5])
def test_rings_around_a_pentagon_have_five_sides(start: int) -> None:
    cells = h3.grid_disk(h3.get_pentagons(9)[3], 6)
    area = from_cells(hex_to_cell([cell for i, cell in enumerate(cells) if i % 7 != start]), 9, "pentagon")
    agree_with_the_official_binding(area, neighbours(area, 3))


def test_ring_numbers_are_grid_distances_in_both_directions() -> None:
    area = from_cells(disk(51.5, -0.1, 10, 4), 10, "disk")
    pairs = neighbours(area, 3).ring.tocoo()
    rows, columns = pairs.coords
    distances = [
        h3.grid_distance(f"{area.cells[a]:x}", f"{area.cells[b]:x}")
        for a, b in zip(rows, columns, strict=True)
    ]
    assert (np.array(distances) + 1 == pairs.data).all()
    assert (pairs.tocsr() != pairs.tocsr().T).nnz == 0


def test_what_was_saved_is_read_back_for_its_own_area_only(tmp_path: Path) -> None:
    area = from_cells(disk(51.5, -0.1, 10, 4), 10, "disk")
    near = neighbours(area, 2)
    path = tmp_path / "cache" / "near.npy"
    save(near, path)
    again = load(path, area)
    assert (again.study_area_id, again.max_ring) == (near.study_area_id, 2)
    assert (again.ring != near.ring).nnz == 0
    assert np.array_equal(again.points_m, near.points_m)
    assert [file.name for file in path.parent.iterdir()] == ["near.npy"]
    with pytest.raises(ValueError, match="another study area"):
        load(path, from_cells(area.cells[1:], 10, "disk"))


@settings(max_examples=25)
@given(area=study_areas())
def test_a_cell_is_at_the_edge_where_the_official_binding_finds_a_neighbour_outside(area: StudyArea) -> None:
    names = [f"{cell:x}" for cell in area.cells]
    outside = [bool(set(h3.grid_disk(name, 1)) - set(names)) for name in names]
    assert at_edge(area).tolist() == outside


def test_the_middle_of_a_pentagon_s_disk_is_not_at_its_edge() -> None:
    pentagon = h3.get_pentagons(9)[0]
    area = from_cells(hex_to_cell(h3.grid_disk(pentagon, 2)), 9, "test")
    edges = dict(zip((f"{cell:x}" for cell in area.cells), at_edge(area).tolist(), strict=True))
    assert not edges[pentagon]
    assert all(edges[cell] == (h3.grid_distance(pentagon, cell) == 2) for cell in h3.grid_disk(pentagon, 1))

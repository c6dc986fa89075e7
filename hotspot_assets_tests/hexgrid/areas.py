"""Random study areas: blobs of cells with holes, as cities have."""

from __future__ import annotations

import h3
import numpy as np
from hypothesis import strategies as st

from hotspot_assets.hexgrid.study_areas import StudyArea, from_cells


def disk(lat: float, lng: float, resolution: int, rings: int) -> np.ndarray:
    """Cells within so many rings of a place, by the official binding."""
    cells = h3.grid_disk(h3.latlng_to_cell(lat, lng, resolution), rings)
    return np.array([int(cell, 16) for cell in cells], dtype=np.uint64)


@st.composite
def study_areas(draw: st.DrawFn) -> StudyArea:
    """A disk somewhere on Earth with some of its cells taken out."""
    cells = disk(draw(st.floats(-80, 80)), draw(st.floats(-175, 175)), 9, draw(st.integers(1, 5)))
    kept = np.random.default_rng(draw(st.integers(0, 2**32))).uniform(size=len(cells)) < draw(
        st.floats(0.2, 1.0)
    )
    return from_cells(cells[kept] if kept.any() else cells, 9, "drawn")

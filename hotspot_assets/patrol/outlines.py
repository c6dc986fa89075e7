"""Outlines: connected cells as one polygon.

Belongs here: the shape of an area as text. Not here: files and pictures of it (`exports`, `maps`).
"""

from __future__ import annotations

from collections.abc import Sequence

import h3

from hotspot_assets.hexgrid.cells import cell_to_hex


def outline_wkt(cells: Sequence[int]) -> str:
    """Outline of connected cells as WKT in degrees (EPSG:4326), holes included."""
    shape = h3.cells_to_h3shape(cell_to_hex(cells), tight=False)
    return (
        f"MULTIPOLYGON ({', '.join(_polygon(part) for part in shape)})"
        if len(shape) > 1
        else (f"POLYGON {_polygon(shape[0])}")
    )


def _polygon(part: h3.LatLngPoly) -> str:
    rings = [part.outer, *part.holes]
    closed = [", ".join(f"{lng!r} {lat!r}" for lat, lng in [*ring, ring[0]]) for ring in rings]
    return f"({', '.join(f'({ring})' for ring in closed)})"

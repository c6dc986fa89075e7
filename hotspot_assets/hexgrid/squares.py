"""Squares of local metres: the form in which maps of 250 m cells were shown.

Belongs here: how the cells of a study area fall into squares, and moving shares from one to the other. Not
here: which squares are shown. Squares are another grid with another grid id: nothing measured on them may be
compared with hexagons, or with squares of another origin.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import polars_h3 as plh3

from hotspot_assets.errors import UserError
from hotspot_assets.hexgrid.cells import centres
from hotspot_assets.hexgrid.study_areas import StudyArea

SIDE_M = 250
_FINER = 2
"""A cell is spread over squares by the centres of its children so many resolutions finer: 49 equal parts."""


class NoLocalMetres(UserError):
    """A coordinate system that does not measure the study area in metres."""


@dataclass(frozen=True, eq=False)
class Squares:
    """Where cells fall: `parts` has square (number), cell (index in the study area) and part (of the cell).

    `east`, `north` are the lower left corners in metres of `crs`, sorted by (east, north); parts of a cell sum
    to 1.
    """

    grid_id: str
    crs: str
    east: npt.NDArray[np.int64]
    north: npt.NDArray[np.int64]
    parts: pl.DataFrame

    def moved(self, shares: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Shares of the cells as shares of the squares; the sum stays."""
        weights = shares[self.parts["cell"].to_numpy()] * self.parts["part"].to_numpy()
        squares = self.parts["square"].to_numpy()
        return np.asarray(np.bincount(squares, weights=weights, minlength=len(self.east)), dtype=np.float64)

    def most_of(self, names: pl.Series) -> pl.Series:
        """The name that most of each square bears, given one name (or null) per cell; null: none bears any."""
        named = self.parts.with_columns(name=names[self.parts["cell"].to_numpy()]).drop_nulls("name")
        best = (
            named.group_by("square", "name")
            .agg(pl.col("part").sum())
            .sort("square", "part", "name", descending=[False, True, False])
            .group_by("square", maintain_order=True)
            .first()
        )
        every = pl.DataFrame({"square": np.arange(len(self.east), dtype=np.int64)})
        return every.join(best, on="square", how="left").sort("square")["name"]

    def outlines(self) -> list[list[tuple[float, float]]]:
        """The ring of each square as (longitude, latitude), closed, counter-clockwise."""
        across, up = np.array([0, 1, 1, 0, 0]) * SIDE_M, np.array([0, 0, 1, 1, 0]) * SIDE_M
        x, y = self.east[:, None] + across, self.north[:, None] + up
        longitude, latitude = _transformer(self.crs, "EPSG:4326").transform(x.ravel(), y.ravel())
        points = list(zip(np.round(longitude, 7).tolist(), np.round(latitude, 7).tolist(), strict=True))
        return [points[start : start + 5] for start in range(0, len(points), 5)]


def squares_over(area: StudyArea, crs: str | None = None) -> Squares:
    """The squares over a study area, on whole multiples of 250 m in `crs`; without it in its UTM zone.

    Raises
    ------
    NoLocalMetres
        When `crs` is not known, or is not in metres.
    """
    chosen = crs or _utm(area)
    frame = pl.DataFrame({"cell": np.arange(area.n), "id": area.cells})
    finer = frame.with_columns(child=plh3.cell_to_children("id", area.resolution + _FINER))
    finer = finer.explode("child", empty_as_null=False)
    latitude, longitude = centres(finer["child"].to_numpy())
    x, y = _transformer("EPSG:4326", chosen).transform(longitude, latitude)
    placed = finer.select(
        pl.col("cell"),
        east=pl.Series(np.floor(x / SIDE_M).astype(np.int64) * SIDE_M),
        north=pl.Series(np.floor(y / SIDE_M).astype(np.int64) * SIDE_M),
    )
    parts = placed.with_columns(whole=pl.len().over("cell")).group_by("east", "north", "cell").agg(
        part=pl.len() / pl.col("whole").first()
    )  # fmt: skip
    corners = parts.select("east", "north").unique().sort("east", "north").with_row_index("square")
    numbered = parts.join(corners, on=["east", "north"]).sort("square", "cell")
    return Squares(
        f"squares-{SIDE_M}m-{chosen}",
        chosen,
        corners["east"].to_numpy(),
        corners["north"].to_numpy(),
        numbered.select(pl.col("square").cast(pl.Int64), "cell", "part"),
    )


def _transformer(source: str, target: str) -> Any:
    from pyproj import CRS, Transformer
    from pyproj.exceptions import CRSError

    try:
        local = CRS(target if source == "EPSG:4326" else source)
    except CRSError as error:
        raise NoLocalMetres(f"{target!r} is no coordinate system; write it as 'EPSG:27700'.") from error
    if any(axis.unit_name != "metre" for axis in local.axis_info):
        raise NoLocalMetres(f"{local.to_string()} is not in metres; name a projected system, or none.")
    return Transformer.from_crs(source, target, always_xy=True)


def _utm(area: StudyArea) -> str:
    """The UTM zone (WGS 84) of the middle of the area."""
    latitude, longitude = (float(np.mean(each)) for each in area.centres)
    zone = int((longitude + 180.0) // 6.0) % 60 + 1
    return f"EPSG:{(32600 if latitude >= 0 else 32700) + zone}"

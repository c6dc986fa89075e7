"""Drawing: what every picture of a surface shares, so that a map and a sheet look alike.

Belongs here: classes of scores and their colours, and flat coordinates in metres. Not here: a picture itself
(`maps`, `briefing`).

Cells are shown in classes by rank and true area ("the highest 1 % of the area"), never by a continuous scale:
a class can be named in a legend, told apart in greyscale and by colour-blind readers (lightness falls from
class to class; hues from cividis, Nunez et al. 2018), and a share of the area means the same on every day.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import cos, log10, radians
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from hotspot_assets.hexgrid.study_areas import StudyArea

FloatArray = npt.NDArray[np.float64]

METRES_PER_DEGREE = 111_195.0
"""Length of a degree of a great circle on the sphere that H3 lies on."""


@dataclass(frozen=True)
class ScoreClass:
    """Cells up to `coverage` of the area, highest first, and how they look."""

    coverage: float
    colour: str
    label: str


CLASSES = (
    ScoreClass(0.01, "#00224e", "highest 1 %"),
    ScoreClass(0.02, "#35456c", "1 to 2 %"),
    ScoreClass(0.05, "#666970", "2 to 5 %"),
    ScoreClass(0.10, "#948e77", "5 to 10 %"),
    ScoreClass(0.20, "#c8b866", "10 to 20 %"),
    ScoreClass(1.00, "#f3efe0", "the other 80 %"),
)
NOT_COVERED = "#ffffff"


def classes_of(area: StudyArea, rank: npt.NDArray[np.integer]) -> npt.NDArray[np.int64]:
    """Index into `CLASSES` for each cell; `rank` is aligned with the study area, 1 = highest."""
    order = np.argsort(rank)
    above = np.cumsum(area.area_km2[order]) - area.area_km2[order] / 2
    found = np.empty(area.n, dtype=np.int64)
    edges = np.array([each.coverage for each in CLASSES[:-1]]) * area.total_area_km2
    found[order] = np.searchsorted(edges, above)
    return found


@dataclass(frozen=True, eq=False)
class Shading:
    """What all maps of a day's surfaces share, worked out once.

    Attributes
    ----------
    groups
        Offence groups, ascending.
    classes
        int64[n, 1 + groups]: index into `CLASSES` of each cell, for all groups together and for each.
    lats, lngs
        Degrees of the cells' centres.
    """

    groups: tuple[str, ...]
    classes: npt.NDArray[np.int64]
    lats: FloatArray
    lngs: FloatArray


def shading_of(area: StudyArea, surfaces: Mapping[str, pl.DataFrame]) -> Shading:
    """Shades of surfaces over the whole study area; each has the columns cell, score, rank."""
    together, columns = np.zeros(area.n), []
    for group in sorted(surfaces):
        position = area.index_of(surfaces[group]["cell"].to_numpy())
        rank = np.empty(area.n, dtype=np.int64)
        rank[position] = surfaces[group]["rank"].to_numpy()
        together[position] += surfaces[group]["score"].to_numpy()
        columns.append(classes_of(area, rank))
    rank = np.empty(area.n, dtype=np.int64)
    rank[np.argsort(-together, kind="stable")] = np.arange(1, area.n + 1)
    lats, lngs = area.centres
    return Shading(tuple(sorted(surfaces)), np.stack([classes_of(area, rank), *columns], axis=1), lats, lngs)


@dataclass(frozen=True)
class Flat:
    """A flat map around a point: x east and y north of it, in metres (equirectangular, true at the point)."""

    lat: float
    lng: float

    @classmethod
    def around(cls, lats: FloatArray, lngs: FloatArray) -> Flat:
        """The map around the middle of some points."""
        return cls(float(lats.min() + lats.max()) / 2, float(lngs.min() + lngs.max()) / 2)

    def x(self, lng: Any) -> Any:
        """Metres east; takes and gives a number or an array."""
        return (lng - self.lng) * METRES_PER_DEGREE * cos(radians(self.lat))

    def y(self, lat: Any) -> Any:
        """Metres north; takes and gives a number or an array."""
        return (lat - self.lat) * METRES_PER_DEGREE

    def xy(self, lnglat: npt.ArrayLike) -> FloatArray:
        """Points (longitude, latitude) as metres, float64[n, 2]."""
        points = np.asarray(lnglat, dtype=np.float64)
        return np.column_stack([self.x(points[:, 0]), self.y(points[:, 1])])


def rings_of(geometry: Any) -> Iterator[FloatArray]:
    """Outer and inner rings of a shapely (multi)polygon, as float64[n, 2] of (longitude, latitude)."""
    for part in getattr(geometry, "geoms", [geometry]):
        if part.geom_type == "Polygon" and not part.is_empty:
            for ring in (part.exterior, *part.interiors):
                yield np.asarray(ring.coords)[:, :2]


def round_length_m(about_m: float) -> float:
    """The largest of 1, 2 or 5 times a power of ten that is not above a length: what a scale bar shows."""
    power: float = 10.0 ** int(np.floor(log10(about_m)))
    return max(step * power for step in (1.0, 2.0, 5.0) if step * power <= about_m)


def length_label(metres: float) -> str:
    """A length as people write it: 500 m, 2 km."""
    return f"{metres / 1000:g} km" if metres >= 1000 else f"{metres:g} m"

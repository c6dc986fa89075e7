"""Maps: a day's surface and its patrol areas as one picture (PNG).

Belongs here: the picture kept with the asset and in the day's folder. Not here: the sheet that officers
carry (`briefing`), and files for other map programs (`exports`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import polars as pl

from hotspot_assets.hexgrid.study_areas import StudyArea
from hotspot_assets.patrol.drawing import (
    CLASSES,
    Flat,
    classes_of,
    length_label,
    rings_of,
    round_length_m,
)
from hotspot_assets.patrol.wording import plain_group

if TYPE_CHECKING:
    import geopandas as gpd

MOST_BYTES = 100_000
"""A picture lives in the event log as text, so it stays below this."""

_MARGIN = 0.05  # around the study area, as a share of its size

_MOST_LABELS = 60  # more numbers than this cannot be read


@dataclass(frozen=True, eq=False)
class MapView:
    """What a map shows.

    Attributes
    ----------
    surface
        Columns cell, rank: one offence group's surface over the whole study area.
    areas
        Patrol areas (columns rank, cells, geometry) of the same day and offence group.
    boundaries
        Column geometry in degrees, drawn as thin lines; None: none.
    cut_off
        As people should read it, with its zone.
    """

    area: StudyArea
    surface: pl.DataFrame
    areas: pl.DataFrame
    place: str
    offence_group: str
    forecast_date: date
    cut_off: str
    synthetic: bool
    boundaries: gpd.GeoDataFrame | None = None


def map_png(view: MapView) -> bytes:
    """The map as PNG, below `MOST_BYTES`."""
    from PIL import Image

    picture = Image.fromarray(_drawn(view)).convert("RGB")
    for colours, width in ((64, 1.0), (32, 1.0), (32, 0.8), (16, 0.65), (16, 0.5), (8, 0.35)):
        size = int(picture.width * width), int(picture.height * width)
        smaller = picture if width == 1.0 else picture.resize(size, Image.Resampling.LANCZOS)
        packed = BytesIO()
        smaller.quantize(colours, Image.Quantize.FASTOCTREE).save(packed, "PNG")
        if packed.tell() <= MOST_BYTES:
            break
    return packed.getvalue()


def _drawn(view: MapView) -> npt.NDArray[np.uint8]:
    """The map at full size: its pixels in red, green, blue, and how much they cover."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    lats, lngs = view.area.centres
    flat = Flat.around(lats, lngs)
    wide, high = np.ptp(flat.x(lngs)) + 500, np.ptp(flat.y(lats)) + 500
    shape = float(np.clip(high / wide, 0.5, 1.4))
    figure = Figure(figsize=(9.0, 9.0 * shape + 1.3), dpi=100)
    canvas: Any = FigureCanvasAgg(figure)
    axes = figure.add_axes((0.02, 0.10, 0.96, 0.82))
    axes.set_aspect("equal")
    axes.set_axis_off()
    _hexagons(axes, view, flat)
    _lines(axes, view.boundaries, flat)
    _areas(axes, view.areas, flat)
    _furniture(figure, axes, view)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())


def _hexagons(axes: Any, view: MapView, flat: Flat) -> None:
    """Hexagons, those of a class and above as one path, the highest last: one by one they would take seconds."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    rank = np.empty(view.area.n, dtype=np.int64)
    rank[view.area.index_of(view.surface["cell"].to_numpy())] = view.surface["rank"].to_numpy()
    classes = classes_of(view.area, rank)
    corners = view.area.corners
    at, points = corners["at"].to_numpy(), flat.xy(corners.select("lng", "lat").to_numpy())
    begins = np.append(True, at[1:] != at[:-1])
    for number, each in reversed(list(enumerate(CLASSES))):
        chosen = classes[at] <= number
        path = Path(points[chosen], np.where(begins[chosen], Path.MOVETO, Path.LINETO))
        axes.add_artist(PathPatch(path, facecolor=each.colour, edgecolor="none"))
    (left, low), (right, high) = points.min(axis=0), points.max(axis=0)
    edge_x, edge_y = _MARGIN * (right - left), _MARGIN * (high - low)
    axes.set_xlim(left - edge_x, right + edge_x)
    axes.set_ylim(low - edge_y, high + edge_y)


def _lines(axes: Any, boundaries: gpd.GeoDataFrame | None, flat: Flat) -> None:
    from matplotlib.collections import LineCollection

    if boundaries is None:
        return
    lines = [flat.xy(ring) for geometry in boundaries.geometry for ring in rings_of(geometry)]
    axes.add_collection(LineCollection(lines, colors="#7a7a7a", linewidths=0.6))


def _areas(axes: Any, areas: pl.DataFrame, flat: Flat) -> None:
    """Outlines with a light casing, and ranks where they can be read."""
    import shapely
    from matplotlib.collections import LineCollection

    shapes = [shapely.from_wkt(text) for text in areas["geometry"]]
    lines = [flat.xy(ring) for shape in shapes for ring in rings_of(shape)]
    crowded = len(shapes) > _MOST_LABELS
    for colour, width in (("white", 3.6), ("black", 1.8)):
        thin = width / 2 if crowded else width
        axes.add_collection(LineCollection(lines, colors=colour, linewidths=thin, zorder=3))
    if crowded:
        return
    for shape, rank in zip(shapes, areas["rank"], strict=True):
        (x, y), *_ = flat.xy([(shape.centroid.x, shape.bounds[3])])
        axes.annotate(
            str(rank),
            (x, y),
            xytext=(0, 5),
            textcoords="offset points",
            ha="center",
            fontsize=10,
            fontweight="bold",
            bbox={"boxstyle": "round,pad=0.2", "facecolor": "white", "edgecolor": "black"},
            zorder=4,
        )


def _furniture(figure: Any, axes: Any, view: MapView) -> None:
    """Title, legend, scale bar, north arrow, and the word SYNTHETIC where it belongs."""
    from matplotlib.patches import Patch

    title = f"{view.place}: {plain_group(view.offence_group)}, {view.forecast_date:%A %d %B %Y}"
    figure.text(0.02, 0.965, title, fontsize=14, fontweight="bold", va="center", parse_math=False)
    known = f"Known up to {view.cut_off}. Black outlines: patrol areas, with their rank within the unit."
    figure.text(0.02, 0.935, known, fontsize=9, va="center", parse_math=False)
    handles = [Patch(facecolor=each.colour, edgecolor="#7a7a7a", label=each.label) for each in CLASSES]
    figure.legend(
        handles=handles, loc="lower left", bbox_to_anchor=(0.01, 0.0), ncols=3, fontsize=9, frameon=False,
        title="Share of the area, by what is expected: darker is more", title_fontsize=9, alignment="left",
    )  # fmt: skip
    left, right = axes.get_xlim()
    bar_m = round_length_m((right - left) / 4)
    bottom, top = axes.get_ylim()
    start, base = right - bar_m, bottom - 0.03 * (top - bottom)
    axes.plot([start, right], [base, base], color="black", linewidth=3, clip_on=False, solid_capstyle="butt")
    axes.text(right - bar_m / 2, base, length_label(bar_m), ha="center", va="bottom", fontsize=9)
    axes.annotate(
        "N", xy=(0.985, 1.0), xytext=(0.985, 0.92), xycoords="axes fraction", ha="center", fontsize=12,
        fontweight="bold", arrowprops={"arrowstyle": "->", "linewidth": 2},
    )  # fmt: skip
    if view.synthetic:
        figure.text(
            0.5, 0.5, "SYNTHETIC", fontsize=72, fontweight="bold", color="black", alpha=0.28,
            ha="center", va="center", rotation=25,
        )  # fmt: skip
        figure.text(
            0.98, 0.965, "SYNTHETIC: a fictional place", fontsize=12, fontweight="bold", ha="right",
            va="center", bbox={"facecolor": "black", "pad": 4}, color="white",
        )  # fmt: skip

"""Briefing as PDF: the same sheets, an A4 page each, drawn by matplotlib.

Belongs here: the layout on paper. Not here: what the sheet says (`sheets`). It is drawn rather than printed
from the HTML page because that would need a browser on every installation; matplotlib is here anyway.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from io import BytesIO
from typing import Any

import numpy as np

from hotspot_assets.patrol.drawing import CLASSES, length_label
from hotspot_assets.patrol.exports import WARNING
from hotspot_assets.patrol.sheet_map import SheetMap, sheet_map
from hotspot_assets.patrol.sheets import (
    Sheet,
    approval_text,
    exclusions_text,
    known_text,
    lines_of,
    notices_of,
    source_text,
    status_of,
)
from hotspot_assets.patrol.wording import plain_group

_WIDE, _HIGH = 8.27, 11.69  # A4, inches
_LEFT, _RIGHT = 0.05, 0.95
_SPARSE = 14  # up to so many areas, three lines of reasons each; beyond, two in smaller type
_SETTINGS: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "pdf.fonttype": 42,
    "text.parse_math": False,
    "svg.hashsalt": "sheet",
}


def sheets_pdf(sheets: Sequence[Sheet]) -> bytes:
    """Sheets as one PDF, an A4 page each: fonts are embedded once. Equal sheets give equal bytes."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_pdf import FigureCanvasPdf, PdfPages
    from matplotlib.figure import Figure

    first = sheets[0]
    units = first.unit if len(sheets) == 1 else f"{len(sheets)} units"
    title = f"{status_of(first)}: patrol areas, {units}, {first.forecast_date}, {first.shift}"
    packed = BytesIO()
    with (
        rc_context(_SETTINGS),
        PdfPages(packed, metadata={"Title": title, "CreationDate": None, "Creator": None}) as pages,
    ):
        for sheet in sheets:
            figure = Figure(figsize=(_WIDE, _HIGH))
            FigureCanvasPdf(figure)
            below = _map(figure, sheet, _head(figure, sheet))
            _table(figure, sheet, below)
            _foot(figure, sheet)
            pages.savefig(figure)
    return packed.getvalue()


def _head(figure: Any, sheet: Sheet) -> float:
    """Title, time and notices; gives the height they leave."""
    figure.text(_LEFT, 0.965, f"Patrol areas: {sheet.unit}", fontsize=15, fontweight="bold", va="center")
    box = {"facecolor": "white", "edgecolor": "black", "pad": 4}
    figure.text(
        _RIGHT, 0.965, status_of(sheet), fontsize=11, fontweight="bold", ha="right", va="center", bbox=box
    )
    day = f"{sheet.forecast_date:%A} {sheet.forecast_date.day} {sheet.forecast_date:%B %Y}"
    figure.text(
        _LEFT,
        0.945,
        f"{sheet.place}, {day}, {sheet.shift} shift, {sheet.shift_window}",
        fontweight="bold",
        va="center",
    )
    told = f"{known_text(sheet)}. Times are local ({sheet.zone}). Tier: OPERATIONAL."
    figure.text(_LEFT, 0.931, told, fontsize=7, va="center")
    at = 0.916
    for notice in notices_of(sheet):
        dark = {"facecolor": "black", "edgecolor": "black", "pad": 2.5}
        figure.text(_LEFT, at, notice, color="white", fontweight="bold", fontsize=7.5, va="center", bbox=dark)
        at -= 0.018
    return at


def _map(figure: Any, sheet: Sheet, top: float) -> float:
    """The map with its legend; gives the height it leaves."""
    from matplotlib.patches import Patch

    drawing = sheet_map(sheet)
    high = 0.27
    axes = figure.add_axes((_LEFT, top - high, 0.60, high))
    _limits(axes, drawing, 0.60 * _WIDE / (high * _HIGH))
    axes.set_xticks([])
    axes.set_yticks([])
    _shapes(axes, drawing)
    start, base = drawing.left + drawing.width * 0.03, drawing.top + drawing.height * 0.97
    axes.plot([start, start + drawing.bar_m], [base, base], color="black", linewidth=2.5, zorder=6)
    axes.text(
        start, base - drawing.height * 0.01, length_label(drawing.bar_m), fontsize=7, va="bottom", zorder=6
    )
    axes.annotate(
        "N", xy=(0.96, 0.99), xytext=(0.96, 0.88), xycoords="axes fraction", ha="center", fontweight="bold",
        arrowprops={"arrowstyle": "->", "linewidth": 1.6},
    )  # fmt: skip
    if sheet.synthetic or sheet.approval is None:
        word = "SYNTHETIC" if sheet.synthetic else "DRAFT"
        axes.text(
            0.5, 0.5, word, transform=axes.transAxes, fontsize=38, fontweight="bold", alpha=0.25, rotation=25,
            ha="center", va="center", zorder=7,
        )  # fmt: skip
    handles = [Patch(facecolor=each.colour, edgecolor="#767676", label=each.label) for each in CLASSES]
    figure.legend(
        handles=handles, loc="upper left", bbox_to_anchor=(0.665, top + 0.004), fontsize=7, frameon=False, ncols=2,
        title="Share of the area, by what is expected", title_fontsize=7.5, alignment="left",
    )  # fmt: skip
    words = (
        f"Thick line: {sheet.unit}. Outlined and lettered: patrol areas. Shares are of the whole study area."
        " No incident is shown."
    )
    figure.text(0.67, top - 0.065, textwrap.fill(words, 44), fontsize=7, va="top")
    figure.text(0.67, top - 0.125, textwrap.fill(exclusions_text(sheet), 44), fontsize=7, va="top")
    _strips(figure, sheet, top - 0.17)
    return top - high - 0.022


def _limits(axes: Any, drawing: SheetMap, shape: float) -> None:
    """Show the whole map in a frame of the given width to height, true to scale; y runs down."""
    wide, high = max(drawing.width, drawing.height * shape), max(drawing.height, drawing.width / shape)
    x, y = drawing.left + drawing.width / 2, drawing.top + drawing.height / 2
    axes.set_xlim(x - wide / 2, x + wide / 2)
    axes.set_ylim(y + high / 2, y - high / 2)
    axes.set_aspect("equal")


def _strips(figure: Any, sheet: Sheet, top: float) -> None:
    """The hours of the day, one strip per offence group, in one frame."""
    from matplotlib.collections import PolyCollection

    if not sheet.hours:
        return
    figure.text(0.67, top + 0.009, "Hours of the day, 0 to 24", fontsize=7, fontweight="bold", va="center")
    rows = len(sheet.hours)
    axes = figure.add_axes((0.76, top - 0.018 * rows, 0.19, 0.018 * rows))
    axes.set_xlim(0, 24)
    axes.set_ylim(rows, 0)
    axes.set_axis_off()
    bars = []
    for row, (group, hours) in enumerate(sorted(sheet.hours.items())):
        foot = row + 0.9
        for hour, share in enumerate(hours):
            height = 0.75 * share / max(hours)
            left, right = hour + 0.1, hour + 0.9
            bars.append([(left, foot), (right, foot), (right, foot - height), (left, foot - height)])
        figure.text(0.67, top - 0.009 - 0.018 * row, plain_group(group), fontsize=7, va="center")
    axes.add_collection(PolyCollection(bars, facecolors="#35456c", edgecolors="none"), autolim=False)


def _shapes(axes: Any, drawing: SheetMap) -> None:
    from matplotlib.collections import LineCollection, PolyCollection

    rings = [_points(each.path)[0] for each in drawing.hexagons]
    colours = [CLASSES[int(each.classes[0])].colour for each in drawing.hexagons]
    axes.add_collection(
        PolyCollection(rings, facecolors=colours, edgecolors="white", linewidths=0.1, zorder=1)
    )
    styles = (
        (drawing.street_path, "#8a8a8a", 0.5),
        (drawing.other_path, "#767676", 0.7),
        (drawing.unit_path, "black", 1.6),
    )
    for path, colour, width in styles:
        axes.add_collection(LineCollection(_points(path), colors=colour, linewidths=width, zorder=2))
    lines = [ring for each in drawing.outlines for ring in _points(each.path)]
    for colour, width in (("white", 2.6), ("black", 1.3)):
        axes.add_collection(LineCollection(lines, colors=colour, linewidths=width, zorder=3))
    for name in drawing.names:
        axes.text(name.x, name.y, name.text, fontsize=6, ha="center", color="#333333", zorder=4, clip_on=True)
    light = {"facecolor": "white", "edgecolor": "none", "pad": 0.6, "alpha": 0.85}
    for each in drawing.outlines:
        if not each.code:
            continue
        axes.text(
            each.x, each.y, each.code, fontsize=6.5, fontweight="bold", ha="center", bbox=light, zorder=5
        )


def _points(path: str) -> list[Any]:
    """The rings and lines of an SVG path made by `sheet_map`."""
    found = []
    for part in path.split("M")[1:]:
        numbers = np.array(re.findall(r"-?[\d.]+", part), dtype=np.float64).reshape(-1, 2)
        found.append(np.vstack([numbers, numbers[:1]]) if part.endswith("Z") else numbers)
    return found


def _table(figure: Any, sheet: Sheet, top: float) -> None:
    """The list of areas, in type that fits the page."""
    lines = lines_of(sheet)
    deep = 3 if len(lines) <= _SPARSE else 2
    room = (top - 0.145) * _HIGH * 72
    size = float(np.clip(room / ((1.15 * deep + 0.3) * (len(lines) + 1)), 4.4, 7.0))
    row = (1.15 * deep + 0.3) * size / (_HIGH * 72)
    columns = (_LEFT, 0.09, 0.20, 0.265, 0.335, 0.80)
    heads = ("Area", "Where", "Rank", "Minutes", "Why here", "Caught before")
    for x, head in zip(columns, heads, strict=True):
        figure.text(x, top, head, fontsize=size, fontweight="bold", va="top")
    wide = int(0.455 * _WIDE * 72 / (0.58 * size))
    for number, line in enumerate(lines, 1):
        at = top - number * row + 0.4 * row
        name = f"{line.name} (added)" if line.added else line.name
        texts = (line.code, name, line.rank, str(line.minutes), line.why, line.track)
        for x, text in zip(columns, texts, strict=True):
            shown = _fit(text, wide if x == columns[4] else int(wide * 0.28), deep)
            weight = "bold" if x == _LEFT else "normal"
            figure.text(x, at, shown, fontsize=size, va="top", linespacing=1.05, fontweight=weight)


def _fit(text: str, wide: int, deep: int) -> str:
    """The text in at most so many lines."""
    return "\n".join(textwrap.wrap(text, wide, max_lines=deep, placeholder=" ..."))


def _foot(figure: Any, sheet: Sheet) -> None:
    """Warning, approval, source and the return box."""
    box = {"facecolor": "white", "edgecolor": "black", "linewidth": 1.6, "pad": 4}
    figure.text(0.5, 0.124, WARNING, fontsize=10, fontweight="bold", ha="center", va="center", bbox=box)
    figure.text(
        _LEFT, 0.110, textwrap.fill(approval_text(sheet), 115), fontsize=7, fontweight="bold", va="top"
    )
    figure.text(_LEFT, 0.087, textwrap.fill(source_text(sheet), 135), fontsize=6.5, va="top")
    axes = figure.add_axes((_LEFT, 0.022, _RIGHT - _LEFT, 0.046))
    axes.set_xticks([])
    axes.set_yticks([])
    for x, head in zip(
        (0.01, 0.26, 0.51, 0.76),
        ("Area", "In, out (time)", "On foot, by vehicle", "What is wrong?"),
        strict=True,
    ):
        axes.text(x, 0.82, head, fontsize=6.5, va="center", transform=axes.transAxes)
        axes.plot([x, x + 0.21], [0.3, 0.3], color="black", linewidth=0.5, transform=axes.transAxes)
    axes.text(
        0.01,
        0.12,
        "Return box: hand back at the end of the shift. Write no names.",
        fontsize=6.5,
        va="center",
        transform=axes.transAxes,
    )

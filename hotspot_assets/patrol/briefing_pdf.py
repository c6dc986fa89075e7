"""Briefing as PDF: the same sheets, an A4 page each, drawn by ReportLab.

Belongs here: the layout on paper. Not here: what the sheet says (`sheets`). It is drawn rather than printed
from the HTML page because that would need a browser on every installation.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from hotspot_assets.patrol.drawing import CLASSES, length_label
from hotspot_assets.patrol.exports import WARNING
from hotspot_assets.patrol.sheet_map import SheetMap
from hotspot_assets.patrol.sheets import (
    Sheet,
    approval_text,
    exclusions_text,
    known_text,
    notices_of,
    source_text,
    status_of,
)
from hotspot_assets.patrol.wording import plain_group

if TYPE_CHECKING:
    from reportlab.pdfgen.canvas import Canvas

_WIDE, _HIGH = 595.276, 841.89  # A4, points
_LEFT, _RIGHT = 0.05, 0.95
_MAP_WIDE, _MAP_HIGH = 0.60, 0.27
_SPARSE = 14  # up to so many areas, three lines of reasons each; beyond, two in smaller type
_CAPITALS = 0.73  # height of capitals by size of type
_LINE = 1.16  # distance of lines by size of type
_PLAIN, _BOLD = "DejaVuSans", "DejaVuSans-Bold"
_INK, _PALE_INK, _PAPER, _THIN_PAPER = "#000000", "#00000040", "#ffffff", "#ffffffd9"


def sheets_pdf(sheets: Sequence[tuple[Sheet, SheetMap]]) -> bytes:
    """Sheets with their maps as one PDF, an A4 page each: fonts are embedded once. Equal sheets give equal bytes."""
    from reportlab.pdfgen.canvas import Canvas

    _know_fonts()
    first, _ = sheets[0]
    units = first.unit if len(sheets) == 1 else f"{len(sheets)} units"
    packed = BytesIO()
    canvas = Canvas(packed, pagesize=(_WIDE, _HIGH), invariant=1, pageCompression=1)
    canvas.setTitle(f"{status_of(first)}: patrol areas, {units}, {first.forecast_date}, {first.shift}")
    for sheet, drawing in sheets:
        page = _Page(canvas)
        below = _map(page, sheet, drawing, _head(page, sheet))
        _table(page, sheet, below)
        _foot(page, sheet)
        canvas.showPage()
    canvas.save()
    return packed.getvalue()


@cache
def _know_fonts() -> None:
    """Tell ReportLab the fonts that come with matplotlib: they know more than Latin letters."""
    from pathlib import Path

    from matplotlib import get_data_path
    from reportlab import rl_config
    from reportlab.pdfbase.pdfmetrics import registerFont
    from reportlab.pdfbase.ttfonts import TTFont

    rl_config.useA85 = 0  # a file holds bytes as well as letters, and bytes are fewer
    for name in (_PLAIN, _BOLD):
        registerFont(TTFont(name, str(Path(get_data_path()) / "fonts" / "ttf" / f"{name}.ttf")))


@cache
def _colour(text: str) -> Any:
    """A colour by its red, green and blue and, where it is pale, how much it covers."""
    from reportlab.lib.colors import HexColor

    return HexColor(text, hasAlpha=len(text) == 9)


class _Page:
    """A page to draw on; positions are parts of its width and height, from the lower left, sizes are points."""

    def __init__(self, canvas: Canvas) -> None:
        self.canvas = canvas

    def text(
        self, x: float, y: float, text: str, size: float, *, bold: bool = False, colour: str = _INK,
        at: float = 0.0, down: float = 0.5, leading: float = _LINE,
    ) -> None:  # fmt: skip
        """Lines of text; `at` of their width lies left of x, `down` of the first line's height below y."""
        font = _BOLD if bold else _PLAIN
        self.canvas.setFont(font, size)
        self.canvas.setFillColor(_colour(colour))
        foot = y * _HIGH - down * _CAPITALS * size
        for number, line in enumerate(text.split("\n")):
            left = x * _WIDE - at * (self.width(line, size, bold) if at else 0.0)
            self.canvas.drawString(left, foot - number * leading * size, line)

    def boxed(
        self, x: float, y: float, text: str, size: float, *, at: float = 0.0, pad: float = 4.0,
        colour: str = _INK, paper: str = _PAPER, thick: float = 1.0,
    ) -> None:  # fmt: skip
        """A line of bold text in a frame."""
        wide, high = self.width(text, size, bold=True), _CAPITALS * size
        self.canvas.setFillColor(_colour(paper))
        self.canvas.setStrokeColor(_colour(_INK))
        self.canvas.setLineWidth(thick)
        left, foot = x * _WIDE - at * wide - pad, y * _HIGH - high / 2 - pad
        self.canvas.rect(left, foot, wide + 2 * pad, high + 2 * pad, fill=1)
        self.text(x, y, text, size, bold=True, at=at, colour=colour)

    def width(self, text: str, size: float, bold: bool) -> float:
        """Points that a line takes."""
        return float(self.canvas.stringWidth(text, _BOLD if bold else _PLAIN, size))

    def frame(self, x: float, y: float, wide: float, high: float) -> None:
        """An empty rectangle."""
        self.canvas.setStrokeColor(_colour(_INK))
        self.canvas.setLineWidth(0.8)
        self.canvas.rect(x * _WIDE, y * _HIGH, wide * _WIDE, high * _HIGH)


def _head(page: _Page, sheet: Sheet) -> float:
    """Title, time and notices; gives the height they leave."""
    page.text(_LEFT, 0.965, f"Patrol areas: {sheet.unit}", 15, bold=True)
    page.boxed(_RIGHT, 0.965, status_of(sheet), 11, at=1.0)
    day = f"{sheet.forecast_date:%A} {sheet.forecast_date.day} {sheet.forecast_date:%B %Y}"
    when = f"{sheet.place}, {day}, {sheet.shift} shift, {sheet.shift_window}"
    page.text(_LEFT, 0.945, when, 8, bold=True)
    told = f"{known_text(sheet)}. Times are local ({sheet.zone}). Tier: OPERATIONAL."
    page.text(_LEFT, 0.931, told, 7)
    at = 0.916
    for notice in notices_of(sheet):
        page.boxed(_LEFT, at, notice, 7.5, pad=2.5, colour=_PAPER, paper=_INK)
        at -= 0.018
    return at


def _map(page: _Page, sheet: Sheet, drawing: SheetMap, top: float) -> float:
    """The map with its legend; gives the height it leaves."""
    foot = top - _MAP_HIGH
    window = _Window.onto(drawing, foot)
    page.canvas.saveState()
    path = page.canvas.beginPath()
    path.rect(_LEFT * _WIDE, foot * _HIGH, _MAP_WIDE * _WIDE, _MAP_HIGH * _HIGH)
    page.canvas.clipPath(path, stroke=0)
    _shapes(page.canvas, drawing, window)
    _labels(page, drawing, window)
    _scale_and_north(page, drawing, window, foot)
    if sheet.synthetic or sheet.approval is None:
        _across(page, "SYNTHETIC" if sheet.synthetic else "DRAFT", foot)
    page.canvas.restoreState()
    page.frame(_LEFT, foot, _MAP_WIDE, _MAP_HIGH)
    _legend(page, sheet, top)
    return foot - 0.022


@dataclass(frozen=True)
class _Window:
    """How metres of a map, y down, become points of the page: true to scale, the whole map in its frame."""

    points_per_m: float
    left: float
    base: float

    @classmethod
    def onto(cls, drawing: SheetMap, foot: float) -> _Window:
        """The window whose lower edge is at `foot`."""
        wide, high = _MAP_WIDE * _WIDE, _MAP_HIGH * _HIGH
        scale = min(wide / drawing.width, high / drawing.height)
        left = _LEFT * _WIDE + wide / 2 - (drawing.left + drawing.width / 2) * scale
        return cls(scale, left, foot * _HIGH + high / 2 + (drawing.top + drawing.height / 2) * scale)

    def place(self, x: float, y: float) -> tuple[float, float]:
        """A point of the map in parts of the page."""
        return (self.left + x * self.points_per_m) / _WIDE, (self.base - y * self.points_per_m) / _HIGH


def _shapes(canvas: Canvas, drawing: SheetMap, window: _Window) -> None:
    """Hexagons by class, then lines, each in metres of the map."""
    scale = window.points_per_m
    canvas.saveState()
    canvas.transform(scale, 0, 0, -scale, window.left, window.base)
    canvas.setLineJoin(1)
    canvas.setStrokeColor(_colour(_PAPER))
    canvas.setLineWidth(0.1 / scale)
    shades = drawing.hexagons.select("path", shade=pl.col("classes").str.head(1)).sort("shade")
    for (shade,), of_shade in shades.group_by("shade", maintain_order=True):
        canvas.setFillColor(_colour(CLASSES[int(str(shade))].colour))
        _draw(canvas, "".join(of_shade["path"]), "B")
    outlines = "".join(each.path for each in drawing.outlines)
    for path, colour, width in (
        (drawing.street_path, "#8a8a8a", 0.5),
        (drawing.other_path, "#767676", 0.7),
        (drawing.unit_path, _INK, 1.6),
        (outlines, _PAPER, 2.6),
        (outlines, _INK, 1.3),
    ):
        canvas.setStrokeColor(_colour(colour))
        canvas.setLineWidth(width / scale)
        _draw(canvas, path, "S")
    canvas.restoreState()


def _draw(canvas: Canvas, path: str, how: str) -> None:
    """Draw an SVG path made by `sheet_map`: what SVG says before its numbers, PDF says after them."""
    if path:
        canvas.addLiteral(" ".join([*map(_operators, path.split("M")[1:]), how]))


def _operators(line: str) -> str:
    """A line as PDF writes it: from `x yLx yLx yZ` to `x y m x y l x y l h`."""
    open_line = line.removesuffix("Z")
    drawn = open_line.replace("L", " m ", 1).replace("L", " l ") + " l"
    return drawn if open_line == line else f"{drawn} h"


def _labels(page: _Page, drawing: SheetMap, window: _Window) -> None:
    for name in drawing.names:
        page.text(*window.place(name.x, name.y), name.text, 6, at=0.5, down=0.0, colour="#333333")
    for each in drawing.outlines:
        if each.code:
            x, y = window.place(each.x, each.y)
            wide = page.width(each.code, 6.5, bold=True)
            page.canvas.setFillColor(_colour(_THIN_PAPER))
            page.canvas.rect(x * _WIDE - wide / 2 - 0.6, y * _HIGH - 0.9, wide + 1.2, 6.5, stroke=0, fill=1)
            page.text(x, y, each.code, 6.5, bold=True, at=0.5, down=0.0)


def _scale_and_north(page: _Page, drawing: SheetMap, window: _Window, foot: float) -> None:
    canvas = page.canvas
    left, base = (_LEFT + 0.03 * _MAP_WIDE) * _WIDE, (foot + 0.03 * _MAP_HIGH) * _HIGH
    canvas.setStrokeColor(_colour(_INK))
    canvas.setLineWidth(2.5)
    canvas.line(left, base, left + drawing.bar_m * window.points_per_m, base)
    page.text(left / _WIDE, (base + 3.5) / _HIGH, length_label(drawing.bar_m), 7, down=0.0)
    x, low, high = (
        (_LEFT + 0.96 * _MAP_WIDE) * _WIDE,
        (foot + 0.90 * _MAP_HIGH) * _HIGH,
        (foot + 0.98 * _MAP_HIGH) * _HIGH,
    )
    canvas.setLineWidth(1.6)
    canvas.lines([(x, low, x, high), (x - 3, high - 5, x, high), (x + 3, high - 5, x, high)])
    page.text(x / _WIDE, (low - 1) / _HIGH, "N", 8, bold=True, at=0.5, down=1.0)


def _across(page: _Page, word: str, foot: float) -> None:
    """A pale word across the map."""
    page.canvas.saveState()
    page.canvas.translate((_LEFT + _MAP_WIDE / 2) * _WIDE, (foot + _MAP_HIGH / 2) * _HIGH)
    page.canvas.rotate(25)
    page.text(0, 0, word, 38, bold=True, at=0.5, colour=_PALE_INK)
    page.canvas.restoreState()


def _legend(page: _Page, sheet: Sheet, top: float) -> None:
    """What shades and lines mean, what was left out, and the hours of the day: right of the map."""
    page.text(0.67, top - 0.005, "Share of the area, by what is expected", 7.5)
    page.canvas.setLineWidth(0.5)
    page.canvas.setStrokeColor(_colour("#767676"))
    for number, each in enumerate(CLASSES):
        x, y = 0.67 + 0.12 * (number // 3), top - 0.019 - 0.0125 * (number % 3)
        page.canvas.setFillColor(_colour(each.colour))
        page.canvas.rect(x * _WIDE, y * _HIGH - 2.5, 14, 5, fill=1)
        page.text(x + 0.032, y, each.label, 7)
    words = (
        f"Thick line: {sheet.unit}. Outlined and lettered: patrol areas. Shares are of the whole study area."
        " No incident is shown."
    )
    page.text(0.67, top - 0.065, textwrap.fill(words, 44), 7, down=1.0)
    page.text(0.67, top - 0.125, textwrap.fill(exclusions_text(sheet), 44), 7, down=1.0)
    _strips(page, sheet, top - 0.17)


def _strips(page: _Page, sheet: Sheet, top: float) -> None:
    """The hours of the day, one strip per offence group."""
    if not sheet.hours:
        return
    page.text(0.67, top + 0.009, "Hours of the day, 0 to 24", 7, bold=True)
    hour_wide, most_high = 0.19 * _WIDE / 24, 0.75 * 0.018 * _HIGH
    for row, (group, hours) in enumerate(sorted(sheet.hours.items())):
        page.text(0.67, top - 0.009 - 0.018 * row, plain_group(group), 7)
        page.canvas.setFillColor(_colour("#35456c"))
        foot = (top - 0.018 * (row + 0.9)) * _HIGH
        for hour, share in enumerate(hours):
            left = 0.76 * _WIDE + (hour + 0.1) * hour_wide
            page.canvas.rect(left, foot, 0.8 * hour_wide, most_high * share / max(hours), stroke=0, fill=1)


def _table(page: _Page, sheet: Sheet, top: float) -> None:
    """The list of areas, in type that fits the page."""
    lines = sheet.lines
    deep = 3 if len(lines) <= _SPARSE else 2
    room = (top - 0.145) * _HIGH
    size = float(np.clip(room / ((1.15 * deep + 0.3) * (len(lines) + 1)), 4.4, 7.0))
    row = (1.15 * deep + 0.3) * size / _HIGH
    columns = (_LEFT, 0.09, 0.20, 0.265, 0.335, 0.80)
    heads = ("Area", "Where", "Rank", "Minutes", "Why here", "Caught before")
    for x, head in zip(columns, heads, strict=True):
        page.text(x, top, head, size, bold=True, down=1.0)
    wide = int(0.455 * _WIDE / (0.58 * size))
    for number, line in enumerate(lines, 1):
        at = top - number * row + 0.4 * row
        name = f"{line.name} (added)" if line.added else line.name
        texts = (line.code, name, line.rank, str(line.minutes), line.why, line.track)
        for x, text in zip(columns, texts, strict=True):
            shown = _fit(text, wide if x == columns[4] else int(wide * 0.28), deep)
            page.text(x, at, shown, size, bold=x == _LEFT, down=1.0, leading=1.1)


def _fit(text: str, wide: int, deep: int) -> str:
    """The text in at most so many lines."""
    return "\n".join(textwrap.wrap(text, wide, max_lines=deep, placeholder=" ..."))


def _foot(page: _Page, sheet: Sheet) -> None:
    """Warning, approval, source and the return box."""
    page.boxed(0.5, 0.124, WARNING, 10, at=0.5, thick=1.6)
    page.text(_LEFT, 0.110, textwrap.fill(approval_text(sheet), 115), 7, bold=True, down=1.0)
    page.text(_LEFT, 0.087, textwrap.fill(source_text(sheet), 135), 6.5, down=1.0)
    wide, high = _RIGHT - _LEFT, 0.046
    page.frame(_LEFT, 0.022, wide, high)
    page.canvas.setLineWidth(0.5)
    heads = ("Area", "In, out (time)", "On foot, by vehicle", "What is wrong?")
    for column, head in enumerate(heads):
        x = _LEFT + (0.01 + 0.25 * column) * wide
        page.text(x, 0.022 + 0.82 * high, head, 6.5)
        line = (0.022 + 0.3 * high) * _HIGH
        page.canvas.line(x * _WIDE, line, (x + 0.21 * wide) * _WIDE, line)
    told = "Return box: hand back at the end of the shift. Write no names."
    page.text(_LEFT + 0.01 * wide, 0.022 + 0.12 * high, told, 6.5)

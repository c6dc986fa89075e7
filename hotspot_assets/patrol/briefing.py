"""Briefing: the sheet that officers carry, as one self-contained HTML page.

Belongs here: rendering a sheet and the overview of many days. Not here: what a sheet says (`sheets`), where
its shapes lie (`sheet_map`), and issuing it (`review`): without an approval the page is a draft and says so.

The pages load nothing: style, script and map stand in the file, so they open from a USB stick. All text is
escaped by the template engine.
"""

from __future__ import annotations

import json
import re
from functools import cache
from html import escape
from typing import TYPE_CHECKING, Any

import polars as pl

from hotspot_assets.patrol.drawing import CLASSES, length_label
from hotspot_assets.patrol.exports import WARNING
from hotspot_assets.patrol.sheet_map import SheetMap
from hotspot_assets.patrol.sheets import (
    Sheet,
    approval_text,
    exclusions_text,
    grouped_lines,
    known_text,
    notices_of,
    source_text,
    status_of,
)
from hotspot_assets.patrol.wording import plain_group

if TYPE_CHECKING:
    from jinja2 import Environment

_COMPACT, _DENSE = 9, 13  # beyond so many areas, groups and notices, smaller type keeps it on one page


def sheet_html(sheet: Sheet, drawing: SheetMap) -> str:
    """The sheet as an HTML page; prints on one A4 page for up to 25 areas."""
    lines = grouped_lines(sheet)
    count = sheet.areas.height
    notices = notices_of(sheet)
    length = count + len(lines) + len(notices)
    expires = sheet.approval.expires_at.isoformat() if sheet.approval is not None else ""
    return render(
        "sheet.html",
        sheet=sheet,
        status=status_of(sheet),
        notices=notices,
        lines=lines,
        count=count,
        map=drawing,
        hexagons=_hexagons(drawing),
        classes=CLASSES,
        class_json=as_script([{"colour": each.colour, "label": each.label} for each in CLASSES]),
        bar=length_label,
        strips=[(plain_group(group), _bars(hours)) for group, hours in sorted(sheet.hours.items())],
        known=known_text(sheet),
        approval=approval_text(sheet),
        source=source_text(sheet),
        exclusions=exclusions_text(sheet),
        warning=WARNING,
        expires=expires,
        list_hash=sheet.list_hash,
        density="dense" if length > _DENSE else "compact" if length > _COMPACT else "normal",
    )


def _hexagons(drawing: SheetMap) -> Any:
    """The map's hexagons as elements; on columns, as the template engine would take longest over these numbers."""
    from markupsafe import Markup

    now = pl.col("classes").str.head(1)
    colours = {str(number): each.colour for number, each in enumerate(CLASSES)}
    element = '<path class="hex" d="{}" fill="{}" data-classes="{}" data-now="{}" data-cell="{}"/>'
    made = pl.format(element, "path", now.replace_strict(colours), "classes", now, "cell")
    return Markup("\n".join(drawing.hexagons.select(made).to_series()))


_STATUS = re.compile(r'<div class="status[^"]*">[^<]*</div>')
_TITLE = re.compile("<title>[A-Z ]+:")
_PLACE = "<!-- what came later -->"


def list_of(page: str) -> str | None:
    """Hash of the list on a sheet; None where the page is no sheet."""
    found = re.search(r'<body[^>]* data-list="([0-9a-f]{64})"', page)
    return found.group(1) if found else None


def overtaken_html(page: str, status: str, notice: str) -> str:
    """A sheet that says what came later, such as SUPERSEDED; one that says so already stays as it is."""
    marked = page.replace(_PLACE, f'<p class="notice">{escape(notice)} Do not use this sheet.</p>', 1)
    marked = _STATUS.sub(f'<div class="status bad">{escape(status)}</div>', marked, count=1)
    return _TITLE.sub(f"<title>{escape(status)}:", marked, count=1)


def _bars(hours: Any) -> list[float]:
    """Heights of the day's hours, the highest 1."""
    most = max(hours)
    return [round(hour / most, 3) for hour in hours]


def as_script(value: Any) -> Any:
    """A value as JSON that can stand inside a script element, whatever text it holds."""
    from markupsafe import Markup

    text = json.dumps(value, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))


def render(template: str, package: str = "hotspot_assets.patrol", **values: Any) -> str:
    """A page from a template of a package."""
    return _environment(package).get_template(template).render(**values)


@cache
def _environment(package: str) -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader(package),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )

"""The building blocks of an HTML report: escaped text, tables, figures, the page.

Belongs here: markup, and nothing about trials. Every text that comes in is escaped here, so that no name
from a file or a setting can become markup. The page needs no network and runs no script.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from html import escape
from typing import NamedTuple, TypeAlias

_STYLE = """
:root { --ink: #1b1f24; --soft: #57606a; --line: #d0d7de; --band: #f6f8fa; --good: #0b5d3b; --bad: #9a2c12; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 72rem; padding: 1.5rem; color: var(--ink); background: #fff;
  font: 1rem/1.55 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; }
h1 { font-size: 1.75rem; line-height: 1.25; } h2 { margin-top: 2.5rem; font-size: 1.35rem; }
h3 { margin: 1.75rem 0 .25rem; font-size: 1.1rem; }
p, li { max-width: 46rem; } .soft, figcaption, caption { color: var(--soft); }
.scroll { overflow-x: auto; margin: .75rem 0 1.5rem; } .scroll:focus-visible { outline: 3px solid #0969da; }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; padding-bottom: .4rem; }
th, td { padding: .3rem .65rem; border-bottom: 1px solid var(--line); text-align: right;
  white-space: nowrap; }
th:first-child, th.text, td.text { text-align: left; }
td.wrap { text-align: left; white-space: normal; min-width: 12rem; }
thead th { background: var(--band); vertical-align: bottom; white-space: normal; max-width: 9rem; }
tbody th { font-weight: 400; }
.strong { font-weight: 700; } .good { color: var(--good); } .bad { color: var(--bad); }
figure { margin: 1rem 0 1.5rem; } img { max-width: 100%; height: auto; }
.note { border-left: 4px solid #0969da; background: var(--band); padding: .6rem 1rem; max-width: 48rem; }
@media print { body { max-width: none; padding: 0; font-size: 9pt; } h2 { break-after: avoid; }
  figure, tr { break-inside: avoid; } .scroll { overflow: visible; } }
"""


class Cell(NamedTuple):
    """A table cell: its text, and classes of strong, good, bad, text (left), wrap (left, breaks lines)."""

    text: str
    classes: str = ""


Row: TypeAlias = list[Cell | str]


def heading(level: int, text: str) -> str:
    """A heading of level 1 to 6."""
    return f"<h{level}>{escape(text)}</h{level}>"


def paragraph(text: str, classes: str = "") -> str:
    """A paragraph of plain text."""
    return f"<p{_class(classes)}>{escape(text)}</p>"


def bullets(items: Sequence[str]) -> str:
    """A list of plain texts."""
    return "<ul>" + "".join(f"<li>{escape(item)}</li>" for item in items) + "</ul>"


def table(caption: str, headers: Sequence[str], rows: Sequence[Row]) -> str:
    """A table with a caption; the first cell of a row is its header. Wide ones scroll, by keyboard too."""
    left = [k == 0 or (bool(rows) and _is_text(rows[0][k])) for k in range(len(headers))]
    head = "".join(
        f'<th scope="col"{_class("text" if words else "")}>{escape(text)}</th>'
        for text, words in zip(headers, left, strict=True)
    )
    body = "".join(
        "<tr>" + "".join(_cell(cell, first=not k) for k, cell in enumerate(row)) + "</tr>" for row in rows
    )
    return (
        f'<div class="scroll" role="region" tabindex="0" aria-label="{escape(caption, quote=True)}"><table>'
        f"<caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _is_text(cell: Cell | str) -> bool:
    return isinstance(cell, Cell) and bool({"text", "wrap"} & set(cell.classes.split()))


def _cell(cell: Cell | str, *, first: bool) -> str:
    text, classes = cell if isinstance(cell, Cell) else (cell, "")
    if first:
        return f'<th scope="row"{_class(classes)}>{escape(text)}</th>'
    return f"<td{_class(classes)}>{escape(text)}</td>"


def _class(classes: str) -> str:
    return f' class="{escape(classes, quote=True)}"' if classes else ""


def figure(svg: bytes, alternative: str, caption: str) -> str:
    """A picture inside the page, with a text for those who do not see it."""
    data = b64encode(svg).decode("ascii")
    return (
        f'<figure><img alt="{escape(alternative, quote=True)}" src="data:image/svg+xml;base64,{data}">'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


def page(title: str, parts: Sequence[str]) -> str:
    """A whole page in English from parts that are markup already."""
    body = "\n".join(parts)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; img-src data:; '
        "style-src 'unsafe-inline'\">\n"
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n{body}\n</main>\n"
        "</body>\n</html>\n"
    )

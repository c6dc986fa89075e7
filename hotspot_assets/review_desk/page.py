"""The pages as HTML.

Belongs here: words and numbers of the pages. Not here: what stands in them (`workflow.review_lists`,
`workflow.review_results`) and who may see them (`app`).
"""

from __future__ import annotations

from importlib.resources import files
from typing import Any
from urllib.parse import quote

from hotspot_assets.patrol.briefing import render
from hotspot_assets.patrol.reasons import REASONS
from hotspot_assets.patrol.review_statistics import QUICK_SECONDS
from hotspot_assets.patrol.sheets import short_codes
from hotspot_assets.patrol.wording import figures, percent, plain_group
from hotspot_assets.settings import Settings
from hotspot_assets.warehouse.lake import Lake
from hotspot_assets.workflow.review_lists import DayToReview, ListToReview
from hotspot_assets.workflow.review_results import review_results
from hotspot_assets.workflow.sheets import issued_path

STATES = {
    "draft": ("○", "Nobody has decided: no approval, no sheet"),
    "approved": ("◐", "Approved, not issued: no sheet yet"),
    "approved_with_changes": ("◐", "Approved with changes, not issued: no sheet yet"),
    "rejected": ("✕", "Rejected: no sheet"),
    "issued": ("●", "Issued"),
    "expired": ("◌", "Issued, and ended"),
    "withdrawn": ("⊘", "Withdrawn: the sheet must not be used"),
}
"""Sign and words of each state; never colour alone."""
_LABELS_ACROSS, _CODES_A_LINE = 18, 3
_OVER = "Nobody decided in time: no sheet"


def desk_html(settings: Settings, day: DayToReview, token: str, page: str) -> str:
    """The page on which lists are decided."""
    groups = sorted({area["offence_group"] for each in day.lists for area in each.areas})
    codes = short_codes(groups)
    return render(
        "desk.html",
        "hotspot_assets.review_desk",
        place=settings.area.name,
        synthetic=settings.area.synthetic,
        day=day,
        lists=[_told(each, codes, settings) for each in day.lists],
        units=sorted({each.place.unit for each in day.lists}),
        shifts=list(dict.fromkeys(each.place.shift for each in day.lists)),
        groups=[(group, plain_group(group)) for group in groups],
        reasons=REASONS,
        token=token,
        page=page,
    )


def _told(each: ListToReview, codes: dict[str, str], settings: Settings) -> dict[str, Any]:
    over = each.state == "draft" and not each.open
    sign, words = ("◌", _OVER) if over else STATES[each.state]
    shapes = {shape.id: shape for shape in each.map.shapes}
    areas = [
        area
        | {
            "code": f"{codes[area['offence_group']]}{area['rank']}",
            "group": plain_group(area["offence_group"]),
            "share_text": "-" if area["share"] is None else percent(area["share"]),
            "shape": shapes[area["area_id"]],
        }
        for area in each.areas
    ]
    type_size = round(max(each.map.height, each.map.width) / _LABELS_ACROSS)
    return {
        "list": each,
        "sign": sign,
        "words": words,
        "areas": areas,
        "type_size": type_size,
        "labels": _labels(areas, type_size),
        "sheet": _sheet(each, settings),
    }


def _sheet(each: ListToReview, settings: Settings) -> str | None:
    """Link to the sheet of the issue, once it is drawn."""
    if each.issue is None:
        return None
    at = each.place
    path = issued_path(settings, at.forecast_date, at.shift, at.unit, each.issue["issue_id"])
    return f"/outputs/{quote(path.relative_to(settings.outputs).as_posix())}" if path.exists() else None


def _labels(areas: list[dict[str, Any]], size: float) -> list[tuple[float, float, list[str]]]:
    """Where codes stand, in lines: those of areas that lie upon each other stand together, below them."""
    places: list[tuple[float, float, list[str]]] = []
    for area in areas:
        x, y = area["shape"].x, area["shape"].y
        near = next((at for at in places if abs(at[0] - x) < 3 * size and abs(at[1] - y) < 2 * size), None)
        if near is None:
            places.append((x, y, [area["code"]]))
        else:
            near[2].append(area["code"])
    return [
        (
            x,
            round(y + size / 2),
            [" ".join(codes[at : at + _CODES_A_LINE]) for at in range(0, len(codes), _CODES_A_LINE)],
        )
        for x, y, codes in places
    ]


def statistics_html(lake: Lake, settings: Settings) -> str:
    """What reviews came to."""
    found = review_results(lake, settings)
    return render(
        "statistics.html",
        "hotspot_assets.review_desk",
        place=settings.area.name,
        synthetic=settings.area.synthetic,
        found=found,
        decisions=[
            row
            | {
                "override_text": percent(row["override_rate"]),
                "quick_text": "-" if row["quick_approvals"] is None else percent(row["quick_approvals"]),
                "seconds_text": figures(row["median_seconds"], 2),
                "each_text": figures(row["median_seconds_per_list"], 2),
            }
            for row in found.decisions.to_dicts()
        ],
        fates=[
            row
            | {
                "group": plain_group(row["offence_group"]),
                "rate_text": "-" if row["hit_rate"] is None else percent(row["hit_rate"]),
                "density_text": figures(row["hits_per_km2"], 2),
            }
            for row in found.fates.to_dicts()
        ],
        quick=round(QUICK_SECONDS),
    )


def asset(name: str) -> bytes:
    """A file that the pages load: style or script."""
    return (files("hotspot_assets.review_desk") / "templates" / name).read_bytes()

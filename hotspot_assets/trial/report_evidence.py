"""The sections on time: later knowledge, older lists, near repeats.

Belongs here: what each of these sections says. Not here: the comparison of models (`report_sections`).
"""

from __future__ import annotations

import polars as pl

from hotspot_assets.trial.report_html import Cell, Row, table
from hotspot_assets.trial.report_sections import (
    coverage_name,
    number,
    p_value,
    percent,
    points,
    signed,
    words,
)
from hotspot_assets.trial.results import TrialResults

_SURE = 0.01
"""A near-repeat ratio counts from this p on; 999 shuffles cannot say less than 0.001."""


def lag_table(results: TrialResults, lags: pl.DataFrame) -> str:
    """Hit rates when incidents become known later."""
    names = lags["lag"].unique(maintain_order=True).to_list()
    rows: list[Row] = []
    ordered = lags.sort("offence_group", "model")
    for (group, model), here in ordered.group_by("offence_group", "model", maintain_order=True):
        found = dict(here.select("lag", "hit_rate").iter_rows())
        rows.append(
            [words(str(group)), Cell(str(model), "text"), *(percent(found.get(name)) for name in names)]
        )
    caption = f"Hit rate in % at {coverage_name(results.coverage)} of the area, by reporting lag"
    return table(caption, ["Offence group", "Model", *names], rows)


def delay_table(delays: pl.DataFrame) -> str:
    """How late the source records: its own curve, where it states times of report or record."""
    rows: list[Row] = [
        [
            words(row["offence_group"]),
            f"{row['incidents']:,}",
            percent(row["stated"]),
            *(number(row[name], 1) for name in ("median_days", "p90_days", "p99_days")),
        ]
        for row in delays.iter_rows(named=True)
    ]
    headers = ["Offence group", "Incidents", "With a time of record, %", "Half within, days", "90 %", "99 %"]
    return table("Days from the end of an incident to its record, as the source states them", headers, rows)


def near_repeat_table(near_repeats: pl.DataFrame) -> str:
    """Knox's test by offence group: pairs near and soon, against chance."""
    rows: list[Row] = [
        [
            words(row["offence_group"]),
            f"{row['distance_m']:g} m",
            f"{row['span_days']} days",
            f"{row['pairs']:,}",
            number(row["expected"], 0),
            number(row["ratio"]),
            p_value(row["p"]),
            Cell(*_justified(row["ratio"], row["p"])),
        ]
        for row in near_repeats.iter_rows(named=True)
    ]
    headers = ["Offence group", "Within", "And within", "Pairs", "By chance", "Ratio", "p", "Short memory"]
    return table("Near repeats (Knox), times shuffled among places", headers, rows)


def _justified(ratio: float | None, p: float) -> tuple[str, str]:
    if ratio is not None and ratio > 1 and p < _SURE:
        return "justified", "text good"
    return "not shown to be", "text"


def staleness_table(staleness: pl.DataFrame) -> str:
    """Today's list against older lists."""
    rows: list[Row] = [
        [
            words(row["offence_group"]),
            f"{row['list_age_days']} days",
            percent(row["hit_rate"]),
            percent(row["hit_rate_against"]),
            signed(row["difference"]),
            points(row["difference_low"], row["difference_high"]),
            Cell(*_worth(row["verdict"])),
        ]
        for row in staleness.iter_rows(named=True)
    ]
    headers = [
        "Offence group",
        "Age of the old list",
        "Today's list, %",
        "Old list, %",
        "Difference, points",
        "95 %",
    ]
    return table("Today's list against an older list of the same model", [*headers, "Worth it?"], rows)


def _worth(verdict: str) -> tuple[str, str]:
    return {
        "better": ("yes: today's list catches more", "text good"),
        "worse": ("no: the old list catches more", "text bad"),
        "tie": ("a tie: no gain shown", "text"),
    }.get(verdict, (verdict, "text"))

"""What reviews came to: how people decide, and how the areas fared that they kept, moved, dropped or added.

Belongs here: gathering decisions and incidents. Not here: the measures (`patrol.review_statistics`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from hotspot_assets.patrol.review_statistics import fate_outcomes, review_statistics
from hotspot_assets.settings import Settings
from hotspot_assets.warehouse.lake import Lake
from hotspot_assets.warehouse.reads import day_counts, newest_delivery
from hotspot_assets.warehouse.review_reads import reviewed_lists, reviews_between
from hotspot_assets.workflow.dates import today
from hotspot_assets.workflow.outcomes import last_known_day

REVIEWED_DAYS = 365
"""Forecast dates that the statistics look back on."""


@dataclass(frozen=True, eq=False)
class ReviewResults:
    """Decisions and fates of the forecast dates first..last.

    Attributes
    ----------
    decisions
        Per role, people's and simulated apart: `review_statistics`.
    fates
        People's and simulated apart: `simulated` and the columns of `fate_outcomes`, of days whose incidents
        are known.
    known_to
        Last day whose incidents count as known.
    """

    first: date
    last: date
    known_to: date
    decisions: pl.DataFrame
    fates: pl.DataFrame


def review_results(lake: Lake, settings: Settings) -> ReviewResults:
    """What the reviews of the last year came to."""
    last = today(settings) + timedelta(days=1)  # a list can be decided the evening before
    first = last - timedelta(days=REVIEWED_DAYS)
    known_to = last_known_day(settings, today(settings))
    decisions = review_statistics(reviews_between(lake.read, first, last))
    lists = reviewed_lists(lake.read, first, known_to)
    parts = [
        _fates(lake, settings, lists.filter(pl.col("simulated") == simulated), (first, known_to))
        .with_columns(simulated=pl.lit(simulated))
        for simulated in lists["simulated"].unique().sort()
    ]  # fmt: skip
    fates = pl.concat(parts) if parts else pl.DataFrame()
    return ReviewResults(first, last, known_to, decisions, fates)


def _fates(lake: Lake, settings: Settings, lists: pl.DataFrame, days: tuple[date, date]) -> pl.DataFrame:
    groups = lists["offence_group"].unique().sort().to_list()
    counts = day_counts(lake, days, groups, newest_delivery(lake)).rename({"day": "forecast_date"})
    sizes = lake.read("SELECT DISTINCT cell, area_km2 FROM cells ORDER BY cell")
    model, human = (lists.filter(pl.col("list") == kind) for kind in ("model", "human"))
    return fate_outcomes(model, human, counts, sizes)

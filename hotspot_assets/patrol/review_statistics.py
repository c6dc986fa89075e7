"""Review statistics: what decisions came to, and whether people decide or wave through.

Belongs here: override rates, quick approvals, and how kept, dropped and added areas fared. Not here: the
decisions themselves (`review`).
"""

from __future__ import annotations

import polars as pl

QUICK_SECONDS = 60.0
"""An approval within this time of opening counts towards the automation-bias alarm."""


def review_statistics(reviews: pl.DataFrame) -> pl.DataFrame:
    """Per role, people's and simulated decisions apart: how many, how they ended, and how fast.

    Parameters
    ----------
    reviews
        Columns of `review.REVIEW_SCHEMA`.

    Returns
    -------
    role, simulated, decided, approved, approved_with_changes, rejected (Int64), override_rate (changed or
    rejected, of all decided), quick_approvals (share of approvals within `QUICK_SECONDS`; null without
    approvals), median_seconds, median_seconds_per_list (of an act on several lists, each has its part).
    """
    approval = pl.col("state").str.starts_with("approved")
    return (
        reviews.group_by("role", "simulated")
        .agg(
            decided=pl.len().cast(pl.Int64),
            approved=(pl.col("state") == "approved").sum().cast(pl.Int64),
            approved_with_changes=(pl.col("state") == "approved_with_changes").sum().cast(pl.Int64),
            rejected=(pl.col("state") == "rejected").sum().cast(pl.Int64),
            override_rate=(pl.col("state") != "approved").mean(),
            quick_approvals=(pl.col("seconds").filter(approval) <= QUICK_SECONDS).mean(),
            median_seconds=pl.col("seconds").median(),
            median_seconds_per_list=(pl.col("seconds") / pl.col("together")).median(),
        )
        .sort("role", "simulated")
    )


def fate_outcomes(
    model_list: pl.DataFrame, human_list: pl.DataFrame, incidents: pl.DataFrame, areas_km2: pl.DataFrame
) -> pl.DataFrame:
    """How kept, moved, dropped and added areas fared on their day.

    Parameters
    ----------
    model_list, human_list
        Of any number of reviews; the human list has `origin`.
    incidents
        Columns forecast_date, offence_group, cell, incidents (Float64): what happened, whole study area.
    areas_km2
        Columns cell, area_km2.

    Returns
    -------
    offence_group, fate ("kept", "moved", "dropped", "added"), areas (Int64), area_km2, hits (Float64),
    hit_rate (hits of all incidents of the offence group on the days listed), hits_per_km2. Cells that several
    areas of a fate share on a day count once; a moved area counts where the person put it.
    """
    key = ["forecast_date", "shift", "unit", "offence_group", "area_id"]
    in_human = human_list.select(*key, pl.lit(True).alias("found"))
    dropped = model_list.join(in_human, on=key, how="anti").select(*key, "cells", fate=pl.lit("dropped"))
    fates = {"model": "kept", "model, moved": "moved", "human": "added"}
    stayed = human_list.select(*key, "cells", fate=pl.col("origin").replace_strict(fates))
    listed = pl.concat([dropped, stayed])
    counts = listed.group_by("offence_group", "fate").agg(areas=pl.len().cast(pl.Int64))
    place = (
        listed.select("forecast_date", "offence_group", "fate", "cells")
        .explode("cells")
        .unique()
        .rename({"cells": "cell"})
        .join(areas_km2, on="cell")
        .join(incidents, on=["forecast_date", "offence_group", "cell"], how="left")
        .group_by("offence_group", "fate")
        .agg(area_km2=pl.col("area_km2").sort().sum(), hits=pl.col("incidents").fill_null(0.0).sort().sum())
    )
    days = listed.select("forecast_date", "offence_group").unique()
    totals = (
        incidents.join(days, on=["forecast_date", "offence_group"])
        .group_by("offence_group")
        .agg(total=pl.col("incidents").sort().sum())
    )
    rate = pl.when(pl.col("total") > 0).then(pl.col("hits") / pl.col("total"))
    return (
        counts.join(place, on=["offence_group", "fate"])
        .join(totals, on="offence_group", how="left")
        .with_columns(hit_rate=rate, hits_per_km2=pl.col("hits") / pl.col("area_km2"))
        .drop("total")
        .sort("offence_group", "fate")
    )

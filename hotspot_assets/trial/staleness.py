"""Is the daily update worth it? Today's list against last month's and last year's list.

Belongs here: the comparison of a fresh list with older lists of the same model, measured on the same day.
Not here: making the lists.
"""

from __future__ import annotations

import polars as pl

from hotspot_assets.trial.comparisons import MAIN_COVERAGE, compare

LIST_AGES_DAYS = (0, 28, 364)
"""Today's list, a month old and a year old: whole weeks, so a list is used on the weekday it was made for."""


def staleness(outcomes: pl.DataFrame, coverage: float = MAIN_COVERAGE, *, seed: int = 0) -> pl.DataFrame:
    """Compare today's list with each older list, in each offence group.

    Parameters
    ----------
    outcomes
        Columns `metrics.OUTCOMES` and list_age_days: the ranking made for `forecast_date - list_age_days`,
        measured on `forecast_date`; one model. 0 is the fresh list.

    Returns
    -------
    Columns `comparisons.COMPARISON` without model and against, with list_age_days of the older list first:
    difference is today's list minus the older one: `better` says that the update pays. One family for Holm.

    Raises
    ------
    ValueError
        For outcomes of more than one model.
    """
    if outcomes["model"].n_unique() > 1:
        raise ValueError("staleness is measured for one model at a time")
    ages = [age for age in outcomes["list_age_days"].unique().sort() if age > 0]
    named = outcomes.with_columns(model=pl.col("list_age_days").cast(pl.String))
    compared = compare(named, [("0", str(age)) for age in ages], coverage, seed=seed)
    return compared.select(
        pl.col("against").cast(pl.Int64).alias("list_age_days"), pl.exclude("model", "against")
    ).sort("offence_group", "list_age_days")

"""Whether one model catches more than another on the same days, or only seems to.

Belongs here: paired comparisons of forecast outcomes. Not here: the formulas of the tests
(`statistics`), the choice of a champion (`champion`).

All tests look at one thing: the difference in incidents caught per day at one coverage. Its sum over the
days divided by the incidents is the difference in pooled hit rate. Days without incidents, and days that
either model has no forecast for, are left out for both.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from hotspot_assets.trial.metrics import pooled
from hotspot_assets.trial.statistics import (
    BLOCK_DAYS,
    diebold_mariano_p,
    holm,
    moving_block_sums,
    wilcoxon_p,
)

MAIN_COVERAGE = 0.05
SIGNIFICANCE = 0.05
DRAWS = 2000
FEWEST_DAYS = 4 * BLOCK_DAYS
"""With fewer days than four blocks no interval is given: there is too little to resample."""

VERDICT_RULE = (
    "better or worse: the 95 % interval of the difference lies wholly on one side of zero and the "
    "Diebold-Mariano p, corrected for the number of comparisons (Holm), is below 0.05; otherwise a tie"
)

COMPARISON: dict[str, pl.DataType] = {
    "offence_group": pl.String(),
    "model": pl.String(),
    "against": pl.String(),
    "coverage": pl.Float64(),
    "days": pl.Int64(),
    "incidents": pl.Float64(),
    "hit_rate": pl.Float64(),
    "hit_rate_against": pl.Float64(),
    "difference": pl.Float64(),
    "difference_low": pl.Float64(),
    "difference_high": pl.Float64(),
    "ratio": pl.Float64(),
    "ratio_low": pl.Float64(),
    "ratio_high": pl.Float64(),
    "wilcoxon_p": pl.Float64(),
    "diebold_mariano_p": pl.Float64(),
    "wilcoxon_p_holm": pl.Float64(),
    "diebold_mariano_p_holm": pl.Float64(),
    "verdict": pl.String(),
}
"""Columns of a comparison. difference = pooled hit rate of `model` minus that of `against`, as a share;
low and high bound 95 %; verdict is better, worse, tie or too few days, from `model`'s side."""


def compare(
    outcomes: pl.DataFrame,
    pairs: Sequence[tuple[str, str]],
    coverage: float = MAIN_COVERAGE,
    *,
    seed: int = 0,
    draws: int = DRAWS,
) -> pl.DataFrame:
    """Compare each pair (model, against) in each offence group at one coverage: columns `COMPARISON`.

    `outcomes` has the columns `metrics.OUTCOMES`. All rows returned are one family for Holm's correction:
    put every comparison that is going to be reported into one call.

    Raises
    ------
    ValueError
        When two models disagree about a day's incidents: they were not measured on the same truth.
    """
    here = outcomes.filter((pl.col("coverage") == coverage) & (pl.col("incidents") > 0))
    groups = here["offence_group"].unique().sort()
    rows = [
        row
        for group in groups
        for model, against in pairs
        if (row := _row(here.filter(pl.col("offence_group") == group), group, (model, against), seed, draws))
    ]
    frame = pl.DataFrame(rows, schema={k: v for k, v in COMPARISON.items() if not k.endswith("holm")})
    adjusted = frame.with_columns(
        pl.Series(
            f"{p}_holm", holm(frame[p].cast(pl.Float64).fill_null(np.nan).to_numpy()), pl.Float64
        ).fill_nan(None)
        for p in ("wilcoxon_p", "diebold_mariano_p")
    )
    return (
        adjusted.with_columns(verdict=_verdict())
        .select(list(COMPARISON))
        .with_columns(coverage=pl.lit(coverage))
    )


def _verdict() -> pl.Expr:
    certain = pl.col("diebold_mariano_p_holm") < SIGNIFICANCE
    return (
        pl.when(pl.col("days") < FEWEST_DAYS)
        .then(pl.lit("too few days"))
        .when(certain & (pl.col("difference_low") > 0))
        .then(pl.lit("better"))
        .when(certain & (pl.col("difference_high") < 0))
        .then(pl.lit("worse"))
        .otherwise(pl.lit("tie"))
    )


def paired_days(outcomes: pl.DataFrame, model: str, against: str) -> pl.DataFrame:
    """Days both models were measured on: forecast_date, incidents, hits, hits_against, in date order.

    `outcomes` must hold one offence group and one coverage.
    """
    columns = ["forecast_date", "incidents", "hits"]
    first, second = (outcomes.filter(pl.col("model") == name).select(columns) for name in (model, against))
    days = first.join(second, on="forecast_date", how="inner", suffix="_against", validate="1:1").sort(
        "forecast_date"
    )
    if not np.allclose(days["incidents"], days["incidents_against"], rtol=1e-9):
        raise ValueError(f"{model} and {against} were not measured against the same incidents")
    return days.drop("incidents_against")


def _row(
    outcomes: pl.DataFrame, group: str, pair: tuple[str, str], seed: int, draws: int
) -> dict[str, object] | None:
    days = paired_days(outcomes, *pair)
    if days.is_empty():
        return None
    incidents, hits, hits_against = (days[name].to_numpy() for name in ("incidents", "hits", "hits_against"))
    total, caught, caught_against = incidents.sum(), hits.sum(), hits_against.sum()
    row: dict[str, object] = {
        "offence_group": group,
        "model": pair[0],
        "against": pair[1],
        "days": days.height,
        "incidents": total,
        "hit_rate": caught / total,
        "hit_rate_against": caught_against / total,
        "difference": (caught - caught_against) / total,
        "ratio": caught / caught_against if caught_against > 0 else None,
    }
    if days.height < FEWEST_DAYS:
        return row
    sums = moving_block_sums(np.column_stack([incidents, hits, hits_against]), seed=seed, draws=draws)
    return (
        row
        | _intervals(sums)
        | {
            "wilcoxon_p": wilcoxon_p(hits - hits_against),
            "diebold_mariano_p": diebold_mariano_p(hits - hits_against),
        }
    )


def _intervals(sums: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> dict[str, object]:
    incidents, hits, hits_against = sums.T
    low, high = np.quantile((hits - hits_against) / incidents, [0.025, 0.975])
    row: dict[str, object] = {"difference_low": float(low), "difference_high": float(high)}
    if (hits_against > 0).all():
        low, high = np.quantile(hits / hits_against, [0.025, 0.975])
        row |= {"ratio_low": float(low), "ratio_high": float(high)}
    return row


def best_in_hindsight(
    outcomes: pl.DataFrame, models: Sequence[str], coverage: float = MAIN_COVERAGE
) -> dict[str, str]:
    """The model of `models` with the highest pooled hit rate, by offence group: offence_group -> model.

    Chosen after the fact, so it is a harder rival than any baseline named before the trial. Equal hit
    rates go to the model named first.
    """
    place = pl.col("model").replace_strict(list(models), list(range(len(models))), return_dtype=pl.Int64)
    best = (
        pooled(outcomes.filter(pl.col("model").is_in(list(models)) & (pl.col("coverage") == coverage)))
        .filter(pl.col("hit_rate").is_not_null())
        .sort("offence_group", -pl.col("hit_rate"), place)
        .group_by("offence_group", maintain_order=True)
        .first()
    )
    return dict(zip(best["offence_group"], best["model"], strict=True))

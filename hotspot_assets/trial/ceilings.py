"""What a forecast could reach if it were right: the attainable ceiling, and skill against it.

Belongs here: the parametric bootstrap of a model's own intensity. Not here: comparing two models; a
model's ceiling is its own, and a model that spreads its shares too little has a ceiling it never reaches.

If the shares of a day were the truth, each of its N incidents would fall into the flagged set with
probability m = the sum of the flagged shares, independently. So drawing N incidents from the surface and
counting hits is drawing from Binomial(N, m): the bootstrap is exact without drawing cells. A total with a
fraction (incidents shared between days) is its whole incidents and one of the fraction's weight.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from hotspot_assets.trial.flags import FloatArray

MISCALIBRATED_ABOVE = 1.1
"""A hit rate above this multiple of the ceiling means that the shares are wrong, not the model good."""

DRAWS = 500


def ceilings(outcomes: pl.DataFrame, *, seed: int = 0, draws: int = DRAWS) -> pl.DataFrame:
    """Ceiling and skill of every model, offence group and coverage over the days of `outcomes`.

    Parameters
    ----------
    outcomes
        Columns forecast_date, model, offence_group, coverage, incidents, hits, expected_hit_rate.
    seed, draws
        Of the bootstrap. The ceiling itself is the exact expectation; only its interval is drawn.

    Returns
    -------
    model, offence_group, coverage, incidents, hit_rate, ceiling, ceiling_low, ceiling_high (95 %: where the
    hit rate of a right model would lie), skill = (hit rate - coverage) / (ceiling - coverage), null where
    the ceiling is no higher than a uniform forecast's; miscalibrated = hit rate above 110 % of the ceiling.
    """
    keys = ["model", "offence_group", "coverage"]
    rng = np.random.default_rng(seed)
    rows = []
    happened = outcomes.filter(pl.col("incidents") > 0).sort([*keys, "forecast_date"])
    for key, days in happened.group_by(keys, maintain_order=True):
        incidents = days["incidents"].to_numpy()
        low, high = np.quantile(
            bootstrap_hit_rates(incidents, days["expected_hit_rate"].to_numpy(), rng, draws), [0.025, 0.975]
        )
        expected = float((days["expected_hit_rate"] * days["incidents"]).sum())
        total = float(incidents.sum())
        rows.append(
            (
                *key,
                total,
                float(days["hits"].to_numpy().sum()) / total,
                expected / total,
                float(low),
                float(high),
            )
        )
    schema = dict.fromkeys(keys[:2], pl.String) | dict.fromkeys(
        ["coverage", "incidents", "hit_rate", "ceiling", "ceiling_low", "ceiling_high"], pl.Float64
    )
    return pl.DataFrame(rows, schema=schema, orient="row").with_columns(
        skill=skill(pl.col("hit_rate"), pl.col("ceiling"), pl.col("coverage")),
        miscalibrated=pl.col("hit_rate") > MISCALIBRATED_ABOVE * pl.col("ceiling"),
    )


def skill(hit_rate: pl.Expr, ceiling: pl.Expr, uniform: pl.Expr) -> pl.Expr:
    """Share of the way from a uniform forecast to the ceiling; null where there is no way to go."""
    return pl.when(ceiling > uniform).then((hit_rate - uniform) / (ceiling - uniform))


def bootstrap_hit_rates(
    incidents: FloatArray, flagged_share: FloatArray, rng: np.random.Generator, draws: int
) -> FloatArray:
    """Pooled hit rates float64[draws] if incidents fell as the forecast says.

    `incidents` float64[days] are the day totals (positive), `flagged_share` float64[days] the forecast's
    own share in its flagged set.
    """
    whole = np.floor(incidents).astype(np.int64)
    part = incidents - whole
    share = np.clip(flagged_share, 0.0, 1.0)
    hits = rng.binomial(whole, share, size=(draws, len(whole))) + part * (
        rng.random((draws, len(whole))) < share
    )
    rates: FloatArray = hits.sum(axis=1) / incidents.sum()
    return rates

"""Whether the shares mean what they say: expected against realised, by decile of area.

Belongs here: calibration of one model. Not here: whether it ranks well, which calibration cannot tell.

Deciles are tenths of the ranked **area**, the first with the highest scores; the cell at the margin of
two deciles is split (see `flags`).
"""

from __future__ import annotations

import polars as pl

TENTHS = tuple(decile / 10 for decile in range(1, 11))
"""Coverages at which outcomes must be measured to become deciles."""


def deciles(outcomes_at_tenths: pl.DataFrame) -> pl.DataFrame:
    """Expected and realised incidents by decile of ranked area (1 = highest scores), forecast by forecast.

    `outcomes_at_tenths` has the columns `metrics.OUTCOMES`, measured at the coverages `TENTHS`. Returns
    forecast_date, model, offence_group, decile Int64, expected (the day's incidents x the decile's share) and
    realised Float64. Sum over days before dividing.
    """
    keys = ["forecast_date", "model", "offence_group"]
    step = {
        name: pl.col(name).diff().fill_null(pl.col(name)).over(keys) for name in ("expected_hit_rate", "hits")
    }
    return outcomes_at_tenths.sort(*keys, "coverage").select(
        *keys,
        decile=(pl.col("coverage") * 10).round().cast(pl.Int64),
        expected=step["expected_hit_rate"] * pl.col("incidents"),
        realised=step["hits"],
    )


def calibration(deciles: pl.DataFrame) -> pl.DataFrame:
    """Calibration over a period from `deciles` of many days.

    Returns model, offence_group, decile, expected_share, realised_share, ratio = realised / expected
    (1 is right, above 1 the forecast expected too little there; null where nothing was expected).
    """
    keys = ["model", "offence_group"]
    total = pl.col("realised").sum().over(keys)
    return (
        deciles.group_by([*keys, "decile"])
        .agg(pl.col("expected", "realised").sum())
        .sort([*keys, "decile"])
        .with_columns(
            expected_share=(pl.col("expected") / total).fill_nan(None),
            realised_share=(pl.col("realised") / total).fill_nan(None),
            ratio=pl.when(pl.col("expected") > 0).then(pl.col("realised") / pl.col("expected")),
        )
        .select([*keys, "decile", "expected_share", "realised_share", "ratio"])
    )

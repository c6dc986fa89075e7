"""Whether the shares mean what they say: expected against realised, by decile of area.

Belongs here: calibration of one model. Not here: whether it ranks well, which calibration cannot tell.

Deciles are tenths of the ranked **area**, the first with the highest scores; the cell at the margin of
two deciles is split (see `flags`).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from hotspot_assets.trial.flags import FloatArray
from hotspot_assets.trial.metrics import outcomes

_TENTHS = tuple(decile / 10 for decile in range(1, 11))


def day_deciles(
    scores: FloatArray, rank: npt.NDArray[np.integer], counts: FloatArray, area_km2: FloatArray
) -> pl.DataFrame:
    """Expected and realised incidents of a day by decile of ranked area (1 = highest scores).

    Inputs as for `metrics.outcomes`. Returns decile Int64, expected (the day's incidents x the decile's
    share) and realised Float64. Sum over days before dividing.
    """
    rows = outcomes(scores, rank, counts, area_km2, _TENTHS)
    return rows.select(
        decile=pl.int_range(1, 11, dtype=pl.Int64),
        expected=(
            pl.col("expected_hit_rate").diff().fill_null(pl.col("expected_hit_rate")) * pl.col("incidents")
        ),
        realised=pl.col("hits").diff().fill_null(pl.col("hits")),
    )


def calibration(deciles: pl.DataFrame) -> pl.DataFrame:
    """Calibration over a period from `day_deciles` of many days, with columns model and offence_group.

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

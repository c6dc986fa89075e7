"""The statistics behind a comparison: block bootstrap, Wilcoxon, Diebold-Mariano, Holm.

Belongs here: functions of plain arrays of days, in date order. Not here: which models are compared
(`comparisons`).
"""

from __future__ import annotations

import numpy as np

from hotspot_assets.trial.flags import FloatArray

BLOCK_DAYS = 7
"""Length of a bootstrap block: a week, so that the days of the week and a few days' runs stay together."""


def moving_block_sums(
    values: FloatArray, *, seed: int, draws: int, block_days: int = BLOCK_DAYS
) -> FloatArray:
    """Sums over bootstrapped periods: float64[draws, columns] from `values` float64[days, columns].

    Each drawn period is as long as the real one and made of blocks of consecutive days that start
    anywhere (moving-block bootstrap, Künsch 1989); the last block is cut to fit. All columns are drawn
    with the same days, so differences and ratios of their sums stay paired.

    Raises
    ------
    ValueError
        When there are fewer days than a block.
    """
    days, columns = values.shape
    if days < block_days:
        raise ValueError(f"{days} days are fewer than a block of {block_days}")
    whole, rest = divmod(days, block_days)
    reached = np.vstack([np.zeros((1, columns)), np.cumsum(values, axis=0)])
    rng = np.random.default_rng(seed)
    starts = rng.integers(0, days - block_days + 1, size=(draws, whole))
    sums: FloatArray = (reached[starts + block_days] - reached[starts]).sum(axis=1)
    if rest:
        last = rng.integers(0, days - block_days + 1, size=draws)
        sums += reached[last + rest] - reached[last]
    return sums


def newey_west_variance(values: FloatArray, lags: int) -> float:
    """Long-run variance of a series with Bartlett weights (Newey & West 1987); never negative."""
    centred = values - values.mean()
    n = len(values)
    variance = float((centred * centred).sum()) / n
    for lag in range(1, min(lags, n - 1) + 1):
        covariance = float((centred[lag:] * centred[:-lag]).sum()) / n
        variance += 2.0 * (1.0 - lag / (lags + 1.0)) * covariance
    return max(variance, 0.0)


def diebold_mariano_p(differences: FloatArray, lags: int = BLOCK_DAYS - 1) -> float:
    """Two-sided p that the mean of daily loss differences is zero (Diebold & Mariano 1995).

    The variance allows for autocorrelation over `lags` days (Newey-West); the statistic is scaled by
    sqrt((n - 1) / n), the correction of Harvey, Leybourne & Newbold 1997 for one-day-ahead forecasts, and
    read from t(n - 1). 1.0 when all differences are zero.
    """
    from scipy.stats import t

    n = len(differences)
    mean = float(differences.mean())
    if mean == 0.0:
        return 1.0
    variance = newey_west_variance(differences, lags)
    if variance == 0.0:
        return 0.0
    statistic = mean / np.sqrt(variance / n) * np.sqrt((n - 1) / n)
    return float(2.0 * t.sf(abs(statistic), n - 1))


def wilcoxon_p(differences: FloatArray) -> float:
    """Two-sided p of Wilcoxon's signed-rank test; days without a difference are left out.

    Exact for up to 50 days without ties, else normal with tie correction. It takes days as independent,
    which Diebold-Mariano does not. 1.0 when no day differs.
    """
    from scipy.stats import wilcoxon

    # Hits are sums of fractions: two equal sums may differ in the last bits and would count as a day won.
    different = differences[np.abs(differences) > 1e-9].round(9)
    if not len(different):
        return 1.0
    return float(wilcoxon(different, zero_method="wilcox", method="auto").pvalue)


def holm(p: FloatArray) -> FloatArray:
    """Adjusted p of a family of comparisons (Holm 1979): keeps the family-wise error. NaN stays NaN."""
    adjusted = np.full(len(p), np.nan)
    known = np.flatnonzero(~np.isnan(p))
    order = known[np.argsort(p[known], kind="stable")]
    steps = np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * steps), 1.0)
    return adjusted

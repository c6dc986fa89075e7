"""Mixing: the weights of a mixture by expectation maximisation.

Belongs here: the weights that make what was observed most likely. Not here: what is mixed (`learning`).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from hotspot_assets.forecasting.profiles import FloatArray

_ITERATIONS = 250
_TOLERANCE = 1e-8
"""Ends the steps: gain in nats per incident."""
_BLOCK = 1024
"""Incidents looked at together: they stay in the processor's cache, and their sums keep single precision good."""
_NOTHING = 1e-300


def em_weights(
    ratios: npt.NDArray[np.floating],
    weight: FloatArray,
    prior: FloatArray | None = None,
    start: FloatArray | None = None,
) -> FloatArray:
    """Weights (1 + candidates,) that sum to one and make the observed incidents most likely.

    The first is the uniform background. `ratios` (incidents, candidates) is what each candidate gave,
    `weight` (incidents,) how often; `prior` is in incidents per weight. With nothing observed the prior's
    shares come back, or even weights. Steps are lengthened as by Varadhan & Roland 2008 (SQUAREM), and never
    taken where they would make the incidents less likely.
    """
    count = 1 + ratios.shape[1]
    extra = np.zeros(count) if prior is None else prior
    total = float(weight.sum() + extra.sum())
    shares = np.full(count, 1.0 / count) if start is None else (start + 1e-6) / (1.0 + count * 1e-6)
    if total == 0:
        return shares
    blocks = [
        (np.insert(ratios[rows], 0, 1.0, axis=1).astype(np.float32), weight[rows])
        for rows in (slice(first, first + _BLOCK) for first in range(0, len(ratios), _BLOCK))
    ]

    def step(now: FloatArray) -> tuple[FloatArray, float]:
        """The next shares, and how likely the present ones make the incidents."""
        credits, likely = extra.copy(), float((extra * np.log(np.maximum(now, _NOTHING))).sum())
        single = now.astype(np.float32)
        for given, often in blocks:
            mixed = np.einsum("ij,j->i", given, single)
            credits += now * np.einsum("ij,i->j", given, (often / mixed).astype(np.float32))
            likely += float((often * np.log(mixed)).sum())
        return credits / credits.sum(), likely / total

    return _accelerated(step, shares)


def _accelerated(step: Callable[[FloatArray], tuple[FloatArray, float]], shares: FloatArray) -> FloatArray:
    """Where the steps lead to, each two of them taken as one long one."""
    after, before = step(shares)
    for _ in range(_ITERATIONS):
        later, likely = step(after)
        if abs(likely - before) < _TOLERANCE:
            return later
        first, change = after - shares, later - 2 * after + shares
        size = float(np.sqrt((first**2).sum() / max((change**2).sum(), _NOTHING)))
        leap = np.maximum(shares + 2 * size * first + size**2 * change, 0.01 * after)
        leap /= leap.sum()
        landed, reached = step(leap)
        if reached >= likely:
            shares, after, before = leap, landed, reached
        else:
            shares, before = after, likely
            after = later
    return after

"""(d) Fitting a self-exciting process, against an open implementation that can be installed.

No package was found that fits a background per cell with triggering in common, as the models of patrol software
do (looked for: etas, hawkes, point process). What can be compared is one place: `phawkes` fits the rate and the
excitation of one process, its decay given; ours finds the decay too, on whole days.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from benchmarks.measure import Comparison, in_turn, median_seconds, ratio
from hotspot_assets.forecasting.etas import fit_self_excitation

_DECAY_PER_DAY = 0.1


def events_of(days: int, per_day: float, seed: int = 1) -> np.ndarray:
    """Times of a self-exciting process in days: a quarter of the events are set off by earlier ones."""
    draw = np.random.Generator(np.random.PCG64(seed))
    generation = draw.uniform(0, days, draw.poisson(0.75 * per_day * days))
    times = [generation]
    while len(generation):
        parents = np.repeat(generation, draw.poisson(0.25, len(generation)))
        generation = parents + draw.exponential(1 / _DECAY_PER_DAY, len(parents))
        generation = generation[generation < days]
        times.append(generation)
    return np.sort(np.concatenate(times))


def fit_ours(times: np.ndarray, days: int) -> float:
    """Expected offspring of an incident."""
    day, number = np.unique(times.astype(np.int64), return_counts=True)
    return fit_self_excitation(np.zeros(len(day), np.int64), day, number.astype(np.float64), days).theta


def fit_theirs(times: np.ndarray, days: int) -> float:
    """The same by `phawkes`."""
    from phawkes import HawkesExpMLE

    model = HawkesExpMLE(decay=_DECAY_PER_DAY)
    model.fit([times], float(days))
    return float(np.asarray(model.adjacency_).ravel()[0])


def run(days: int, per_day: float, rounds: int) -> list[Comparison]:
    """One place with many events."""
    times = events_of(days, per_day)
    ours, theirs = fit_ours(times, days), fit_theirs(times, days)
    works = {"ours": partial(fit_ours, times, days), "phawkes": partial(fit_theirs, times, days)}
    timings = in_turn(works, rounds)
    facts = (
        f"{len(times):,} events of one place: {median_seconds(timings['ours']):.3f} s against"
        f" {median_seconds(timings['phawkes']):.3f} s; offspring per incident {ours:.2f} and {theirs:.2f}, truth 0.25"
    )
    return [
        Comparison(
            "d",
            "phawkes by our fit of a self-exciting process",
            ratio(timings["phawkes"], timings["ours"]),
            "",
            facts,
        )
    ]

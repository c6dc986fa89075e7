"""Tuning: the rivals' one or two knobs, chosen on the same held-out days that the learned kernel learns from.

Belongs here: choosing one candidate per offence group by the likelihood it gave to what then happened. Not
here: mixing candidates (`learning`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from hotspot_assets.forecasting.fitting import Candidates, FitInput, FittedModel, observe
from hotspot_assets.forecasting.kernel import Component, DecayKernel
from hotspot_assets.forecasting.profiles import (
    Count,
    Decay,
    Exponential,
    Gaussian,
    Identity,
    Memory,
    SpatialProfile,
    TemporalProfile,
    Window,
)
from hotspot_assets.forecasting.state import Row, sorted_rows

HALF_LIVES_DAYS = (7, 14, 30, 60, 120, 240, 480, 960)
WIDTHS_RINGS = (0.75, 1.0, 1.5, 2.0, 2.75, 3.5)
KDE_WINDOW_DAYS = 365
_EVEN_SHARE = 0.01
"""Each candidate is judged with 1 % spread evenly, so that one surprise does not decide."""


def fit_kde(fit: FitInput) -> FittedModel:
    """Counts of 365 days under a Gaussian, its bandwidth tuned per offence group."""
    return _tuned("kde", fit, [Count(KDE_WINDOW_DAYS)], _widths(fit))


def fit_exponential(fit: FitInput) -> FittedModel:
    """Exponential decay under a Gaussian (or in the own cell), half-life and bandwidth tuned per group."""
    memories = [Decay(round(half_life / math.log(2), 3)) for half_life in HALF_LIVES_DAYS]
    return _tuned("exponential", fit, memories, [Identity(), *_widths(fit)])


def _widths(fit: FitInput) -> list[SpatialProfile]:
    return [Gaussian(round(rings * fit.spacing_m, 1)) for rings in WIDTHS_RINGS]


def _tuned(
    name: str, fit: FitInput, memories: Sequence[Memory], spatials: Sequence[SpatialProfile]
) -> FittedModel:
    rows = sorted_rows([Row(group, memory) for group in fit.groups for memory in memories])
    candidates = Candidates(rows, tuple(spatials))
    kernels = {}
    for group, observed in observe(fit, candidates).items():
        own = [number for number in range(len(candidates)) if candidates.of(number)[0].group == group]
        gain = observed.weight @ np.log(_EVEN_SHARE + (1.0 - _EVEN_SHARE) * observed.ratios[:, own])
        row, spatial = candidates.of(own[int(np.argmax(gain))])
        kernels[group] = DecayKernel((Component(_temporal(row.memory), spatial),))
    return FittedModel(name, fit.day, fit.area.study_area_id, kernels)


def _temporal(memory: Memory) -> TemporalProfile:
    if isinstance(memory, Decay):
        return Exponential(memory.tau_days)
    return Window(memory.last_age or KDE_WINDOW_DAYS)

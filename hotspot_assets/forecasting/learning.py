"""The learned kernel: a mixture over own and similar offence groups, weighted by what proved right.

Belongs here: the candidates, the prior of their weights, and the two pictures of a fit (similarity, decay). Not
here: the view of held-out days (`fitting`), the EM itself (`mixing`), scoring (`engine`).

    share(cell, day) = w_0 / n + sum_k w_k f_k(cell, day) / sum over cells of f_k(., day)

with f_k = decayed counts of one source, in the own cell or spread over where things happen around it. A source is
an offence group, or where the setting is known an offence group in one setting: homes are broken into near homes
that were. EM on held-out days: each incident is credited to the candidates in proportion to what they gave its
cell; the credits are the new weights. They are non-negative and sum to one by construction. The prior is worth a
few incidents: a rare offence group leans on what all groups have in common, a frequent one does not notice.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import polars as pl

from hotspot_assets.forecasting.events import Events
from hotspot_assets.forecasting.fitting import Candidates, FitInput, FittedModel, Observed, observe
from hotspot_assets.forecasting.kernel import Component, DecayKernel
from hotspot_assets.forecasting.levels import fit_level
from hotspot_assets.forecasting.mixing import em_weights
from hotspot_assets.forecasting.profiles import Dasymetric, Decay, Exponential, FloatArray, Identity
from hotspot_assets.forecasting.state import Row, sorted_rows
from hotspot_assets.intake.offences import SETTINGS

TAUS_DAYS = (7.0, 30.0, 120.0, 1200.0)
WIDTHS_RINGS = (1.0, 2.0, 3.5)
PRIOR_INCIDENTS = 10.0
LEAST_OF_GROUP = 0.02
"""A setting with less of its offence group than this is no source: there is too little to learn from."""
_DECIMALS = 6
_LEAST_WEIGHT = 5e-4
"""Weights below this are dropped: they change no rank, and each costs time every day."""


def fit_learned(fit: FitInput) -> FittedModel:
    """Fit the mixture for all target groups; every group of the events is a source."""
    candidates = candidates_of(fit)
    observed = observe(fit, candidates)
    alone = {group: em_weights(each.ratios, each.weight) for group, each in observed.items()}
    weights = {}
    for group, each in observed.items():
        prior = PRIOR_INCIDENTS * _in_common(alone, observed, candidates, group)
        weights[group] = em_weights(each.ratios, each.weight, prior, alone[group])
    return FittedModel(
        "learned",
        fit.day,
        fit.area.study_area_id,
        {group: _kernel(weight, candidates, group, fit) for group, weight in weights.items()},
        {group: fit_level(fit.known, group, *fit.held_out) for group in fit.groups},
    )


def candidates_of(fit: FitInput) -> Candidates:
    """Every source x memory, in the own cell and spread by each width."""
    rows = [
        Row(group, Decay(tau), setting)
        for group in fit.known.groups
        for setting in _settings_of(fit.known, group)
        for tau in TAUS_DAYS
    ]
    widths = [Dasymetric(rings * fit.spacing_m) for rings in WIDTHS_RINGS]
    return Candidates(sorted_rows(rows), (Identity(), *widths))


def _settings_of(events: Events, group: str) -> tuple[str | None, ...]:
    """Settings in which an offence group is a source of its own; where one is all there is, the group as a whole."""
    where = events.slice_of(group)
    incidents = np.bincount(events.setting[where], weights=events.weight[where], minlength=len(SETTINGS))
    found = np.flatnonzero(incidents > LEAST_OF_GROUP * incidents.sum())
    return tuple(SETTINGS[number] for number in found) if len(found) > 1 else (None,)


def _in_common(
    alone: Mapping[str, FloatArray], observed: Mapping[str, Observed], candidates: Candidates, group: str
) -> FloatArray:
    """What the other target groups' weights say about this one's: own to own, others evenly to others."""
    sources = list(dict.fromkeys(row.source for row in candidates.rows))
    shape = (len(candidates.spatials), len(sources), -1)
    said = [other for other in alone if other != group] or [group]
    incidents = np.array([observed[other].weight.sum() + 1.0 for other in said])
    background, own, others = 0.0, np.zeros(1), np.zeros(1)
    for other, portion in zip(said, incidents / incidents.sum(), strict=True):
        blocks = alone[other][1:].reshape(shape)
        its_own = blocks[:, [name == other for name, _ in sources]].sum(axis=1)
        background += portion * alone[other][0]
        own = own + portion * its_own
        others = others + portion * (blocks.sum(axis=1) - its_own)
    is_own = np.array([name == group for name, _ in sources])
    common = np.where(
        is_own[None, :, None],
        own[:, None] / max(is_own.sum(), 1),
        others[:, None] / max((~is_own).sum(), 1),
    )
    prior = np.concatenate([[background], common.ravel()])
    return np.asarray(prior / prior.sum())


def _kernel(weights: FloatArray, candidates: Candidates, group: str, fit: FitInput) -> DecayKernel:
    kept = np.where(weights < _LEAST_WEIGHT, 0.0, weights)
    kept = np.round(kept / kept.sum(), _DECIMALS)
    components = []
    for number in np.flatnonzero(kept[1:]):
        row, spatial = candidates.of(int(number))
        assert isinstance(row.memory, Decay)
        source = None if row.group == group else row.group
        weight = float(kept[1 + number])
        components.append(Component(Exponential(row.memory.tau_days), spatial, weight, source, row.setting))
    return DecayKernel(tuple(components), mixture=True, uniform=float(kept[0]), activity=fit.known.groups)


def similarity(model: FittedModel) -> pl.DataFrame:
    """Columns target, source, share: how much of a target's score comes from each source group.

    One row per pair, 0 where a source gives nothing; the background has source null. Shares of a target sum
    to one.
    """
    sources = sorted(
        {each.source_group or group for group, kernel in model.kernels.items() for each in kernel.components}
    )
    rows: list[tuple[str, str | None, float]] = []
    for target, kernel in sorted(model.kernels.items()):
        weights = dict.fromkeys(sources, 0.0)
        for component in kernel.components:
            weights[component.source_group or target] += component.weight
        total = kernel.uniform + sum(weights.values())
        rows += [(target, source, weight / total) for source, weight in weights.items()]
        rows.append((target, None, kernel.uniform / total))
    schema = {"target": pl.String, "source": pl.String, "share": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def decay_curve(model: FittedModel, ages_days: npt.NDArray[np.int64]) -> pl.DataFrame:
    """Columns target, age_days, own_cell, around: influence of an incident of the target's own group by age.

    Relative to all influence at age 1. A component's weight is a share of the surface, so one incident's part
    of it is that share by how many incidents the component remembers (tau, at a steady rate).
    """
    frames = []
    for target, kernel in sorted(model.kernels.items()):
        parts = {"own_cell": np.zeros(len(ages_days)), "around": np.zeros(len(ages_days))}
        start = 0.0
        for component in kernel.components:
            if component.source_group is None and isinstance(component.temporal, Exponential):
                rate = component.weight / component.temporal.tau_days
                where = "own_cell" if isinstance(component.spatial, Identity) else "around"
                parts[where] += rate * component.temporal.at(ages_days)
                start += rate * float(component.temporal.at(np.array([1]))[0])
        scaled = {name: values / start if start > 0 else values for name, values in parts.items()}
        frames.append(pl.DataFrame({"target": [target] * len(ages_days), "age_days": ages_days, **scaled}))
    return pl.concat(frames)

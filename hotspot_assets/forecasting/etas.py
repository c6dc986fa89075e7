"""ETAS: a self-exciting point process per cell (Mohler et al. 2015), with the errata and guards it needs.

Belongs here: the EM fit of background and triggering. Not here: its score, which is a kernel like any other.

    lambda_n(day) = mu_n + sum over earlier events of the cell of  theta * (e^omega - 1) * e^(-omega * age)

- Events are counted by whole days, so ages are 1, 2, ...; (e^omega - 1) is what makes the triggering sum to
  theta over them (for small omega it is omega, as in the paper's continuous form).
- mu_n = sum of background probabilities in the cell / T, one per cell (Lum's correction: the paper prints one
  for all).
- Edge correction: offspring that would come after the end of the data are counted as expected, not as absent.
- Events of the same day never trigger each other, and incidents spread over several days (from/to ranges) are
  left out of the fit, as they would seem to trigger themselves.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hotspot_assets.forecasting.events import ONE_INCIDENT, epoch_day
from hotspot_assets.forecasting.fitting import FitInput, FittedModel
from hotspot_assets.forecasting.kernel import CellBackground, Component, DecayKernel
from hotspot_assets.forecasting.levels import fit_level
from hotspot_assets.forecasting.profiles import Exponential, FloatArray, Identity

_ITERATIONS = 400
_TOLERANCE = 1e-5
_DIGITS = 6


@dataclass(frozen=True, eq=False)
class SelfExcitation:
    """Offspring per event (theta), decay per day (omega), background events per day and cell."""

    theta: float
    omega_per_day: float
    cells: npt.NDArray[np.int64]
    background_per_day: FloatArray


def fit_etas(fit: FitInput) -> FittedModel:
    """Fit each target group on all of its history known at the fit."""
    kernels = {}
    for group in fit.groups:
        where = fit.known.slice_of(group)
        whole = fit.known.weight[where] % ONE_INCIDENT == 0
        cell, day, number = _daily(
            fit.known.cell[where][whole], fit.known.day[where][whole], fit.known.weight[where][whole]
        )
        kernels[group] = _kernel(fit, fit_self_excitation(cell, day, number, epoch_day(fit.day)))
    levels = {group: fit_level(fit.known, group, *fit.held_out) for group in fit.groups}
    return FittedModel("etas", fit.day, fit.area.study_area_id, kernels, levels)


def _daily(
    cell: npt.NDArray[np.int32], day: npt.NDArray[np.int32], weight: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], FloatArray]:
    """Events per cell and day, ascending; what was taken back is gone."""
    key, position = np.unique(cell.astype(np.int64) << 32 | day, return_inverse=True)
    number = np.bincount(position, weights=weight, minlength=len(key)) / ONE_INCIDENT
    left = number > 0
    return key[left] >> 32, key[left] & 0xFFFFFFFF, number[left]


def _kernel(fit: FitInput, process: SelfExcitation) -> DecayKernel:
    rates = [float(f"{rate:.{_DIGITS}g}") for rate in process.background_per_day]
    background = CellBackground(tuple(int(cell) for cell in fit.area.cells[process.cells]), tuple(rates))
    if process.theta == 0.0:
        return DecayKernel((), cells=background)
    omega = float(f"{process.omega_per_day:.{_DIGITS}g}")
    weight = float(f"{process.theta * np.expm1(omega):.{_DIGITS}g}")
    return DecayKernel((Component(Exponential(1.0 / omega), Identity(), weight),), cells=background)


def fit_self_excitation(
    cell: npt.NDArray[np.int64], day: npt.NDArray[np.int64], number: FloatArray, end_day: int
) -> SelfExcitation:
    """EM for one process per cell with theta and omega in common.

    `cell`, `day`, `number`: events per cell and day, sorted by (cell, day), days unique within a cell;
    `end_day` is the first day not observed. The span observed starts with the first event.
    """
    cells, segment = np.unique(cell, return_inverse=True)
    if len(cell) == 0:
        return SelfExcitation(0.0, 1.0, cells, np.zeros(0))
    span_days = float(end_day - day.min())
    gap = np.where(
        np.concatenate([[True], segment[1:] != segment[:-1]]), np.inf, np.diff(day, prepend=day[:1])
    )
    left_days = (end_day - 1 - day).astype(np.float64)
    events = number.sum()
    theta, omega = 0.3, 0.1
    mu = np.bincount(segment, weights=number) / span_days * (1.0 - theta)
    for _ in range(_ITERATIONS):
        near, aged = _excitations(gap, number, omega)
        height = theta * np.expm1(omega)
        rate = mu[segment] + height * near
        triggered = float((number * height * near / rate).sum())
        triggered_days = float((number * height * aged / rate).sum())
        mu = np.bincount(segment, weights=number * mu[segment] / rate) / span_days
        if triggered < 1e-9 * events:
            return SelfExcitation(0.0, 1.0, cells, mu)
        still_to_come = number * np.exp(-omega * left_days)
        mean_age = (triggered_days + theta * float((left_days * still_to_come).sum())) / triggered
        new_theta = triggered / float(events - still_to_come.sum())
        new_omega = float(np.clip(-np.log1p(-1.0 / max(mean_age, 1.0 + 1e-9)), 1e-4, 2.0))
        moved = max(abs(new_theta / theta - 1.0), abs(new_omega / omega - 1.0))
        theta, omega = new_theta, new_omega
        if moved < _TOLERANCE:
            break
    return SelfExcitation(theta, omega, cells, mu)


def _excitations(gap: FloatArray, number: FloatArray, omega: float) -> tuple[FloatArray, FloatArray]:
    """At each event: sum over earlier events of its cell of e^(-omega age), and of age x e^(-omega age)."""
    decay = np.exp(-omega * gap)
    before = np.concatenate([[0.0], number[:-1]])
    near = _scan(decay, decay * before)
    carried = np.concatenate([[0.0], near[:-1]]) + before
    finite_gap = np.where(np.isfinite(gap), gap, 0.0)
    return near, _scan(decay, decay * finite_gap * carried)


def _scan(factor: FloatArray, added: FloatArray) -> FloatArray:
    """x[j] = factor[j] * x[j - 1] + added[j], by doubling: log2(n) passes instead of a loop over events."""
    total, carry, step = added.copy(), factor.copy(), 1
    while step < len(total) and carry[step:].any():
        total[step:] = total[step:] + carry[step:] * total[:-step]
        carry[step:] = carry[step:] * carry[:-step]
        carry[:step] = 0.0
        step *= 2
    return total

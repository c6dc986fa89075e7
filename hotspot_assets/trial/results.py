"""The results of a trial: from the measured days to the tables that a report shows.

Belongs here: putting the measures of a period together. Not here: measuring a day (`metrics`,
`calibration`, `stability`), showing it (`report`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from hotspot_assets.trial.calibration import calibration
from hotspot_assets.trial.ceilings import ceilings
from hotspot_assets.trial.champion import Proposal, propose_champion
from hotspot_assets.trial.comparisons import MAIN_COVERAGE, best_in_hindsight, compare
from hotspot_assets.trial.metrics import pooled
from hotspot_assets.trial.stability import mean_shapes, pooled_overlaps
from hotspot_assets.trial.staleness import staleness

_ROUNDING = 1e-6  # incidents


@dataclass(frozen=True)
class Measured:
    """What was measured, day by day. Parts that are None were not measured; the report says so.

    Attributes
    ----------
    outcomes
        `metrics.OUTCOMES` of all models on the same days, at the reporting lag of the trial.
    deciles
        `calibration.deciles`.
    shapes, overlaps
        `stability.SHAPES` and `stability.OVERLAPS` at the main coverage.
    list_ages
        `metrics.OUTCOMES` and list_age_days, of the default model (`staleness`).
    outcomes_by_lag
        `metrics.OUTCOMES` by the name of a reporting lag, in the order to show: what is known only later.
    near_repeats
        `near_repeat.near_repeat` with offence_group first.
    delays
        Days from the end of an incident to its record, by offence group: quantiles, and share of incidents.
    """

    outcomes: pl.DataFrame
    deciles: pl.DataFrame | None = None
    shapes: pl.DataFrame | None = None
    overlaps: pl.DataFrame | None = None
    list_ages: pl.DataFrame | None = None
    outcomes_by_lag: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    near_repeats: pl.DataFrame | None = None
    delays: pl.DataFrame | None = None


@dataclass(frozen=True)
class TrialResults:
    """The tables of a trial.

    Attributes
    ----------
    default_model, coverage
        The model all others are compared with, and the coverage at which.
    pooled
        `metrics.pooled`: every model, offence group and coverage.
    comparisons
        The default against every other model at every coverage; the rows of one coverage are one family.
    best_baseline
        By offence group, the baseline that did best at the main coverage, in hindsight.
    ceilings, calibration, shapes, overlaps, staleness
        As their modules give them; None = not measured.
    lags
        `metrics.pooled` at the main coverage with `lag`, in the order measured; None = not measured.
    near_repeats, delays
        As in `Measured`.
    proposal
        The champion the rule proposes.
    """

    default_model: str
    coverage: float
    pooled: pl.DataFrame
    comparisons: pl.DataFrame
    best_baseline: dict[str, str]
    ceilings: pl.DataFrame
    proposal: Proposal
    calibration: pl.DataFrame | None
    shapes: pl.DataFrame | None
    overlaps: pl.DataFrame | None
    staleness: pl.DataFrame | None
    lags: pl.DataFrame | None
    near_repeats: pl.DataFrame | None
    delays: pl.DataFrame | None

    @property
    def groups(self) -> list[str]:
        """Offence groups, in order."""
        return self.pooled["offence_group"].unique().sort().to_list()

    @property
    def models(self) -> list[str]:
        """Models, the default first."""
        others = self.pooled["model"].unique().sort().to_list()
        return [self.default_model, *(name for name in others if name != self.default_model)]

    @property
    def main(self) -> pl.DataFrame:
        """The comparisons at the main coverage."""
        return self.comparisons.filter(pl.col("coverage") == self.coverage)


def trial_results(
    measured: Measured,
    *,
    default_model: str,
    current_champion: str,
    eligible: Sequence[str],
    baselines: Sequence[str],
    coverage: float = MAIN_COVERAGE,
    seed: int = 0,
) -> TrialResults:
    """Everything a trial's report shows.

    Parameters
    ----------
    measured
        The measured days.
    default_model
        The model all others are compared with.
    current_champion, eligible
        For `champion.propose_champion`.
    baselines
        The simple models, from which the best in hindsight is taken.
    coverage
        The main coverage, chosen before looking.
    seed
        Of all resampling.

    Raises
    ------
    ValueError
        When the default model was not measured, or a PEI* would exceed 1.
    """
    outcomes = measured.outcomes
    others = [name for name in outcomes["model"].unique().sort() if name != default_model]
    if len(others) == outcomes["model"].n_unique():
        raise ValueError(f"the default model {default_model} was not measured")
    if (outcomes["hits"] > outcomes["best_hits"] + _ROUNDING).any():
        raise ValueError("hits exceed what any choice of cells could catch: they were not measured together")
    pairs = [(default_model, other) for other in others]
    coverages = outcomes["coverage"].unique().sort()
    return TrialResults(
        default_model=default_model,
        coverage=coverage,
        pooled=pooled(outcomes),
        comparisons=pl.concat([compare(outcomes, pairs, share, seed=seed) for share in coverages]),
        best_baseline=best_in_hindsight(outcomes, baselines, coverage),
        ceilings=ceilings(outcomes, seed=seed),
        proposal=propose_champion(outcomes, current_champion, eligible, coverage, seed=seed),
        calibration=None if measured.deciles is None else calibration(measured.deciles),
        shapes=None if measured.shapes is None else mean_shapes(measured.shapes),
        overlaps=None if measured.overlaps is None else pooled_overlaps(measured.overlaps),
        staleness=None if measured.list_ages is None else staleness(measured.list_ages, coverage, seed=seed),
        lags=_lags(measured.outcomes_by_lag, coverage),
        near_repeats=measured.near_repeats,
        delays=measured.delays,
    )


def _lags(outcomes_by_lag: Mapping[str, pl.DataFrame], coverage: float) -> pl.DataFrame | None:
    if not outcomes_by_lag:
        return None
    tables = [
        pooled(outcomes.filter(pl.col("coverage") == coverage)).with_columns(lag=pl.lit(lag))
        for lag, outcomes in outcomes_by_lag.items()
    ]
    return pl.concat(tables)

"""Outcomes of a made-up trial whose truth is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import numpy as np
import polars as pl

from hotspot_assets.trial.metrics import OUTCOMES, with_rates
from hotspot_assets.trial.results import Measured, TrialResults, trial_results
from hotspot_assets.trial.stability import OVERLAPS, SHAPES


def simulated_outcomes(
    hit_rates: Mapping[str, float],
    groups: Sequence[str] = ("burglary",),
    days: int = 120,
    incidents_per_day: float = 60.0,
    coverages: Sequence[float] = (0.05,),
    seed: int = 0,
) -> pl.DataFrame:
    """Outcomes where each model catches each incident with its own probability at 5 % of area.

    Models see the same incidents with luck of their own; at coverage c the probability is
    p ** (log c / log 0.05).
    """
    rng = np.random.default_rng(seed)
    rows = []
    for group in groups:
        for day in range(days):
            total = rng.poisson(incidents_per_day)
            for model, probability in hit_rates.items():
                luck = rng.random(total)
                for coverage in coverages:
                    reached = probability ** (np.log(coverage) / np.log(0.05))
                    rows.append(
                        {
                            "forecast_date": date(2014, 5, 1) + timedelta(days=day),
                            "model": model,
                            "offence_group": group,
                            "coverage": coverage,
                            "incidents": float(total),
                            "hits": float((luck < reached).sum()),
                            "best_hits": float(total),
                            "log_score": 1.0 + probability if total else None,
                            "expected_hit_rate": reached,
                        }
                    )
    return with_rates(pl.DataFrame(rows)).select(pl.col(name).cast(kind) for name, kind in OUTCOMES.items())


def simulated_results(
    hit_rates: Mapping[str, float] | None = None, *, complete: bool = False, days: int = 60
) -> TrialResults:
    """A small trial: `learned` against three others, in two offence groups, at 1 and 5 % of area."""
    rates = hit_rates or {"learned": 0.30, "kde": 0.24, "count_28": 0.15, "etas": 0.299}
    outcomes = simulated_outcomes(rates, ("burglary", "theft"), days, coverages=(0.01, 0.05))
    measured = Measured(outcomes)
    if complete:
        learned = outcomes.filter(pl.col("model") == "learned")
        older = [learned.with_columns(list_age_days=pl.lit(age)) for age in (0, 28, 364)]
        measured = Measured(
            outcomes,
            _deciles(),
            _shapes(),
            _overlaps(),
            pl.concat(older),
            {"0 days": outcomes, "3 days": outcomes},
        )
    return trial_results(
        measured,
        default_model="learned",
        current_champion="count_28",
        eligible=["learned", "kde", "count_28"],
        baselines=["count_28", "kde"],
    )


def _deciles() -> pl.DataFrame:
    tenths = pl.DataFrame(
        {"decile": range(1, 11), "expected": [10.0 - k for k in range(10)], "realised": [5.5] * 10}
    )
    return tenths.join(
        pl.DataFrame({"model": ["learned"] * 2, "offence_group": ["burglary", "theft"]}), how="cross"
    )


def _shapes() -> pl.DataFrame:
    return pl.DataFrame(
        [(date(2014, 5, 1), "learned", "burglary", 0.5, 12, 0.03, None)], schema=SHAPES, orient="row"
    )


def _overlaps() -> pl.DataFrame:
    return pl.DataFrame(
        [(date(2014, 5, 1), "burglary", "learned", "kde", 3.0, 2.0, 4.0, 11.0)], schema=OVERLAPS, orient="row"
    )

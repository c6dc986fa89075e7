"""Outcomes of a made-up trial whose truth is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import numpy as np
import polars as pl

from hotspot_assets.trial.metrics import OUTCOMES, with_rates


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

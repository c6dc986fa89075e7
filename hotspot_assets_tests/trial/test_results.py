"""The tables of a trial."""

from __future__ import annotations

import polars as pl
import pytest

from hotspot_assets.trial.results import Measured, trial_results
from hotspot_assets_tests.trial.builders import simulated_outcomes, simulated_results


def test_the_default_is_compared_with_every_other_model_at_every_coverage() -> None:
    results = simulated_results()
    assert results.models[0] == "learned"
    assert set(results.comparisons["model"]) == {"learned"}
    assert results.comparisons.height == 3 * 2 * 2  # rivals x offence groups x coverages
    assert results.main.height == 3 * 2
    assert results.best_baseline == {"burglary": "kde", "theft": "kde"}


def test_each_coverage_is_a_family_of_its_own() -> None:
    results = simulated_results()
    for coverage in (0.01, 0.05):
        family = results.comparisons.filter(pl.col("coverage") == coverage)
        smallest = family.sort("diebold_mariano_p").row(0, named=True)
        assert smallest["diebold_mariano_p_holm"] == pytest.approx(
            family.height * smallest["diebold_mariano_p"]
        )


def test_lags_are_pooled_at_the_main_coverage() -> None:
    late = simulated_outcomes({"learned": 0.25, "kde": 0.2}, coverages=(0.01, 0.05), seed=9)
    measured = Measured(late, outcomes_by_lag={"7 days": late})
    results = trial_results(
        measured, default_model="learned", current_champion="kde", eligible=["learned"], baselines=["kde"]
    )
    assert results.lags is not None
    assert results.lags.select("coverage", "lag").unique().rows() == [(0.05, "7 days")]


def test_a_default_that_was_not_measured_is_refused() -> None:
    with pytest.raises(ValueError, match="not measured"):
        trial_results(
            Measured(simulated_outcomes({"kde": 0.2})),
            default_model="learned",
            current_champion="kde",
            eligible=["kde"],
            baselines=["kde"],
        )


def test_hits_above_the_best_catch_are_refused() -> None:
    rows = simulated_outcomes({"learned": 0.9, "kde": 0.2}).with_columns(best_hits=pl.col("hits") / 2)
    with pytest.raises(ValueError, match="exceed"):
        trial_results(
            Measured(rows),
            default_model="learned",
            current_champion="kde",
            eligible=["kde"],
            baselines=["kde"],
        )

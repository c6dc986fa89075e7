"""The proposal follows the stated rule."""

from __future__ import annotations

import polars as pl

from hotspot_assets.trial.champion import propose_champion
from hotspot_assets_tests.trial.builders import simulated_outcomes

MODELS = ["count_365", "learned", "exponential"]


def test_a_better_challenger_is_proposed() -> None:
    rows = simulated_outcomes(
        {"count_365": 0.20, "learned": 0.30, "exponential": 0.27}, groups=("burglary", "theft")
    )
    proposal = propose_champion(rows, "count_365", MODELS)
    assert proposal.champion == "learned"
    assert proposal.changes
    assert "better in 2, tied in 0 and worse in none" in proposal.reason


def test_a_model_that_cannot_be_explained_is_not_proposed() -> None:
    rows = simulated_outcomes({"count_365": 0.20, "boosting": 0.40, "exponential": 0.27})
    assert propose_champion(rows, "count_365", MODELS).champion == "exponential"


def test_worse_in_one_group_keeps_the_champion() -> None:
    burglary = simulated_outcomes({"count_365": 0.20, "learned": 0.35}, groups=("burglary",))
    theft = simulated_outcomes({"count_365": 0.30, "learned": 0.22}, groups=("theft",))
    proposal = propose_champion(pl.concat([burglary, theft]), "count_365", ["count_365", "learned"])
    assert proposal.champion == "count_365"
    assert not proposal.changes
    assert sorted(proposal.comparisons["verdict"]) == ["better", "worse"]


def test_a_tie_keeps_the_champion() -> None:
    rows = simulated_outcomes({"count_365": 0.250, "learned": 0.251})
    assert propose_champion(rows, "count_365", MODELS).champion == "count_365"


def test_too_few_days_keep_the_champion() -> None:
    rows = simulated_outcomes({"count_365": 0.2, "learned": 0.9}, days=10)
    assert propose_champion(rows, "count_365", MODELS).champion == "count_365"

"""The attainable ceiling against simulated truth."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from hotspot_assets.trial.ceilings import bootstrap_hit_rates, ceilings, skill
from hotspot_assets.trial.flags import Ruler, flagged_fraction
from hotspot_assets.trial.metrics import Surface, day_truth, range_outcomes


def outcome_rows(hits: list[float], incidents: list[float], expected: list[float]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "forecast_date": [date(2014, 5, 1) + timedelta(days=k) for k in range(len(hits))],
            "model": "m",
            "offence_group": "theft",
            "coverage": 0.1,
            "incidents": incidents,
            "hits": hits,
            "expected_hit_rate": expected,
        }
    )


def test_the_ceiling_and_skill_by_hand() -> None:
    row = ceilings(outcome_rows([3.0, 1.0, 0.0], [6.0, 4.0, 0.0], [0.6, 0.3, 0.9])).row(0, named=True)
    assert row["ceiling"] == pytest.approx((6 * 0.6 + 4 * 0.3) / 10)
    assert row["hit_rate"] == pytest.approx(0.4)
    assert row["skill"] == pytest.approx((0.4 - 0.1) / (0.48 - 0.1))
    assert not row["miscalibrated"]


def test_far_above_its_ceiling_a_model_is_flagged() -> None:
    assert ceilings(outcome_rows([6.0], [10.0], [0.54]))["miscalibrated"].item()
    assert not ceilings(outcome_rows([6.0], [10.0], [0.55]))["miscalibrated"].item()


def test_no_skill_where_the_ceiling_is_a_uniform_forecast() -> None:
    frame = pl.DataFrame({"h": [0.2], "c": [0.1], "u": [0.1]})
    assert frame.select(skill(pl.col("h"), pl.col("c"), pl.col("u"))).item() is None


def test_a_true_model_reaches_its_ceiling_and_a_blunt_one_exceeds_it() -> None:
    rng = np.random.default_rng(7)
    n = 500
    truth = rng.gamma(0.3, size=n) + 1e-6
    truth /= truth.sum()
    blunt = 0.5 * truth + 0.5 / n  # the same ranking, half of the mass spread evenly
    rank = np.empty(n, dtype=np.int32)
    rank[np.argsort(-truth)] = np.arange(1, n + 1)
    ruler = Ruler.by_area(np.full(n, 0.02), (0.05, 0.1))
    days = [date(2014, 5, 1) + timedelta(days=k) for k in range(120)]
    truths = {(d, "theft"): day_truth(rng.multinomial(40, truth).astype(float), ruler) for d in days}
    rows = range_outcomes(
        (Surface(d, name, "theft", s, rank) for d in days for name, s in (("true", truth), ("blunt", blunt))),
        truths,
        ruler,
    )
    result = {(r["model"], r["coverage"]): r for r in ceilings(rows).iter_rows(named=True)}
    for coverage in (0.05, 0.1):
        right, wrong = result["true", coverage], result["blunt", coverage]
        assert right["ceiling_low"] < right["hit_rate"] < right["ceiling_high"]
        assert right["skill"] == pytest.approx(1.0, abs=0.05)
        assert not right["miscalibrated"]
        assert wrong["miscalibrated"]


def test_drawing_from_the_binomial_is_drawing_cells() -> None:
    rng = np.random.default_rng(8)
    shares = rng.dirichlet(np.full(30, 0.4))
    fraction = flagged_fraction(rng.permutation(30) + 1, np.ones(30), 0.2)
    totals = np.array([12.0, 5.0, 30.0])
    cells = rng.multinomial(totals.sum().astype(int), shares, size=20_000)
    # Incidents in the marginal cell are hits with its share: here a whole number of cells is flagged.
    by_cells = (cells * fraction).sum(axis=1) / totals.sum()
    by_binomial = bootstrap_hit_rates(totals, np.full(3, (shares * fraction).sum()), rng, 20_000)
    assert by_binomial.mean() == pytest.approx(by_cells.mean(), abs=0.002)
    assert by_binomial.std() == pytest.approx(by_cells.std(), rel=0.03)


def test_fractions_of_incidents_count_as_fractions() -> None:
    rates = bootstrap_hit_rates(np.array([0.5, 1.25]), np.array([1.0, 1.0]), np.random.default_rng(1), 10)
    assert rates.tolist() == pytest.approx([1.0] * 10)


def test_the_same_seed_gives_the_same_interval() -> None:
    rows = outcome_rows([3.0, 1.0], [6.0, 4.0], [0.6, 0.3])
    assert ceilings(rows, seed=3).equals(ceilings(rows, seed=3))

"""Hit rate, PAI, PEI* and log score: by hand, by property, and against simulated truth."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog

from hotspot_assets.trial.flags import COVERAGES, FloatArray, Ruler
from hotspot_assets.trial.metrics import (
    MEASURES,
    OUTCOMES,
    Surface,
    day_truth,
    outcomes,
    pooled,
    range_outcomes,
)

DAY = date(2014, 5, 1)


def ranks(scores: FloatArray, rng: np.random.Generator) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
    order = np.lexsort((rng.random(len(scores)), -scores))
    rank = np.empty(len(scores), dtype=np.int32)
    rank[order] = np.arange(1, len(scores) + 1)
    return rank


def random_day(seed: int, n: int) -> tuple[FloatArray, np.ndarray, FloatArray, FloatArray]:
    rng = np.random.default_rng(seed)
    scores = rng.gamma(0.3, size=n) + 1e-12
    scores /= scores.sum()
    counts = rng.poisson(0.3, n) * rng.choice([1.0, 0.25], n)
    return scores, ranks(scores, rng), counts, rng.uniform(0.5, 1.5, n)


def test_one_day_by_hand() -> None:
    # Areas 1, 2, 3, 4 (10 km2); order of rank: cells 1, 0, 3, 2. Half of it: cells 1 and 0, half of cell 3.
    rows = outcomes(
        np.array([0.3, 0.4, 0.1, 0.2]),
        np.array([2, 1, 4, 3]),
        np.array([1.0, 0.0, 3.0, 2.0]),
        np.array([1.0, 2.0, 3.0, 4.0]),
        (0.2, 0.5, 1.0),
    )
    assert list(rows.columns) == list(MEASURES)
    assert rows["incidents"].to_list() == [6.0, 6.0, 6.0]
    assert rows["hits"].to_list() == pytest.approx([0.0, 1.0 + 0.5 * 2.0, 6.0])
    assert rows["hit_rate"].to_list() == pytest.approx([0.0, 1 / 3, 1.0])
    assert rows["pai"].to_list() == pytest.approx([0.0, 2 / 3, 1.0])
    # Incidents per km2: 1, 0, 1, 0.5. Best in 2 km2: 2 of those at 1; in 5: all 4 km2 at 1, then 1 at 0.5.
    assert rows["best_hits"].to_list() == pytest.approx([2.0, 4.5, 6.0])
    assert rows["pei"].to_list() == pytest.approx([0.0, 2 / 4.5, 1.0])
    assert rows["expected_hit_rate"].to_list() == pytest.approx([0.4, 0.4 + 0.3 + 0.1, 1.0])
    by_hand = (1 * np.log(0.3 / 0.1) + 3 * np.log(0.1 / 0.3) + 2 * np.log(0.2 / 0.4)) / 6
    assert rows["log_score"].to_list() == pytest.approx([by_hand] * 3)


def test_coverage_by_cells_is_another_measure() -> None:
    scores, rank = np.array([0.7, 0.2, 0.1, 0.0]), np.array([1, 2, 3, 4])
    counts, area = np.array([0.0, 1.0, 0.0, 0.0]), np.array([4.0, 2.0, 1.0, 1.0])
    assert outcomes(scores, rank, counts, area, (0.5,))["hits"].item() == 0.0
    assert outcomes(scores, rank, counts, area, (0.5,), reproduce_by_cells=True)["hits"].item() == 1.0


def test_a_day_without_incidents_says_nothing() -> None:
    scores, rank, _, area = random_day(1, 50)
    rows = outcomes(scores, rank, np.zeros(50), area)
    assert rows["hits"].to_list() == [0.0] * len(COVERAGES)
    assert rows.select("hit_rate", "pai", "pei", "log_score").null_count().row(0) == (len(COVERAGES),) * 4


def test_the_floor_keeps_the_log_score_finite_and_gives_nothing_away() -> None:
    n = 1000
    certain = np.zeros(n)
    certain[0] = 1.0
    counts = np.zeros(n)
    counts[7] = 1.0
    rows = outcomes(certain, np.arange(1, n + 1), counts, np.ones(n), (0.5,))
    shares = np.maximum(certain, 1e-6)
    assert rows["log_score"].item() == pytest.approx(np.log(1e-6 / shares.sum() * n))


def test_uniform_scores_zero_by_area() -> None:
    rng = np.random.default_rng(2)
    area = rng.uniform(0.5, 1.5, 300)
    rows = outcomes(area / area.sum(), rng.permutation(300) + 1, rng.poisson(1.0, 300).astype(float), area)
    assert rows["log_score"].to_list() == pytest.approx([0.0] * len(COVERAGES), abs=1e-12)


def test_the_true_surface_has_the_best_log_score() -> None:
    rng = np.random.default_rng(3)
    truth = rng.gamma(0.5, size=200) + 1e-4
    truth /= truth.sum()
    counts = truth * 1000  # its own expectation, so no chance is left
    at_truth = outcomes(truth, ranks(truth, rng), counts, np.ones(200), (0.1,))["log_score"].item()
    for sharpness in (0.5, 0.8, 1.2, 2.0):
        other = truth**sharpness / (truth**sharpness).sum()
        assert outcomes(other, ranks(other, rng), counts, np.ones(200), (0.1,))["log_score"].item() < at_truth


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scores": np.array([0.9, 0.3])}, "shares"),
        ({"scores": np.array([1.5, -0.5])}, "shares"),
        ({"scores": np.array([np.nan, 1.0])}, "shares"),
        ({"scores": np.array([1.0])}, "1 scores"),
        ({"rank": np.array([1, 1])}, "unique"),
        ({"counts": np.array([1.0, -1.0])}, "not negative"),
        ({"counts": np.array([1.0])}, "1 counts"),
    ],
)
def test_malformed_input_is_refused(change: dict[str, np.ndarray], message: str) -> None:
    fine = {
        "scores": np.array([0.6, 0.4]),
        "rank": np.array([1, 2]),
        "counts": np.array([1.0, 0.0]),
        "area_km2": np.ones(2),
    }
    with pytest.raises(ValueError, match=message):
        outcomes(**(fine | change))


days = st.tuples(st.integers(0, 2**32 - 1), st.integers(2, 120))


@given(days)
def test_rates_stay_within_their_bounds(day: tuple[int, int]) -> None:
    rows = outcomes(*random_day(*day)).filter(pl.col("incidents") > 0)
    for name in ("hit_rate", "pei", "expected_hit_rate"):
        assert rows[name].is_between(0.0, 1.0).all()
    assert (rows["hits"] <= rows["best_hits"] + 1e-9).all()


@given(days)
def test_more_area_never_catches_less(day: tuple[int, int]) -> None:
    rows = outcomes(*random_day(*day), tuple(np.linspace(0.01, 1.0, 40)))
    assert (np.diff(rows["hits"].to_numpy()) >= -1e-9).all()
    assert (np.diff(rows["expected_hit_rate"].to_numpy()) >= -1e-9).all()


@given(days)
def test_the_order_of_the_cells_changes_nothing(day: tuple[int, int]) -> None:
    vectors = random_day(*day)
    turned = np.random.default_rng(day[0]).permutation(day[1])
    left, right = outcomes(*vectors), outcomes(*(vector[turned] for vector in vectors))
    for name in MEASURES:
        np.testing.assert_allclose(
            left[name].to_numpy().astype(float), right[name].to_numpy().astype(float), atol=1e-9
        )


@given(st.integers(0, 2**32 - 1), st.integers(1, 12))
def test_the_best_catch_is_the_best_of_all_choices_of_equal_cells(seed: int, picked: int) -> None:
    rng = np.random.default_rng(seed)
    counts = rng.poisson(1.0, 12).astype(float)
    best = day_truth(counts, Ruler.by_area(np.full(12, 0.3), (picked / 12,))).best_hits.item()
    assert best == pytest.approx(np.sort(counts)[::-1][:picked].sum())


@given(st.integers(0, 2**32 - 1), st.floats(0.05, 0.95))
def test_the_best_catch_is_the_optimum_of_the_linear_programme(seed: int, coverage: float) -> None:
    rng = np.random.default_rng(seed)
    counts, area = rng.poisson(0.8, 15).astype(float), rng.uniform(0.2, 2.0, 15)
    best = day_truth(counts, Ruler.by_area(area, (coverage,))).best_hits.item()
    optimum = linprog(-counts, A_ub=area[None, :], b_ub=[coverage * area.sum()], bounds=(0, 1))
    assert best == pytest.approx(-optimum.fun, abs=1e-6)


def test_a_range_equals_its_days_one_by_one() -> None:
    n, dates = 300, [DAY + timedelta(days=k) for k in range(5)]
    area = random_day(0, n)[3]
    ruler = Ruler.by_area(area)
    vectors = {
        (day, model): random_day(17 * k + m, n) for k, day in enumerate(dates) for m, model in enumerate("ab")
    }
    counts = {day: vectors[day, "a"][2] for day in dates}
    many = range_outcomes(
        (Surface(day, model, "burglary", v[0], v[1]) for (day, model), v in vectors.items()),
        {(day, "burglary"): day_truth(counts[day], ruler) for day in dates},
        ruler,
    )
    assert dict(many.schema) == OUTCOMES
    for (day, model), v in vectors.items():
        alone = outcomes(v[0], v[1], counts[day], area)
        same = many.filter((pl.col("forecast_date") == day) & (pl.col("model") == model))
        assert same.select(list(MEASURES)).equals(alone)


def test_no_surfaces_give_an_empty_frame() -> None:
    assert dict(range_outcomes([], {}, Ruler.by_area(np.ones(3))).schema) == OUTCOMES


def test_a_forecast_without_truth_is_not_scored() -> None:
    scores, rank, _, area = random_day(4, 10)
    with pytest.raises(KeyError):
        range_outcomes([Surface(DAY, "a", "theft", scores, rank)], {}, Ruler.by_area(area))


def test_pooling_counts_incidents_not_days() -> None:
    rows = pl.DataFrame(
        {
            "forecast_date": [DAY, DAY + timedelta(days=1), DAY + timedelta(days=2)],
            "model": ["a"] * 3,
            "offence_group": ["theft"] * 3,
            "coverage": [0.05] * 3,
            "incidents": [9.0, 1.0, 0.0],
            "hits": [3.0, 1.0, 0.0],
            "hit_rate": [1 / 3, 1.0, None],
            "pai": [1 / 3 / 0.05, 20.0, None],
            "pei": [0.5, 1.0, None],
            "log_score": [1.0, 2.0, None],
            "best_hits": [6.0, 1.0, 0.0],
            "expected_hit_rate": [0.4, 0.2, 0.3],
        }
    )
    row = pooled(rows).row(0, named=True)
    assert row["days"] == 2
    assert row["hit_rate"] == pytest.approx(0.4)
    assert row["pai"] == pytest.approx(8.0)
    assert row["pei"] == pytest.approx(4 / 7)
    assert row["log_score"] == pytest.approx(1.1)
    assert row["expected_hit_rate"] == pytest.approx(0.38)


def test_pooling_days_without_incidents_gives_nulls() -> None:
    scores, rank, _, area = random_day(6, 20)
    quiet = outcomes(scores, rank, np.zeros(20), area).with_columns(
        forecast_date=DAY, model=pl.lit("a"), offence_group=pl.lit("theft")
    )
    row = pooled(quiet).row(0, named=True)
    assert (row["hit_rate"], row["pai"], row["pei"], row["log_score"], row["expected_hit_rate"]) == (
        None,
    ) * 5

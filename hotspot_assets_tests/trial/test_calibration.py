"""Calibration by decile of area."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest

from hotspot_assets.trial.calibration import TENTHS, calibration, deciles
from hotspot_assets.trial.flags import FloatArray, Ruler
from hotspot_assets.trial.metrics import Surface, day_truth, range_outcomes

DAY = date(2020, 1, 1)


def day_deciles(
    scores: FloatArray, rank: np.ndarray, counts: FloatArray, area_km2: FloatArray, model: str = "m"
) -> pl.DataFrame:
    ruler = Ruler.by_area(area_km2, TENTHS)
    surface = Surface(DAY, model, "theft", scores, rank)
    return deciles(range_outcomes([surface], {(DAY, "theft"): day_truth(counts, ruler)}, ruler))


def test_deciles_by_hand() -> None:
    scores = np.array([0.5, 0.3, 0.2] + [0.0] * 7)
    counts = np.array([1.0, 2.0, 0.0] + [0.0] * 6 + [1.0])
    rows = day_deciles(scores, np.arange(1, 11), counts, np.ones(10))
    assert rows["decile"].to_list() == list(range(1, 11))
    assert rows["expected"].to_list() == pytest.approx([2.0, 1.2, 0.8] + [0.0] * 7)
    assert rows["realised"].to_list() == pytest.approx(counts.tolist())


def test_deciles_are_of_area_and_split_the_margin() -> None:
    rows = day_deciles(np.array([0.8, 0.2]), np.array([1, 2]), np.array([6.0, 4.0]), np.array([0.15, 0.85]))
    assert rows["expected"].to_list()[:2] == pytest.approx([8 * 2 / 3, 8 / 3 + 2 * 0.05 / 0.85])
    assert rows["realised"].to_list()[:2] == pytest.approx([4.0, 2.0 + 4 * 0.05 / 0.85])


def test_a_true_model_has_ratios_near_one_and_an_overconfident_one_has_not() -> None:
    rng = np.random.default_rng(4)
    truth = rng.gamma(0.5, size=400) + 1e-3
    truth /= truth.sum()
    sharp = truth**2 / (truth**2).sum()
    rank = np.empty(400, dtype=np.int32)
    rank[np.argsort(-truth)] = np.arange(1, 401)
    days = []
    for _ in range(200):
        counts = rng.multinomial(50, truth).astype(float)
        for name, scores in (("true", truth), ("sharp", sharp)):
            days.append(day_deciles(scores, rank, counts, np.ones(400), name))
    table = calibration(pl.concat(days))
    ratios = {name: table.filter(pl.col("model") == name)["ratio"].to_numpy() for name in ("true", "sharp")}
    assert np.abs(ratios["true"][:6] - 1).max() < 0.15
    assert ratios["sharp"][0] < 0.85 < 1.5 < ratios["sharp"][5]
    assert table.group_by("model").agg(pl.col("realised_share").sum())["realised_share"].to_list() == (
        pytest.approx([1.0, 1.0])
    )


def test_nothing_expected_and_nothing_realised_give_nulls() -> None:
    rows = day_deciles(np.array([1.0] + [0.0] * 9), np.arange(1, 11), np.zeros(10), np.ones(10))
    table = calibration(rows)
    assert table.select("expected_share", "realised_share", "ratio").null_count().row(0) == (10, 10, 10)

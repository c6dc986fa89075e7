from __future__ import annotations

import numpy as np
import pytest

from hotspot_assets.forecasting.near_repeat import TooDenseError, near_repeat

METRE = 1 / 111_195.0


def test_pairs_by_hand() -> None:
    """Three on a line at 0, 100 and 300 m, on days 0, 2 and 9."""
    table = near_repeat(
        np.array([0.0, 100 * METRE, 300 * METRE]),
        np.zeros(3),
        np.array([0, 2, 9]),
        [150, 250, 400],
        [3, 8],
        1,
        99,
    )
    assert table["pairs"].to_list() == [1, 1, 1, 2, 1, 2]
    assert table["distance_m"].to_list() == [150, 150, 250, 250, 400, 400]
    assert table["span_days"].to_list() == [3, 8] * 3


def test_counts_equal_a_loop_over_all_pairs() -> None:
    random = np.random.default_rng(3)
    latitude, longitude = 50 + random.uniform(0, 0.01, 150), random.uniform(0, 0.01, 150)
    day = random.integers(0, 60, 150)
    table = near_repeat(latitude, longitude, day, [200, 400], [7, 14], 1, 9)
    scale = np.cos(np.radians(latitude.mean()))
    for distance_m, span_days, pairs in table.select("distance_m", "span_days", "pairs").iter_rows():
        counted = sum(
            np.hypot((longitude[i] - longitude[j]) * scale, latitude[i] - latitude[j]) <= distance_m * METRE
            and abs(day[i] - day[j]) <= span_days
            for i in range(150)
            for j in range(i)
        )
        assert pairs == counted


def test_planted_repeats_are_found_and_a_random_pattern_is_not() -> None:
    random = np.random.default_rng(8)
    latitude, longitude = 50 + random.uniform(0, 0.05, 600), random.uniform(0, 0.05, 600)
    day = random.integers(0, 365, 600)
    alone = near_repeat(latitude, longitude, day, [200], [7], 1, 199)
    assert alone["p"][0] > 0.02
    repeats = slice(0, 80)
    planted = near_repeat(
        np.concatenate([latitude, latitude[repeats] + 50 * METRE]),
        np.concatenate([longitude, longitude[repeats]]),
        np.concatenate([day, day[repeats] + 3]),
        [200],
        [7],
        1,
        199,
    )
    assert planted["p"][0] == pytest.approx(1 / 200)
    assert planted["ratio"][0] > 2


def test_p_values_are_even_where_nothing_is_planted() -> None:
    random = np.random.default_rng(9)
    values = []
    for seed in range(60):
        latitude, longitude = 50 + random.uniform(0, 0.03, 150), random.uniform(0, 0.03, 150)
        values.append(
            near_repeat(latitude, longitude, random.integers(0, 200, 150), [400], [14], seed, 49)["p"][0]
        )
    assert 0.35 < np.mean(values) < 0.68
    assert np.mean(np.array(values) <= 0.1) < 0.25


def test_nothing_and_too_much() -> None:
    empty = near_repeat(np.zeros(0), np.zeros(0), np.zeros(0, dtype=np.int64), [200], [7], 1, 9)
    assert empty.row(0) == (200.0, 7, 0, 0.0, None, 1.0)
    heap = 3_200
    with pytest.raises(TooDenseError, match="5,118,400 pairs"):
        near_repeat(np.zeros(heap), np.zeros(heap), np.zeros(heap, dtype=np.int64), [200], [7], 1, 9)

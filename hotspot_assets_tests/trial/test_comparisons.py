"""Paired comparisons of models."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest

from hotspot_assets.trial.comparisons import COMPARISON, best_in_hindsight, compare, paired_days
from hotspot_assets.trial.statistics import holm
from hotspot_assets_tests.trial.builders import simulated_outcomes


def test_pooled_difference_and_ratio_by_hand() -> None:
    rows = simulated_outcomes({"a": 0.3, "b": 0.2}, days=2)
    rows = rows.with_columns(
        incidents=pl.Series([10.0, 10.0, 30.0, 30.0]), hits=pl.Series([5.0, 2.0, 6.0, 8.0])
    )
    row = compare(rows, [("a", "b")]).row(0, named=True)
    assert (row["days"], row["incidents"]) == (2, 40.0)
    assert row["hit_rate"] == pytest.approx(11 / 40)
    assert row["difference"] == pytest.approx(1 / 40)
    assert row["ratio"] == pytest.approx(1.1)


def test_too_few_days_get_no_interval_and_no_verdict() -> None:
    row = compare(simulated_outcomes({"a": 0.9, "b": 0.1}, days=27), [("a", "b")]).row(0, named=True)
    assert row["verdict"] == "too few days"
    assert row["difference_low"] is None
    assert row["diebold_mariano_p_holm"] is None


def test_a_real_difference_is_found_from_both_sides() -> None:
    rows = simulated_outcomes({"a": 0.30, "b": 0.22})
    table = compare(rows, [("a", "b"), ("b", "a")])
    assert dict(table.schema) == COMPARISON
    assert table["verdict"].to_list() == ["better", "worse"]
    better, worse = table.iter_rows(named=True)
    assert better["difference_low"] < 0.08 < better["difference_high"]
    assert better["difference_low"] == pytest.approx(-worse["difference_high"])
    assert better["ratio_low"] < 0.30 / 0.22 < better["ratio_high"]


def test_equal_models_tie() -> None:
    rows = simulated_outcomes({"a": 0.25})
    twin = pl.concat([rows, rows.with_columns(model=pl.lit("b"))])
    row = compare(twin, [("a", "b")]).row(0, named=True)
    assert (row["verdict"], row["difference"], row["ratio"]) == ("tie", 0.0, 1.0)
    assert (row["wilcoxon_p"], row["diebold_mariano_p"]) == (1.0, 1.0)


def test_the_interval_of_the_difference_covers_the_truth() -> None:
    # Two models with the same luck: one catches 22 %, the other 20 % of 40 incidents a day, for 120 days.
    covered = 0
    for repeat in range(150):
        rows = simulated_outcomes({"a": 0.22, "b": 0.20}, incidents_per_day=40.0, seed=repeat)
        row = compare(rows, [("a", "b")], seed=repeat, draws=300).row(0, named=True)
        covered += row["difference_low"] < 0.02 < row["difference_high"]
    assert 0.87 <= covered / 150 <= 0.99


def test_all_rows_are_one_family() -> None:
    rows = simulated_outcomes({"a": 0.23, "b": 0.22, "c": 0.21}, groups=("burglary", "theft"))
    table = compare(rows, [("a", "b"), ("a", "c")])
    assert table.height == 4
    np.testing.assert_allclose(
        table["diebold_mariano_p_holm"].to_numpy(), holm(table["diebold_mariano_p"].to_numpy())
    )


def test_a_day_that_one_model_lacks_counts_for_neither() -> None:
    rows = simulated_outcomes({"a": 0.3, "b": 0.2}, days=40)
    gap = rows.filter((pl.col("model") == "a") | (pl.col("forecast_date") != date(2014, 5, 3)))
    assert paired_days(gap, "a", "b").height == 39
    assert compare(gap, [("a", "b")])["days"].item() == 39


def test_models_measured_on_different_incidents_are_refused() -> None:
    rows = simulated_outcomes({"a": 0.3, "b": 0.2}).with_columns(
        incidents=pl.when(pl.col("model") == "b").then(pl.col("incidents") + 1).otherwise(pl.col("incidents"))
    )
    with pytest.raises(ValueError, match="same incidents"):
        compare(rows, [("a", "b")])


def test_a_pair_without_common_days_has_no_row() -> None:
    assert compare(simulated_outcomes({"a": 0.3}), [("a", "missing")]).is_empty()


def test_nothing_caught_by_the_rival_leaves_the_ratio_open() -> None:
    rows = simulated_outcomes({"a": 0.3, "b": 0.0})
    row = compare(rows, [("a", "b")]).row(0, named=True)
    assert (row["ratio"], row["ratio_low"], row["verdict"]) == (None, None, "better")


def test_the_best_baseline_in_hindsight_is_chosen_by_offence_group() -> None:
    first = simulated_outcomes({"count_28": 0.2, "kde": 0.3, "learned": 0.9}, groups=("burglary",))
    second = simulated_outcomes({"count_28": 0.3, "kde": 0.2, "learned": 0.9}, groups=("theft",))
    chosen = best_in_hindsight(pl.concat([first, second]), ["count_28", "kde"])
    assert chosen == {"burglary": "kde", "theft": "count_28"}

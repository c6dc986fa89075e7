"""Is the daily update worth it?"""

from __future__ import annotations

import polars as pl
import pytest

from hotspot_assets.trial.staleness import staleness
from hotspot_assets_tests.trial.builders import simulated_outcomes


def with_ages(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(
        list_age_days=pl.col("model").str.strip_prefix("age_").cast(pl.Int64), model=pl.lit("learned")
    )


def test_an_update_that_pays_and_one_that_does_not() -> None:
    rows = with_ages(simulated_outcomes({"age_0": 0.300, "age_28": 0.299, "age_364": 0.20}))
    table = staleness(rows)
    assert table["list_age_days"].to_list() == [28, 364]
    assert table["verdict"].to_list() == ["tie", "better"]
    assert table["difference"].to_list()[1] == pytest.approx(0.1, abs=0.02)


def test_two_models_at_once_are_refused() -> None:
    rows = simulated_outcomes({"a": 0.3, "b": 0.2}).with_columns(list_age_days=pl.lit(0))
    with pytest.raises(ValueError, match="one model"):
        staleness(rows)

"""Which days the main job forecasts."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from hotspot_assets.defs.main_job import NothingToForecast, span_of
from hotspot_assets_tests.workflow.homes import LAST_DAY, deliver, home_in, town


def test_old_data_are_forecast_up_to_the_day_after_them(tmp_path: Path) -> None:
    settings = home_in(tmp_path)
    rows = town()
    latest = max(row[2] for row in rows)[:10]
    deliver(settings, "town.csv", rows)
    span = span_of(settings, 3)
    assert span.judged_last.isoformat() == latest
    assert (span.last - span.judged_last, span.last - span.first) == (timedelta(1), timedelta(2))


def test_data_from_before_the_first_date_say_what_to_set(tmp_path: Path) -> None:
    settings = home_in(tmp_path, "first_date = 2021-01-01\n")
    deliver(settings, "town.csv", town())
    with pytest.raises(NothingToForecast, match=f"to the first of a month up to {LAST_DAY}"):
        span_of(settings, 3)

"""A range in stages side by side: what stays when a stage fails, and what headers say of each day."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from hotspot_assets.forecasting.engine import DaySurface
from hotspot_assets.forecasting.events import EPOCH, ONE_INCIDENT, epoch_day
from hotspot_assets.settings import load_settings
from hotspot_assets.warehouse.forecasts import headers_of
from hotspot_assets.warehouse.lake import Lake, Stamp
from hotspot_assets.workflow import forecasts, headers
from hotspot_assets.workflow.outcomes import judge
from hotspot_assets_tests.forecasting import towns
from hotspot_assets_tests.workflow.homes import LAST_DAY, deliver, home_in, lake_of, row, town

FIRST = LAST_DAY - timedelta(days=6)
STAMP = Stamp("tester", "range")


def made_until_it_fails(lake: Lake, settings: Any) -> list[date]:
    made = []
    with pytest.raises(RuntimeError, match="no more"):
        for facts in forecasts.make_forecasts(lake, settings, FIRST, LAST_DAY, STAMP):
            made.append(facts.date)
    return made


@pytest.mark.parametrize("stage", ["surfaces", "surface_rows", "replace_days"])
def test_days_before_an_error_within_a_month_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    """Scoring, ranking or writing the fourth day fails; each day is a transaction of its own."""
    settings = home_in(tmp_path)
    deliver(settings, "town.csv", town())
    lake = lake_of(settings)
    bad, real = FIRST + timedelta(days=3), getattr(forecasts, stage)

    def scored(*given: Any) -> Iterator[DaySurface]:
        for surface in real(*given):
            if surface.date == bad:
                raise RuntimeError("no more")
            yield surface

    def others(*given: Any, **named: Any) -> Any:
        if getattr(given[0], "date", None) == bad or (stage == "replace_days" and given[2][0] == bad):
            raise RuntimeError("no more")
        return real(*given, **named)

    monkeypatch.setattr(forecasts, stage, scored if stage == "surfaces" else others)
    monkeypatch.setattr(forecasts, "_BATCH_ROWS", 1)
    assert made_until_it_fails(lake, settings) == [FIRST + timedelta(days=n) for n in range(3)]
    there = lake.read("SELECT DISTINCT forecast_date AS day FROM proximity_scores ORDER BY day")
    said = lake.read("SELECT DISTINCT forecast_date AS day FROM forecasts ORDER BY day")
    assert there["day"].to_list() == said["day"].to_list() == [FIRST + timedelta(days=n) for n in range(3)]
    gc.collect()  # the error holds on to the stages it went through
    before = threading.active_count()
    made_until_it_fails(lake, settings)
    gc.collect()
    assert threading.active_count() == before  # the threads of the stages were free again
    lake.close()


def test_what_headers_say_was_known_is_what_was_known_day_by_day() -> None:
    place = towns.town(rings=3, max_ring=1)
    first, last = date(2024, 3, 1), date(2024, 3, 31)
    frame = towns.random_ledger(place, date(2024, 1, 20), 60, 3.0, seed=9)
    events = towns.events_of(frame, place, first, last)
    days = [date(2024, 3, 9) + timedelta(days=n) for n in range(15)]
    for group in (*towns.GROUPS, "none of it"):
        own = events.slice_of(group)
        for day, said in zip(days, headers._memories(events, group, days), strict=True):
            known = np.flatnonzero(events.known[own] <= epoch_day(day))
            total = events.weight[own][known].sum() / ONE_INCIDENT
            assert said.incidents == total
            if total > 0:
                assert said.first == EPOCH + timedelta(days=int(events.day[own][known].min()))
                assert said.last == EPOCH + timedelta(days=int(events.day[own][known].max()))
            else:
                assert (said.first, said.last) == (None, None)


def test_a_group_of_which_nothing_counts_any_more_is_not_forecast_and_says_why(tmp_path: Path) -> None:
    """A window of 28 days, and an offence group last heard of two months before; the others are forecast and judged."""
    settings = home_in(tmp_path, model="count_28")
    text = (settings.home / "settings.toml").read_text(encoding="utf-8")
    both = text.replace('["burglary"]', '["burglary", "theft"]') + '[trial]\nmodels = ["count_28"]\n'
    (settings.home / "settings.toml").write_text(both, encoding="utf-8")
    settings = load_settings({"HOTSPOT_HOME": str(settings.home)})
    thefts = [row(f"T{n}", datetime(2020, 1, 3 + n % 5, 12, tzinfo=UTC), code="theft") for n in range(60)]
    deliver(settings, "town.csv", [*town(), *thefts])
    lake = lake_of(settings)
    made = list(forecasts.make_forecasts(lake, settings, FIRST, LAST_DAY, STAMP))
    assert [each.made["offence_group"].to_list() for each in made] == [["burglary"]] * 7
    said = headers_of(lake, FIRST, LAST_DAY).filter(pl.col("offence_group") == "theft")
    assert set(said["not_made_because"]) == {
        "no incident known at the cut-off is recent enough to count for theft in the model count_28"
    }
    assert said["incidents_known"].to_list() == [60.0] * 7
    sums = lake.read("SELECT offence_group, sum(score) FROM proximity_scores GROUP BY ALL")
    assert sums.rows() == [("burglary", pytest.approx(7.0))]
    (judged,) = judge(lake, settings, FIRST, LAST_DAY, LAST_DAY + timedelta(days=60), STAMP)
    assert set(judged.outcomes["offence_group"]) == {"burglary"}
    lake.close()

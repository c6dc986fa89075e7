"""A range in stages side by side: what stays when a stage fails, and what headers say of each day."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hotspot_assets.forecasting.engine import DaySurface
from hotspot_assets.forecasting.events import EPOCH, ONE_INCIDENT, epoch_day
from hotspot_assets.warehouse.lake import Lake, Stamp
from hotspot_assets.workflow import forecasts, headers
from hotspot_assets_tests.forecasting import towns
from hotspot_assets_tests.workflow.homes import LAST_DAY, deliver, home_in, lake_of, town

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

"""Grounds of a range: laid out once, and let go with their study area."""

from __future__ import annotations

import gc
import weakref
from datetime import timedelta
from pathlib import Path

from hotspot_assets.workflow.grounds import Grounds, shifts_of
from hotspot_assets_tests.workflow.homes import LAST_DAY, deliver, forecast, home_in, lake_of, town


def test_only_the_grounds_of_the_last_study_area_are_held(tmp_path: Path) -> None:
    settings = home_in(tmp_path)
    deliver(settings, "town.csv", town())
    march = LAST_DAY.replace(day=1)
    headers = forecast(settings, march - timedelta(days=1), march)
    february_id, march_id = headers.sort("forecast_date")["study_area_id"].to_list()
    assert february_id != march_id
    grounds, shift = Grounds(lake_of(settings), settings), shifts_of(settings)[0].name
    of_february = weakref.ref(grounds.of(february_id, march - timedelta(days=1), shift))
    assert grounds.of(february_id, march - timedelta(days=2), shift) is of_february()
    assert grounds.of(march_id, march, shift).area.study_area_id == march_id
    gc.collect()
    assert of_february() is None

"""The day as squares: the best of each unit, as files that say what they are."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from hotspot_assets.workflow.squares import write_squares

from .homes import deliver, forecast, home_in, lake_of, town

DAY = date(2020, 3, 9)


def test_twenty_squares_of_a_unit_in_order_of_their_share(tmp_path: Path) -> None:
    settings = home_in(tmp_path, '[trial]\nsquares_crs = "EPSG:27700"\n')
    deliver(settings, "first.csv", town(400))
    forecast(settings, DAY, DAY)
    made = write_squares(lake_of(settings), settings, DAY)
    assert made is not None
    assert made.grid_id == "squares-250m-EPSG:27700"
    assert made.squares["rank"].to_list() == list(range(1, 21))
    assert made.squares["share"].is_sorted(descending=True)
    assert made.squares["shown"].to_list() == ["top 10"] * 10 + ["top 20"] * 10
    geojson, csv = made.paths
    features = json.loads(geojson.read_text(encoding="utf-8"))["features"]
    assert len(features) == 20
    assert features[0]["properties"]["grid_id"] == made.grid_id
    assert "never compared" in features[0]["properties"]["note"]
    longitude, latitude = features[0]["geometry"]["coordinates"][0][0]
    assert (longitude, latitude) == (pytest.approx(-0.1, abs=0.05), pytest.approx(51.5, abs=0.05))
    assert pl.read_csv(csv)["rank"].to_list() == list(range(1, 21))


def test_without_a_forecast_there_are_none(tmp_path: Path) -> None:
    settings = home_in(tmp_path)
    deliver(settings, "first.csv", town())
    assert write_squares(lake_of(settings), settings, DAY) is None

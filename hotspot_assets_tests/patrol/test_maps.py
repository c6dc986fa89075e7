"""The day's map: small enough for the event log, complete enough for a person."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO

import numpy as np
import polars as pl
import pytest
from PIL import Image

from hotspot_assets.patrol.areas import patrol_areas
from hotspot_assets.patrol.budgets import Budget
from hotspot_assets.patrol.drawing import CLASSES, Flat, classes_of, length_label, round_length_m
from hotspot_assets.patrol.maps import MOST_BYTES, MapView, map_png
from hotspot_assets_tests.patrol.towns import DAY, ground_of, metres, surface_of, town


def _view(synthetic: bool) -> MapView:
    area = town(12)
    surface = surface_of(area, np.random.default_rng(5).gamma(0.3, size=area.n))
    areas = patrol_areas(surface, ground_of(area, Budget(0.3)), DAY, "vehicle_theft")
    return MapView(area, surface, areas, "Port $ Ellis & <b>", "vehicle_theft", DAY, "05:00 local", synthetic)


def _pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(BytesIO(png)).convert("RGB")).astype(int)


def test_map_is_small_coloured_and_marked() -> None:
    plain, synthetic = map_png(_view(False)), map_png(_view(True))
    assert max(len(plain), len(synthetic)) <= MOST_BYTES
    pixels = _pixels(plain)
    highest = np.array([int(CLASSES[0].colour[i : i + 2], 16) for i in (1, 3, 5)])
    assert (np.abs(pixels - highest).sum(axis=2) < 30).sum() > 100, "the highest class is on the map"
    assert (np.abs(_pixels(synthetic) - pixels).sum(axis=2) > 60).mean() > 0.02, "SYNTHETIC is large"
    assert map_png(_view(False)) == plain


def test_map_without_areas_and_of_a_noisy_town_stays_small() -> None:
    view = _view(True)
    assert len(map_png(replace(view, areas=view.areas.clear()))) <= MOST_BYTES


def test_classes_follow_true_area_and_fall_in_lightness() -> None:
    area = town(12)
    rank = np.random.default_rng(1).permutation(area.n) + 1
    classes = classes_of(area, rank)
    covered = [area.area_km2[classes <= each].sum() / area.total_area_km2 for each in range(len(CLASSES))]
    assert covered == pytest.approx([each.coverage for each in CLASSES], abs=1.0 / area.n)
    assert rank[classes == 0].max() < rank[classes == 1].min()
    grey = [
        np.dot([int(each.colour[i : i + 2], 16) for i in (1, 3, 5)], [0.299, 0.587, 0.114])
        for each in CLASSES
    ]
    assert (np.diff(grey) > 25).all(), "told apart without colour"


def test_flat_map_is_true_to_the_metre() -> None:
    area = town(3)
    lat, lng = pl.DataFrame({"cell": area.cells}).pipe(lambda _: _centres(area))
    flat = Flat.around(lat, lng)
    drawn = np.hypot(flat.x(lng[0]) - flat.x(lng[-1]), flat.y(lat[0]) - flat.y(lat[-1]))
    assert drawn == pytest.approx(metres(int(area.cells[0]), int(area.cells[-1])), rel=1e-3)


def _centres(area):  # type: ignore[no-untyped-def]
    from hotspot_assets.hexgrid.cells import centres

    return centres(area.cells)


def test_scale_bars_are_round() -> None:
    assert [round_length_m(m) for m in (99, 100, 260, 5200, 1e4)] == [50, 100, 200, 5000, 1e4]
    assert [length_label(m) for m in (500.0, 2000.0)] == ["500 m", "2 km"]

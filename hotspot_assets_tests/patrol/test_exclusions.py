"""Exclusions: which cells a layer takes out, on which days."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely

from hotspot_assets.hexgrid.cells import cell_polygons
from hotspot_assets.patrol.areas import patrol_areas
from hotspot_assets.patrol.budgets import Budget
from hotspot_assets.patrol.exclusions import ExclusionError, excluded_cells, read_exclusions
from hotspot_assets_tests.patrol.towns import DAY, ground_of, surface_of, town


def _layer(path: Path, *features: tuple[dict[str, Any], shapely.Geometry]) -> Path:
    made = [
        {"type": "Feature", "properties": fields, "geometry": json.loads(shapely.to_geojson(shape))}
        for fields, shape in features
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": made}), encoding="utf-8")
    return path


def test_cells_left_out_by_day(tmp_path: Path) -> None:
    area = town(2)
    park, road = (shapely.Polygon(cell_polygons(area.cells[[at]])[0]) for at in (3, 9))
    layer = read_exclusions(
        _layer(
            tmp_path / "layer.geojson",
            ({"reason": "park", "valid_from": None, "valid_to": None}, park),
            ({"reason": "roadworks", "valid_from": "2014-06-01", "valid_to": "2014-06-02"}, road),
        )
    )
    during = excluded_cells(layer, area, date(2014, 6, 2))
    assert dict(during.iter_rows()) == {int(area.cells[3]): "park", int(area.cells[9]): "roadworks"}
    for outside in (date(2014, 5, 31), date(2014, 6, 3)):
        assert excluded_cells(layer, area, outside)["reason"].to_list() == ["park"]
    assert excluded_cells(layer[layer["unit"] == "roadworks"], area, date(2015, 1, 1)).is_empty()
    surface = surface_of(area, np.random.default_rng(0).gamma(0.3, size=area.n))
    found = patrol_areas(surface, ground_of(area, Budget(1.0), None, during), DAY, "theft")
    assert not set(found["cells"].explode()) & set(during["cell"])


def test_layers_that_cannot_be_used(tmp_path: Path) -> None:
    shape = shapely.box(0, 0, 1, 1)
    dates = {"valid_from": None, "valid_to": None}
    bad = {
        "lack reason": dates,
        "needs a reason": dates | {"reason": " "},
        "is no date": dates | {"reason": "park", "valid_from": "June"},
    }
    for words, fields in bad.items():
        with pytest.raises(ExclusionError, match=words):
            read_exclusions(_layer(tmp_path / "bad.geojson", (fields, shape)))
    with pytest.raises(ExclusionError, match="cannot be read"):
        read_exclusions(tmp_path / "absent.geojson")

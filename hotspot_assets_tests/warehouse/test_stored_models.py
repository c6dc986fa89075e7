"""A fitted model is found again by exactly the point in time it was fitted on."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from hotspot_assets.warehouse.forecasts import append_once
from hotspot_assets.warehouse.lake import Lake, Stamp
from hotspot_assets.warehouse.reads import stored_model

POINT = ("learned", date(2024, 3, 1), "here", 7, "settings")
OTHERS = ("count_365", date(2024, 4, 1), "there", 8, "others")


def kept(lake: Lake, point: tuple[object, ...], fitted_model_id: str) -> None:
    names = ("model", "fitted_as_of", "study_area_id", "delivery_seq", "settings_hash")
    facts = dict(zip(names, point, strict=True))
    row = {"fitted_model_id": fitted_model_id, **facts, "artefact": f"of {fitted_model_id}", "run_id": "run"}
    append_once(
        lake, {"fitted_models": pl.DataFrame([row])}, {"fitted_models": ["fitted_model_id"]}, Stamp("tester")
    )


@pytest.mark.parametrize("differing", range(len(POINT)))
def test_what_was_fitted_on_another_point_is_not_taken(lake: Lake, differing: int) -> None:
    other = (*POINT[:differing], OTHERS[differing], *POINT[differing + 1 :])
    kept(lake, other, "a")
    assert stored_model(lake, *POINT) is None
    kept(lake, POINT, "b")
    assert stored_model(lake, *POINT) == ("b", "of b")


def test_of_two_fits_of_one_point_always_the_same_is_taken(lake: Lake) -> None:
    assert stored_model(lake, *POINT) is None
    kept(lake, POINT, "b")
    kept(lake, POINT, "a")
    assert stored_model(lake, *POINT) == ("a", "of a")

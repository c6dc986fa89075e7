"""The pictures show the fit's own numbers, and the same fit gives the same picture."""

from __future__ import annotations

from datetime import date
from io import BytesIO

import numpy as np
from PIL import Image

from hotspot_assets.forecasting.catalogue import model
from hotspot_assets.forecasting.fitting import FittedModel
from hotspot_assets.forecasting.kernel import Component, DecayKernel
from hotspot_assets.forecasting.pictures import decay_picture, has_pictures, similarity_picture
from hotspot_assets.forecasting.profiles import Exponential, Gaussian, Identity
from hotspot_assets_tests.forecasting.towns import town


def fitted(own: float) -> FittedModel:
    """Robbery: `own` from itself, the rest but a tenth from theft; theft: all but a tenth from itself."""
    robbery = (
        Component(Exponential(400.0), Identity(), own),
        Component(Exponential(7.0), Gaussian(200.0), 0.9 - own, "theft"),
    )
    theft = (Component(Exponential(30.0), Identity(), 0.9),)
    kernels = {
        "robbery": DecayKernel(robbery, mixture=True, uniform=0.1),
        "theft": DecayKernel(theft, mixture=True, uniform=0.1),
    }
    return FittedModel("learned", date(2024, 3, 1), "area", kernels)


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(BytesIO(png)).convert("RGB"), dtype=float)


def test_the_same_fit_gives_the_same_pictures_and_another_fit_others() -> None:
    for draw in (decay_picture, similarity_picture):
        assert draw(fitted(0.6)) == draw(fitted(0.6))
    assert similarity_picture(fitted(0.6)) != similarity_picture(fitted(0.3))


def test_a_larger_share_is_darker() -> None:
    """The sum of ink grows where the robbery row moves from two halves to one whole (the map is convex)."""
    even, uneven = pixels(similarity_picture(fitted(0.45))), pixels(similarity_picture(fitted(0.9)))
    assert even.shape == uneven.shape
    assert uneven.min() < even.min()


def test_only_a_mixture_has_pictures() -> None:
    place = town(rings=1, max_ring=1)
    assert has_pictures(fitted(0.6))
    assert not has_pictures(model("promap").unfitted(["theft"], date(2024, 3, 1), place.area))
    assert not has_pictures(FittedModel("boosting", date(2024, 3, 1), "area", boosters={"theft": "tree"}))

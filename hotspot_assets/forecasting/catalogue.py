"""The catalogue: the models by name, each one declaration.

Belongs here: what each model is called, which system it stands in for, from which source, what is not known
of the original, and how it is fitted. Adding a model is adding one entry here, and its fit if it needs one;
nothing else changes. Not here: the arithmetic of the fits (`learning`, `tuning`, `etas`, `boosting`).

A stand-in is built from what was published about a system. The product itself may differ, and every table
that shows a stand-in says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.util import find_spec
from typing import Literal

from hotspot_assets.errors import UserError
from hotspot_assets.forecasting.boosting import boosted_days, fit_boosting
from hotspot_assets.forecasting.engine import DaySurface, score_days
from hotspot_assets.forecasting.etas import fit_etas
from hotspot_assets.forecasting.events import Events
from hotspot_assets.forecasting.fitting import FitInput, FittedModel
from hotspot_assets.forecasting.kernel import Component, DecayKernel
from hotspot_assets.forecasting.learning import fit_learned
from hotspot_assets.forecasting.profiles import Always, Hyperbolic, Identity, RingHyperbolic, Window
from hotspot_assets.forecasting.tuning import fit_exponential, fit_kde
from hotspot_assets.hexgrid.neighbours import Neighbours
from hotspot_assets.hexgrid.study_areas import StudyArea

Phase = Literal["pre-deployment", "beta-pilot", "production", "retired"]

DEFAULT_MODEL = "learned"


class UnknownModelError(UserError):
    """A model name that is not in the catalogue."""


@dataclass(frozen=True)
class Model:
    """One model; either `kernel` is set (nothing to fit, the same for every offence group) or `fit` is.

    `package` names what must be installed besides this project's own dependencies.
    """

    name: str
    title: str
    how: str
    stands_in_for: str | None
    source: str
    not_known_of_original: str | None
    phase: Phase = "pre-deployment"
    kernel: DecayKernel | None = None
    fit: Callable[[FitInput], FittedModel] | None = None
    package: str | None = None

    @property
    def runs_here(self) -> bool:
        """Whether the optional package it needs, if any, is installed."""
        return self.package is None or find_spec(self.package) is not None

    @property
    def needs_fit(self) -> bool:
        """Whether the model must be fitted before it can score."""
        return self.fit is not None

    def fitted(self, fit_input: FitInput) -> FittedModel:
        """The model fitted on what was known; without a fit, its kernel for every target group."""
        if self.fit is not None:
            return self.fit(fit_input)
        return self.unfitted(fit_input.groups, fit_input.day, fit_input.area)

    def unfitted(self, groups: Sequence[str], day: date, area: StudyArea) -> FittedModel:
        """The kernel for every group, for a model with nothing to fit. Raises ValueError for one that has."""
        if self.kernel is None:
            raise ValueError(f"{self.name} must be fitted")
        return FittedModel(self.name, day, area.study_area_id, dict.fromkeys(sorted(groups), self.kernel))


def surfaces(
    fitted: FittedModel, events: Events, area: StudyArea, neighbours: Neighbours, first: date, last: date
) -> Iterator[DaySurface]:
    """Surfaces of any model, fitted or not, for the forecast dates first..last; see `engine.score_days`."""
    if fitted.boosters:
        return boosted_days(fitted, events, area, neighbours, first, last)
    return score_days(events, area, neighbours, fitted.kernels, first, last)


def model(name: str) -> Model:
    """The model of that name. Raises UnknownModelError."""
    if name not in MODELS:
        raise UnknownModelError(f"There is no model {name!r}; choose one of {', '.join(MODELS)}.")
    return MODELS[name]


def _count(window: Window | Always) -> DecayKernel:
    return DecayKernel((Component(window, Identity()),))


_MODELS = (
    Model(
        "count_28",
        "Count of the last 28 days",
        "Incidents of the last 28 days in the cell.",
        None,
        "HunchLab's baselines; what an analyst does by hand",
        None,
        kernel=_count(Window(28)),
    ),
    Model(
        "count_365",
        "Count of the last 365 days",
        "Incidents of the last 365 days in the cell.",
        None,
        "HunchLab's baselines; what an analyst does by hand",
        None,
        kernel=_count(Window(365)),
    ),
    Model(
        "count_all",
        "Count of all history",
        "All incidents ever known in the cell.",
        None,
        "HunchLab's baselines; what an analyst does by hand",
        None,
        kernel=_count(Always()),
    ),
    Model(
        "kde",
        "Kernel density of the last 365 days",
        "Incidents of the last 365 days under a Gaussian whose bandwidth is tuned per offence group.",
        "the usual crime heat map, and the map of Palantir's product",
        "Chainey, Tompson & Uhlig 2008",
        "Palantir's method is not public: a heat map stands in for its map, nothing else of it.",
        fit=fit_kde,
    ),
    Model(
        "promap",
        "ProMap",
        "1 / (1 + weeks) x 1 / (1 + rings) over 8 weeks and 3 rings (about 400 m at resolution 10).",
        "ProMap, prospective hot-spotting",
        "Bowers, Johnson & Pease 2004",
        "The original counts distance in 50 m cells and adds road and housing layers in later versions.",
        kernel=DecayKernel((Component(Hyperbolic(8), RingHyperbolic(3)),)),
    ),
    Model(
        "exponential",
        "Exponential decay, tuned",
        "Exponential decay in time, Gaussian in space; half-life and bandwidth tuned per offence group.",
        "the Metropolitan Police's own tool",
        "its answer to a Freedom of Information request: location of past offences, proximity, time elapsed",
        "Shape and parameters of its decay, how similar offences enter, and its grid beyond 250 m squares.",
        fit=fit_exponential,
    ),
    Model(
        "etas",
        "Self-exciting point process",
        "A background per cell plus exponential triggering within the cell, fitted by EM on all history.",
        "PredPol",
        "Mohler et al. 2015, with the correction of the background noted by Lum",
        "What the product did beyond the paper, its history length and its boxes of about 152 m.",
        fit=fit_etas,
    ),
    Model(
        "learned",
        "Learned decay kernel",
        "A mixture of exponential x dasymetric Gaussian kernels over own and similar offence groups and their"
        " settings, weights by EM.",
        None,
        "this project",
        None,
        fit=fit_learned,
    ),
    Model(
        "boosting",
        "Gradient boosting",
        "LightGBM, Poisson, on decayed counts near the cell, days since the last incident, and the calendar.",
        "HunchLab",
        'Azavea, "HunchLab: Under the Hood"',
        "The product also reads weather, places and events, and weighs offences by severity and cost.",
        fit=fit_boosting,
        package="lightgbm",
    ),
)

MODELS: Mapping[str, Model] = {each.name: each for each in _MODELS}

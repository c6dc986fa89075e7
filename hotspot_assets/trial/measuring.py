"""Measuring the lists of many models on the same days, as they are made.

Belongs here: one pass over a month's lists that gives everything `results` needs of them. Not here: making
lists, and the formulas of the measures.

The lists of one study area are measured model after model, the default first: the others are compared with
what it flagged. A day's lists are forgotten once measured.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from hotspot_assets.trial.calibration import TENTHS, deciles
from hotspot_assets.trial.comparisons import MAIN_COVERAGE
from hotspot_assets.trial.flags import FloatArray, Ruler, flagged_fraction
from hotspot_assets.trial.metrics import OUTCOMES, Surface, day_truth, range_outcomes
from hotspot_assets.trial.results import Measured
from hotspot_assets.trial.stability import OVERLAPS, SHAPES, churn, compactness, complementarity

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Counts = Mapping[tuple[date, str], FloatArray]


class Yardstick:
    """What happened in one study area on some days, ready to measure lists against.

    `counts` are incidents per cell by day and offence group; `touching` is non-zero where two cells share a
    side.
    """

    def __init__(
        self, area_km2: FloatArray, touching: csr_array[np.bool_], counts: Counts, default_model: str
    ) -> None:
        self._area_km2, self._touching, self._counts = area_km2, touching, counts
        self._default_model = default_model
        self._ruler, self._tenths = Ruler.by_area(area_km2), Ruler.by_area(area_km2, TENTHS)
        self._truths = {key: day_truth(count, self._ruler) for key, count in counts.items()}
        self._truths_by_tenths = {key: day_truth(count, self._tenths) for key, count in counts.items()}
        self._flagged_by_default: dict[tuple[date, str], FloatArray] = {}

    def outcomes(self, surfaces: Iterable[Surface]) -> pl.DataFrame:
        """Columns `metrics.OUTCOMES`: what the lists caught."""
        return range_outcomes(surfaces, self._truths, self._ruler)

    def measured(self, surfaces: Iterable[Surface]) -> Measured:
        """Everything about the lists of one model, in date order; the default's before any other's.

        Churn is null on the first day: no list of the same cells stands before it.
        """
        outcomes: list[pl.DataFrame] = [pl.DataFrame(schema=OUTCOMES)]
        tenths: list[pl.DataFrame] = [pl.DataFrame(schema=OUTCOMES)]
        shapes: list[tuple[object, ...]] = []
        overlaps: list[tuple[object, ...]] = []
        before: dict[str, FloatArray] = {}
        for _, lists in groupby(surfaces, key=lambda surface: surface.forecast_date):
            today = list(lists)
            outcomes.append(self.outcomes(today))
            tenths.append(range_outcomes(today, self._truths_by_tenths, self._tenths))
            flagged = {each.offence_group: self._flagged(each) for each in today}
            shapes += [self._shape(each, flagged[each.offence_group], before) for each in today]
            overlaps += self._overlaps(today, flagged)
            before = flagged
        return Measured(
            pl.concat(outcomes),
            deciles(pl.concat(tenths)),
            pl.DataFrame(shapes, schema=SHAPES, orient="row"),
            pl.DataFrame(overlaps, schema=OVERLAPS, orient="row"),
        )

    def _flagged(self, surface: Surface) -> FloatArray:
        return flagged_fraction(surface.rank, self._area_km2, MAIN_COVERAGE)

    def _shape(
        self, surface: Surface, flagged: FloatArray, before: Mapping[str, FloatArray]
    ) -> tuple[object, ...]:
        last = before.get(surface.offence_group)
        changed = None if last is None else churn(flagged, last, self._area_km2)
        shape = compactness(flagged, self._touching, self._area_km2)
        return (surface.forecast_date, surface.model, surface.offence_group, *shape, changed)

    def _overlaps(
        self, today: Sequence[Surface], flagged: Mapping[str, FloatArray]
    ) -> list[tuple[object, ...]]:
        rows: list[tuple[object, ...]] = []
        for surface in today:
            key = (surface.forecast_date, surface.offence_group)
            if surface.model == self._default_model:
                self._flagged_by_default[key] = flagged[key[1]]
            elif key in self._flagged_by_default:
                shared = complementarity(self._flagged_by_default[key], flagged[key[1]], self._counts[key])
                rows.append((*key, self._default_model, surface.model, *shared))
        return rows


def together(parts: Iterable[Measured]) -> Measured:
    """The parts of a trial, by model and month, as one; what a part did not measure it does not add to."""
    found = list(parts)
    lags = dict.fromkeys(name for part in found for name in part.outcomes_by_lag)
    return Measured(
        pl.concat(part.outcomes for part in found),
        _concat(part.deciles for part in found),
        _concat(part.shapes for part in found),
        _concat(part.overlaps for part in found),
        _concat(part.list_ages for part in found),
        {name: pl.concat(part.outcomes_by_lag[name] for part in found) for name in lags},
    )


def _concat(tables: Iterable[pl.DataFrame | None]) -> pl.DataFrame | None:
    there = [table for table in tables if table is not None]
    return pl.concat(there) if there else None

"""Activity: how much is known to happen in each cell, which dasymetric profiles spread incidents over.

Belongs here: counting it at the anchor of a month, so that all days of a month share it. Not here: spreading
(`spatial`).

A cell's activity is the square root of one more than the incidents known there. The root, because counts
overstate how places differ; one more, because nothing known is not nothing possible.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import lru_cache

import numpy as np

from hotspot_assets.forecasting.events import Events, month_start
from hotspot_assets.forecasting.profiles import FloatArray, SpatialProfile


class Activity:
    """Activity of each cell, `by_cell` (cells,), made of the `incidents` (cells,) known there."""

    def __init__(self, incidents: FloatArray) -> None:
        self.by_cell: FloatArray = np.sqrt(1.0 + np.maximum(incidents, 0.0))
        self._under: dict[SpatialProfile, FloatArray] = {}

    def under(self, profile: SpatialProfile, summed: Callable[[], FloatArray]) -> FloatArray:
        """What `summed` gives for a profile: asked once, as it costs as much as spreading a day."""
        if profile not in self._under:
            self._under[profile] = summed()
        return self._under[profile]


def activity_of_month(events: Events, groups: tuple[str, ...], day: date, cells: int) -> Activity:
    """What a forecast for the first of the day's month knows of these offence groups together."""
    return _at_anchor(events, groups, month_start(day), cells)


@lru_cache(maxsize=1)
def _at_anchor(events: Events, groups: tuple[str, ...], anchor: date, cells: int) -> Activity:
    """Kept for the other days and offence groups of the month, which share it with what lies under its profiles."""
    return Activity(events.known_by_cell(groups, anchor, cells))

"""What every fit has in common: what it may see, what it leaves behind, and how it looks at past days.

Belongs here: `FitInput`, `FittedModel` and the shares that candidate components gave, on days held out before
the fit, to the cells where something then happened. Not here: what is done with them (`learning`, `tuning`,
`etas`, `boosting`).

On each held-out day a component sees only what a forecast for that day could have known; the incidents of the
held-out days count as far as they are known at the fit. So nothing after the fit's cut-off is used.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from itertools import groupby
from typing import Any

import numpy as np
import numpy.typing as npt

from hotspot_assets.forecasting.activity import Activity, activity_of_month
from hotspot_assets.forecasting.events import ONE_INCIDENT, Events, epoch_day, month_start
from hotspot_assets.forecasting.kernel import DecayKernel, canonical_json
from hotspot_assets.forecasting.levels import Level
from hotspot_assets.forecasting.profiles import FloatArray, SpatialProfile
from hotspot_assets.forecasting.spatial import Spread
from hotspot_assets.forecasting.state import Row, daily_states
from hotspot_assets.hexgrid.neighbours import Neighbours
from hotspot_assets.hexgrid.study_areas import StudyArea

HELD_OUT_DAYS = 240
"""Days before a fit on which candidates are judged."""


@dataclass(frozen=True, eq=False)
class FitInput:
    """What a fit may see: events known at the cut-off of `day`, and the area.

    `events` must begin on or before `events_needed_from(day)`; all of their groups may serve as sources,
    `groups` are the targets.
    """

    events: Events
    area: StudyArea
    neighbours: Neighbours
    groups: tuple[str, ...]
    day: date

    @cached_property
    def known(self) -> Events:
        """The events without what is known only after the fit's cut-off."""
        return self.events.known_at(self.day)

    @cached_property
    def spacing_m(self) -> float:
        """Metres between the centres of adjacent cells: the median, in whole metres."""
        next_door = self.neighbours.next_door_m
        return float(np.round(np.median(next_door))) if len(next_door) else 1.0

    @property
    def held_out(self) -> tuple[date, date]:
        """First and last of the held-out days."""
        return self.day - timedelta(days=HELD_OUT_DAYS), self.day - timedelta(days=1)


def events_needed_from(day: date) -> date:
    """First forecast date that events for a fit on `day` must cover: the anchor of its first held-out day."""
    return month_start(day - timedelta(days=HELD_OUT_DAYS))


@dataclass(frozen=True)
class FittedModel:
    """A fitted model, named by its content.

    `kernels` by target group; or, for a model that is no kernel, `boosters` by target group, as text.
    `levels` give the expected number of incidents of a day; `sources` are the offence groups that boosters read.
    """

    model: str
    fitted_as_of: date
    study_area_id: str
    kernels: Mapping[str, DecayKernel] = field(default_factory=dict)
    levels: Mapping[str, Level] = field(default_factory=dict)
    boosters: Mapping[str, str] = field(default_factory=dict)
    sources: tuple[str, ...] = ()

    @property
    def groups(self) -> tuple[str, ...]:
        """Target groups, sorted."""
        return tuple(sorted({*self.kernels, *self.boosters}))

    @property
    def reads(self) -> tuple[str, ...]:
        """Offence groups whose incidents its scores rest on, sorted."""
        by_kernels = {name for group, kernel in self.kernels.items() for name in kernel.source_groups(group)}
        return tuple(sorted({*by_kernels, *self.sources}))

    @cached_property
    def artefact(self) -> str:
        """Everything that was fitted, as canonical JSON."""
        return canonical_json(
            {
                "model": self.model,
                "fitted_as_of": self.fitted_as_of.isoformat(),
                "study_area_id": self.study_area_id,
                "kernels": {group: kernel.to_json() for group, kernel in self.kernels.items()},
                "levels": {group: level.to_json() for group, level in self.levels.items()},
                "boosters": dict(self.boosters),
                "sources": list(self.sources),
            }
        )

    @cached_property
    def fitted_model_id(self) -> str:
        """SHA-256 of the artefact: the same fit has the same id."""
        return hashlib.sha256(self.artefact.encode()).hexdigest()

    @classmethod
    def from_artefact(cls, artefact: str) -> FittedModel:
        """The model that `artefact` describes, with the same id."""
        value: dict[str, Any] = json.loads(artefact)
        return cls(
            value["model"],
            date.fromisoformat(value["fitted_as_of"]),
            value["study_area_id"],
            {group: DecayKernel.from_json(each) for group, each in value["kernels"].items()},
            {group: Level.from_json(each) for group, each in value["levels"].items()},
            value["boosters"],
            tuple(value["sources"]),
        )


@dataclass(frozen=True, eq=False)
class Candidates:
    """Rows of a state times spatial profiles: one candidate component for each pair, spatial by spatial."""

    rows: tuple[Row, ...]
    spatials: tuple[SpatialProfile, ...]

    def __len__(self) -> int:
        return len(self.rows) * len(self.spatials)

    def of(self, number: int) -> tuple[Row, SpatialProfile]:
        """Row and spatial profile of a candidate."""
        spatial, row = divmod(number, len(self.rows))
        return self.rows[row], self.spatials[spatial]


@dataclass(frozen=True, eq=False)
class Observed:
    """Incidents of one target group on held-out days: cells, whole incidents, and what candidates gave.

    `ratios` (incidents, candidates): the candidate's share in that cell, times the number of cells, so that 1
    means no better than an even spread; in single precision, as there are many.
    """

    weight: FloatArray
    ratios: npt.NDArray[np.float32]


def observe(fit: FitInput, candidates: Candidates) -> dict[str, Observed]:
    """What each candidate gave to the cells of each target group's incidents on the held-out days."""
    seen: dict[str, list[tuple[FloatArray, npt.NDArray[np.float32]]]] = {group: [] for group in fit.groups}
    spreads = [Spread(spatial, fit.neighbours) for spatial in candidates.spatials]
    states = daily_states(fit.known, candidates.rows, fit.area.n, *fit.held_out)
    for month, days in groupby(states, key=lambda each: each[1].month):
        activity = activity_of_month(fit.known, fit.known.groups, month, fit.area.n)
        for today, state in days:
            happened = {group: incidents_of(fit.known, group, today) for group in fit.groups}
            cells = np.unique(np.concatenate([cell for cell, _ in happened.values()]))
            ratios = _ratios(state.values, cells, spreads, activity)
            for group, (cell, weight) in happened.items():
                seen[group].append((weight, ratios[np.searchsorted(cells, cell)]))
    return {
        group: Observed(np.concatenate([w for w, _ in days]), np.concatenate([r for _, r in days]))
        for group, days in seen.items()
    }


def incidents_of(events: Events, group: str, day: date) -> tuple[npt.NDArray[np.int32], FloatArray]:
    """Cells and numbers of a group's incidents on a day, as known at the end of the events; cells ascend."""
    where = events.slice_of(group)
    there = np.flatnonzero(events.day[where] == epoch_day(day))
    cells, position = np.unique(events.cell[where][there], return_inverse=True)
    weights = np.bincount(position, weights=events.weight[where][there], minlength=len(cells)) / ONE_INCIDENT
    left = weights > 0
    return cells[left], weights[left]


def _ratios(
    state: FloatArray, cells: npt.NDArray[np.int32], spreads: Sequence[Spread], activity: Activity
) -> npt.NDArray[np.float32]:
    sums = state.sum(axis=1)
    by_cell = np.ascontiguousarray(state.T)
    even = np.divide(len(by_cell), sums, out=np.zeros_like(sums), where=sums > 0)
    return np.concatenate(
        [each.at(activity, by_cell, cells) * even for each in spreads], axis=1, dtype=np.float32
    )

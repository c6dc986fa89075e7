"""Profiles: how the weight of an incident falls with its age and with its distance.

Belongs here: the temporal and spatial profiles that kernels are put together from, each a small value that
can be evaluated, and written to and read from JSON. Not here: which of them a model uses (`catalogue`), and
how they are summed over millions of incidents (`state`, `spatial`).

Ages are whole days from the day of the incident to the forecast date, at least 1. Distances are metres
between cell centres. Spatial profiles marked `unit_mass` are normalised **inside the study area**: what one
incident gives to all cells of the area adds up to one, so an incident at the edge counts as much as any other
and the sum of a smoothed surface is the sum of the counts behind it.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Protocol, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

FloatArray: TypeAlias = npt.NDArray[np.float64]

GAUSSIAN_REACH = 3.0
"""A Gaussian is cut where it has fallen to 1 % of its height: three bandwidths."""

_LOWEST_EXPONENT = -700.0
_WEEK_DAYS = 7


@dataclass(frozen=True)
class Decay:
    """What the engine keeps for a temporal profile: a sum that decays from day to day."""

    tau_days: float

    def at(self, age_days: npt.NDArray[np.int64]) -> FloatArray:
        """What is left of an incident at each age."""
        return decayed(-age_days, self.tau_days)


@dataclass(frozen=True)
class Count:
    """What the engine keeps for a temporal profile: a running count of ages up to `last_age` (none: all)."""

    last_age: int | None

    def at(self, age_days: npt.NDArray[np.int64]) -> FloatArray:
        """1 while it is counted, else 0."""
        counted = np.ones(len(age_days)) if self.last_age is None else age_days <= self.last_age
        return np.asarray(counted, dtype=np.float64)


Memory: TypeAlias = Decay | Count


class TemporalProfile(Protocol):
    """Weight by age, as a weighted sum of what the engine can carry from day to day."""

    kind: ClassVar[str]

    def at(self, age_days: npt.NDArray[np.int64]) -> FloatArray:
        """Weight at each age; ages are >= 1."""

    def memories(self) -> tuple[tuple[float, Memory], ...]:
        """The profile as a sum of coefficient x memory."""


@dataclass(frozen=True)
class Exponential:
    """exp(-age / tau_days)."""

    tau_days: float
    kind: ClassVar[str] = "exponential"

    def __post_init__(self) -> None:
        if not 0.5 <= self.tau_days < math.inf:
            raise ValueError(f"tau_days must be at least half a day and finite, not {self.tau_days}")

    def at(self, age_days: npt.NDArray[np.int64]) -> FloatArray:
        """exp(-age / tau_days)."""
        return decayed(-np.asarray(age_days), self.tau_days)

    def memories(self) -> tuple[tuple[float, Memory], ...]:
        """One decaying sum."""
        return ((1.0, Decay(self.tau_days)),)


@dataclass(frozen=True)
class Window:
    """1 up to an age of `days`, then 0."""

    days: int
    kind: ClassVar[str] = "window"

    def __post_init__(self) -> None:
        if self.days < 1:
            raise ValueError(f"a window has at least one day, not {self.days}")

    def at(self, age_days: npt.NDArray[np.int64]) -> FloatArray:
        """1 inside the window, else 0."""
        return (np.asarray(age_days) <= self.days).astype(np.float64)

    def memories(self) -> tuple[tuple[float, Memory], ...]:
        """One running count."""
        return ((1.0, Count(self.days)),)


@dataclass(frozen=True)
class Always:
    """1 at any age: all the history there is."""

    kind: ClassVar[str] = "always"

    def at(self, age_days: npt.NDArray[np.int64]) -> FloatArray:
        """1."""
        return np.ones(np.shape(age_days))

    def memories(self) -> tuple[tuple[float, Memory], ...]:
        """One count that nothing leaves."""
        return ((1.0, Count(None)),)


@dataclass(frozen=True)
class Hyperbolic:
    """1 / (1 + whole weeks elapsed), 0 after `weeks` weeks (Bowers, Johnson & Pease 2004)."""

    weeks: int
    kind: ClassVar[str] = "hyperbolic"

    def __post_init__(self) -> None:
        if self.weeks < 1:
            raise ValueError(f"at least one week, not {self.weeks}")

    def at(self, age_days: npt.NDArray[np.int64]) -> FloatArray:
        """1, 1/2, 1/3, ... week by week."""
        elapsed = np.asarray(age_days) // _WEEK_DAYS
        return np.where(elapsed < self.weeks, 1.0 / (1.0 + elapsed), 0.0)

    def memories(self) -> tuple[tuple[float, Memory], ...]:
        """A staircase is a sum of windows, one per step."""
        heights = [1.0 / (1 + week) for week in range(self.weeks)] + [0.0]
        return tuple(
            (heights[week] - heights[week + 1], Count(_WEEK_DAYS * (week + 1) - 1))
            for week in range(self.weeks)
        )


def decayed(offset_days: npt.NDArray[np.int64], tau_days: float) -> FloatArray:
    """exp(offset / tau), exactly 0 where it would leave the range of normal floats (slow, worth nothing)."""
    exponent = np.asarray(offset_days, dtype=np.float64) / tau_days
    return np.asarray(
        np.where(exponent < _LOWEST_EXPONENT, 0.0, np.exp(np.maximum(exponent, _LOWEST_EXPONENT)))
    )


class SpatialProfile(Protocol):
    """Weight by ring and distance."""

    kind: ClassVar[str]
    unit_mass: ClassVar[bool]

    def at(self, ring: npt.NDArray[np.int64], distance_m: FloatArray) -> FloatArray:
        """Weight before normalisation; ring and distance are both of the same pairs of cells."""

    def reach_m(self) -> float:
        """No weight beyond this distance; infinite where rings alone decide."""

    def reach_rings(self) -> int | None:
        """No weight beyond this ring; none where distance alone decides."""


@dataclass(frozen=True)
class Identity:
    """All weight in the incident's own cell."""

    kind: ClassVar[str] = "identity"
    unit_mass: ClassVar[bool] = True

    def at(self, ring: npt.NDArray[np.int64], distance_m: FloatArray) -> FloatArray:
        """1 in the own cell."""
        return np.asarray(np.asarray(ring) == 0, dtype=np.float64)

    def reach_m(self) -> float:
        """The own cell."""
        return 0.0

    def reach_rings(self) -> int | None:
        """The own cell."""
        return 0


@dataclass(frozen=True)
class RingHyperbolic:
    """1 / (1 + ring), 0 beyond `rings` rings; not normalised, as published (Bowers, Johnson & Pease 2004)."""

    rings: int
    kind: ClassVar[str] = "ring_hyperbolic"
    unit_mass: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if self.rings < 0:
            raise ValueError(f"rings cannot be {self.rings}")

    def at(self, ring: npt.NDArray[np.int64], distance_m: FloatArray) -> FloatArray:
        """1, 1/2, 1/3, ... ring by ring."""
        rings = np.asarray(ring)
        return np.where(rings <= self.rings, 1.0 / (1.0 + rings), 0.0)

    def reach_m(self) -> float:
        """Rings decide."""
        return math.inf

    def reach_rings(self) -> int | None:
        """`rings`."""
        return self.rings


@dataclass(frozen=True)
class Gaussian:
    """exp(-d^2 / 2 h^2), cut at three bandwidths, normalised to unit mass inside the study area."""

    h_m: float
    kind: ClassVar[str] = "gaussian"
    unit_mass: ClassVar[bool] = True

    def __post_init__(self) -> None:
        _positive_width(self.h_m)

    def at(self, ring: npt.NDArray[np.int64], distance_m: FloatArray) -> FloatArray:
        """The bell before normalisation."""
        inside = np.asarray(distance_m) <= self.reach_m()
        return np.where(inside, np.exp(-0.5 * (np.asarray(distance_m) / self.h_m) ** 2), 0.0)

    def reach_m(self) -> float:
        """Three bandwidths."""
        return GAUSSIAN_REACH * self.h_m

    def reach_rings(self) -> int | None:
        """Distance decides."""
        return None


@dataclass(frozen=True)
class Dasymetric:
    """exp(-d^2 / 2 h^2) x the activity of the receiving cell, normalised to unit mass inside the study area.

    An incident is spread over where things happen, not over parks and water: dasymetric mapping, with the recorded
    incidents themselves as the ancillary layer (Eicher & Brewer 2001). See `activity`.
    """

    h_m: float
    kind: ClassVar[str] = "dasymetric"
    unit_mass: ClassVar[bool] = True

    def __post_init__(self) -> None:
        _positive_width(self.h_m)

    @property
    def bell(self) -> Gaussian:
        """The same, whatever happens in the cells."""
        return Gaussian(self.h_m)

    def at(self, ring: npt.NDArray[np.int64], distance_m: FloatArray) -> FloatArray:
        """The bell, before activity and normalisation."""
        return self.bell.at(ring, distance_m)

    def reach_m(self) -> float:
        """Three bandwidths."""
        return self.bell.reach_m()

    def reach_rings(self) -> int | None:
        """Distance decides."""
        return None


@dataclass(frozen=True)
class Quartic:
    """(1 - (d/h)^2)^2 within h, normalised to unit mass inside the study area: the usual crime heat map."""

    h_m: float
    kind: ClassVar[str] = "quartic"
    unit_mass: ClassVar[bool] = True

    def __post_init__(self) -> None:
        _positive_width(self.h_m)

    def at(self, ring: npt.NDArray[np.int64], distance_m: FloatArray) -> FloatArray:
        """The bell before normalisation."""
        height: FloatArray = np.maximum(0.0, 1.0 - (np.asarray(distance_m) / self.h_m) ** 2)
        return height * height

    def reach_m(self) -> float:
        """One bandwidth."""
        return self.h_m

    def reach_rings(self) -> int | None:
        """Distance decides."""
        return None


def _positive_width(h_m: float) -> None:
    if not 0.0 < h_m < math.inf:
        raise ValueError(f"a bandwidth is a positive number of metres, not {h_m}")


_Profile = TypeVar("_Profile")
_TEMPORAL: dict[str, type[Any]] = {kind.kind: kind for kind in (Exponential, Hyperbolic, Window, Always)}
_SPATIAL: dict[str, type[Any]] = {
    kind.kind: kind for kind in (Identity, RingHyperbolic, Gaussian, Dasymetric, Quartic)
}


def to_json(profile: Any) -> dict[str, Any]:
    """A profile as plain JSON: its kind and its parameters."""
    return {"kind": profile.kind, **asdict(profile)}


def temporal_from_json(value: dict[str, Any]) -> TemporalProfile:
    """The temporal profile that `to_json` wrote. Raises KeyError for an unknown kind."""
    return _built(_TEMPORAL, value)  # type: ignore[no-any-return]


def spatial_from_json(value: dict[str, Any]) -> SpatialProfile:
    """The spatial profile that `to_json` wrote. Raises KeyError for an unknown kind."""
    return _built(_SPATIAL, value)  # type: ignore[no-any-return]


def _built(kinds: dict[str, type[Any]], value: dict[str, Any]) -> Any:
    return kinds[value["kind"]](**{name: each for name, each in value.items() if name != "kind"})

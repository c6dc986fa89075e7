"""The decay kernel: one idea that carries every model but boosting.

Belongs here: what a kernel *is* (components, background, how they are combined), as values that can be
compared, hashed and written down. Not here: summing it over incidents (`engine`), choosing it (`catalogue`,
`learning`), taking it apart again for a reader (`explain`).

    score(cell, day) = background(cell) + sum over components, over incidents known by the cut-off and older
                       than the day, of  weight x temporal(age) x spatial(distance)

In a **mixture** each component is first divided by its own sum over the study area on that day, so that the
weights are shares of the surface; the background is then a share too. A score is the result divided by its
sum.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from hotspot_assets.forecasting import profiles
from hotspot_assets.forecasting.profiles import Dasymetric, SpatialProfile, TemporalProfile


@dataclass(frozen=True)
class Component:
    """A temporal x a spatial profile.

    `source_group` none: the target's own offence group; `source_setting` none: in all settings.
    """

    temporal: TemporalProfile
    spatial: SpatialProfile
    weight: float = 1.0
    source_group: str | None = None
    source_setting: str | None = None

    def __post_init__(self) -> None:
        if not 0.0 <= self.weight < math.inf:
            raise ValueError(f"a weight is a number of at least 0, not {self.weight}")


@dataclass(frozen=True)
class CellBackground:
    """A constant rate per day in some cells (the mu of a self-exciting process); others have none."""

    cells: tuple[int, ...]
    rates: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.cells) != len(self.rates):
            raise ValueError("one rate per cell")
        if any(low >= high for low, high in pairwise(self.cells)):
            raise ValueError("cells must ascend")


@dataclass(frozen=True)
class DecayKernel:
    """Components, and a background: `uniform` is spread evenly over the area, `cells` names rates by cell.

    `activity` are the offence groups whose incidents dasymetric components are spread over.
    """

    components: tuple[Component, ...]
    mixture: bool = False
    uniform: float = 0.0
    cells: CellBackground | None = None
    activity: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.activity and any(isinstance(each.spatial, Dasymetric) for each in self.components):
            raise ValueError("a dasymetric component needs offence groups to be spread over")
        if not 0.0 <= self.uniform < math.inf:
            raise ValueError(f"a background is a number of at least 0, not {self.uniform}")
        if self.mixture and self.cells is not None:
            raise ValueError("a mixture has a uniform background only")

    def source_groups(self, target: str) -> tuple[str, ...]:
        """Offence groups this kernel reads when its target is `target`, sorted."""
        of_components = {component.source_group or target for component in self.components}
        return tuple(sorted({*of_components, *self.activity}))

    def to_json(self) -> dict[str, Any]:
        """The kernel as plain JSON; cells as hex strings, since they exceed what JSON numbers hold safely."""
        value: dict[str, Any] = {
            "components": [_component_json(component) for component in self.components],
            "mixture": self.mixture,
            "uniform": self.uniform,
        }
        if self.activity:
            value["activity"] = list(self.activity)
        if self.cells is not None:
            rates = zip(self.cells.cells, self.cells.rates, strict=True)
            value["cells"] = {f"{cell:x}": rate for cell, rate in rates}
        return value

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> DecayKernel:
        """The kernel that `to_json` wrote, equal to the last bit."""
        components = tuple(
            Component(
                profiles.temporal_from_json(each["temporal"]),
                profiles.spatial_from_json(each["spatial"]),
                each["weight"],
                each["source_group"],
                each.get("source_setting"),
            )
            for each in value["components"]
        )
        named = value.get("cells")
        cells = None
        if named is not None:
            rates = sorted((int(cell, 16), rate) for cell, rate in named.items())
            cells = CellBackground(tuple(cell for cell, _ in rates), tuple(rate for _, rate in rates))
        return cls(components, value["mixture"], value["uniform"], cells, tuple(value.get("activity", ())))


def _component_json(component: Component) -> dict[str, Any]:
    value = {
        "source_group": component.source_group,
        "temporal": profiles.to_json(component.temporal),
        "spatial": profiles.to_json(component.spatial),
        "weight": component.weight,
    }
    if component.source_setting is not None:
        value["source_setting"] = component.source_setting
    return value


def canonical_json(value: Any) -> str:
    """JSON with one spelling per value (sorted keys, no blanks, shortest floats): for hashes and storage."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def rings_needed(kernels: Mapping[str, DecayKernel], spacing_m: float) -> int:
    """Rings of neighbours that the kernels reach, for cells whose nearest centres lie `spacing_m` apart.

    A ring's corners lie furthest; its flat sides lie at sqrt(3)/2 of that, which is what decides.
    """
    spatials = [component.spatial for kernel in kernels.values() for component in kernel.components]
    return max((reached_rings(spatial, spacing_m) for spatial in spatials), default=0)


def reached_rings(spatial: SpatialProfile, spacing_m: float) -> int:
    """Rings of neighbours that one spatial profile reaches, see `rings_needed`."""
    rings = spatial.reach_rings()
    if rings is not None:
        return rings
    return math.floor(spatial.reach_m() / (spacing_m * math.sqrt(3) / 2))

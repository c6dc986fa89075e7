"""Wording: what people call an area, and why it is on the list, in one sentence.

Belongs here: names from the unit, the compass and named features, and the sentence of reasons. Not here:
choosing areas (`areas`), the sheet they stand on (`briefing`).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import floor, log10

import numpy as np
import numpy.typing as npt

_PARTS = ("east", "north-east", "north", "north-west", "west", "south-west", "south", "south-east")
_MIDDLE = 0.35  # of the unit's own spread: nearer to its middle than this is "centre"


def compass_part(
    lat: float, lng: float, unit_lat: npt.NDArray[np.float64], unit_lng: npt.NDArray[np.float64]
) -> str:
    """Part of a unit in which a point lies: "centre", or one of eight compass parts.

    `unit_lat`, `unit_lng` are the centres of the unit's cells, degrees.
    """
    shrink = np.cos(np.radians(lat))
    north, east = unit_lat - unit_lat.mean(), (unit_lng - unit_lng.mean()) * shrink
    spread = float(np.sqrt((north**2 + east**2).mean()))
    up, right = lat - float(unit_lat.mean()), (lng - float(unit_lng.mean())) * float(shrink)
    if np.hypot(up, right) <= _MIDDLE * spread:
        return "centre"
    return _PARTS[round(float(np.degrees(np.arctan2(up, right))) / 45.0) % 8]


def numbered(names: Sequence[str]) -> list[str]:
    """The names, with a number behind each one that was there before: a, a 2, a 3."""
    seen: dict[str, int] = {}
    result = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        result.append(name if seen[name] == 1 else f"{name} {seen[name]}")
    return result


def figures(value: float, count: int) -> str:
    """A number with so many figures, and with more where it is large: 1234, 12, 1.2, 0.0012; 7 stays 7."""
    if value <= 0:
        return "0"
    decimals = max(0, count - 1 - floor(log10(value)))
    text = f"{value:.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def percent(share: float) -> str:
    """A share as text with two figures: 12 %, 2.3 %, 0.046 %."""
    return f"{figures(100.0 * share, 2)} %"


def plain_group(offence_group: str) -> str:
    """An offence group as people write it."""
    return offence_group.replace("_", " ")


def why(
    offence_group: str,
    share: float,
    area_km2: float,
    share_of_ground: float,
    recorded: Sequence[tuple[int, float]],
    expected_total: float | None,
    counted: str = "incidents",
) -> str:
    """Why an area is on the list, in one sentence with numbers.

    Parameters
    ----------
    share, share_of_ground
        Shares of the study area's expected incidents and of its area, in [0, 1].
    recorded
        Pairs of days and of incidents recorded in the area within so many days before the cut-off.
    expected_total
        Expected incidents in the study area, if the model says.
    counted
        What `expected_total` counts: "incidents", or those "in this shift".
    """
    times = figures(share / share_of_ground, 2)
    text = (
        f"{percent(share)} of the study area's expected {plain_group(offence_group)}"
        f" on {area_km2:.3f} km2: {times} times an even spread"
    )
    if expected_total is not None:
        text += f" ({figures(share * expected_total, 2)} of {figures(expected_total, 3)} {counted})"
    if recorded:
        counts = ", ".join(f"{figures(incidents, 3)} in {days} days" for days, incidents in sorted(recorded))
        text += f"; recorded here: {counts}"
    return text + "."

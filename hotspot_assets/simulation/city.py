"""The fictional city: its outline, its wards and how crime behaves in it.

Belongs here: parameters and places. The city lies on open sea in the North Atlantic, so that no map of it can
be taken for a real place. Not here: where in it crime gathers (`ground`), drawing incidents (`process`),
writing files (`records`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

NAME = "Port Meridian"
ZONE = "Europe/London"
CENTRE = (46.0, -30.0)
"""Latitude and longitude: some 1,700 km from the nearest mainland."""

METRES_PER_DEGREE = 111_195.0
_ROWS, _COLUMNS = 4, 6
_ROUNDNESS = 0.8
"""0: the city fills its rectangle; 1: it fills the ellipse within."""

_WARD_NAMES = (
    "Anchorage", "Binnacle", "Capstan", "Davit", "Eastquay", "Fairlead", "Gannet", "Halyard",
    "Isobar", "Jetty", "Keelson", "Lanyard", "Mizzen", "Northmole", "Outfall", "Petrel",
    "Quarterdeck", "Rigging", "Saltmarsh", "Tidewell", "Undertow", "Vanguard", "Windlass", "Yardarm",
)  # fmt: skip


@dataclass(frozen=True)
class GroupSpec:
    """How one offence group behaves.

    Attributes
    ----------
    per_day
        Expected incidents a day in the whole city, offspring included.
    theta, omega_per_day
        Expected offspring of an incident, and 1 / mean days until them (exponential).
    sigma_m
        Standard deviation of an offspring's distance in each direction.
    shared
        Share of the hot spots' weight that is common to all groups; the rest is the group's own.
    peak_hour, night
        Hour about which incidents gather, and the share of them that does.
    weekend
        Rate on Saturday and Sunday relative to other days.
    interval_share, interval_hours
        Share of incidents known only as a from/to range, and how long those are on average.
    indoor
        Share of incidents inside buildings.
    """

    per_day: float
    theta: float
    omega_per_day: float
    sigma_m: float
    shared: float
    peak_hour: float
    night: float
    weekend: float
    interval_share: float
    interval_hours: float
    indoor: float


GROUPS: dict[str, GroupSpec] = {
    "burglary": GroupSpec(38.0, 0.25, 1 / 12, 90.0, 0.45, 14.0, 0.3, 0.8, 0.60, 9.0, 0.95),
    "robbery": GroupSpec(18.0, 0.15, 1 / 8, 120.0, 0.75, 22.0, 0.8, 1.3, 0.02, 1.0, 0.05),
    "theft": GroupSpec(62.0, 0.10, 1 / 10, 60.0, 0.70, 15.0, 0.6, 1.0, 0.15, 4.0, 0.50),
    "vehicle_theft": GroupSpec(22.0, 0.20, 1 / 15, 150.0, 0.40, 2.0, 0.5, 1.0, 0.70, 11.0, 0.00),
    "violence": GroupSpec(60.0, 0.12, 1 / 6, 80.0, 0.80, 23.0, 0.7, 1.5, 0.05, 2.0, 0.40),
}


@dataclass(frozen=True)
class CitySpec:
    """A city to be simulated; equal specifications give equal cities."""

    seed: int = 20140501
    width_m: float = 14_000.0
    height_m: float = 9_000.0
    hot_spots: int = 80
    groups: dict[str, GroupSpec] = field(default_factory=lambda: dict(GROUPS))


def to_degrees(metres: FloatArray, spec: CitySpec) -> tuple[FloatArray, FloatArray]:
    """Latitude and longitude of city coordinates in metres (n, 2), rounded to a millionth of a degree."""
    north = metres[:, 1] - spec.height_m / 2
    east = metres[:, 0] - spec.width_m / 2
    latitude = CENTRE[0] + north / METRES_PER_DEGREE
    longitude = CENTRE[1] + east / (METRES_PER_DEGREE * np.cos(np.radians(CENTRE[0])))
    return np.round(latitude, 6), np.round(longitude, 6)


def to_metres(latitude: FloatArray, longitude: FloatArray, spec: CitySpec) -> FloatArray:
    """City coordinates in metres (n, 2) of places in degrees."""
    north = (latitude - CENTRE[0]) * METRES_PER_DEGREE + spec.height_m / 2
    east = (longitude - CENTRE[1]) * METRES_PER_DEGREE * np.cos(np.radians(CENTRE[0])) + spec.width_m / 2
    return np.column_stack([east, north])


def extent(spec: CitySpec) -> tuple[float, float, float, float]:
    """South, west, north, east in degrees: the city and a kilometre around."""
    corners = np.array([[-1000.0, -1000.0], [spec.width_m + 1000.0, spec.height_m + 1000.0]])
    (south, north), (west, east) = (np.round(values, 3) for values in to_degrees(corners, spec))
    return float(south), float(west), float(north), float(east)


def ward_outlines_m(spec: CitySpec) -> FloatArray:
    """Outlines of the wards in metres: float64[24, 8, 2], counter-clockwise and not closed.

    The corners of a grid, rounded off towards an ellipse and moved, with a moved point half-way along each
    side. Neighbours share corners and half-way points, so the wards tile the city.
    """
    return _ward_outlines(spec.seed, spec.width_m, spec.height_m).copy()


@cache
def _ward_outlines(seed: int, width_m: float, height_m: float) -> FloatArray:
    rng = np.random.Generator(np.random.PCG64([seed, 2]))
    # Twice as fine as the wards: even positions are corners, odd ones the half-way points of sides.
    down, across = 2 * _ROWS + 1, 2 * _COLUMNS + 1
    u = np.linspace(-1.0, 1.0, across)[None, :].repeat(down, axis=0)
    v = np.linspace(-1.0, 1.0, down)[:, None].repeat(across, axis=1)
    u = u + rng.uniform(-0.3, 0.3, size=u.shape) / _COLUMNS
    v = v + rng.uniform(-0.3, 0.3, size=v.shape) / _ROWS
    x = width_m / 2 * (1 + 0.93 * u * np.sqrt(1 - _ROUNDNESS * np.minimum(v**2, 1) / 2))
    y = height_m / 2 * (1 + 0.93 * v * np.sqrt(1 - _ROUNDNESS * np.minimum(u**2, 1) / 2))
    steps = ((0, 0), (0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0))
    wards = [
        [(x[2 * row + i, 2 * column + j], y[2 * row + i, 2 * column + j]) for i, j in steps]
        for row in range(_ROWS)
        for column in range(_COLUMNS)
    ]
    return np.array(wards)


def wards(spec: CitySpec) -> dict[str, object]:
    """The 24 wards as GeoJSON (RFC 7946)."""
    features = []
    for name, outline in zip(_WARD_NAMES, ward_outlines_m(spec), strict=True):
        latitude, longitude = to_degrees(np.vstack([outline, outline[:1]]), spec)
        ring = [[float(lng), float(lat)] for lat, lng in zip(latitude, longitude, strict=True)]
        properties = {"name": name, "city": NAME, "note": "SYNTHETIC"}
        geometry = {"type": "Polygon", "coordinates": [ring]}
        features.append({"type": "Feature", "properties": properties, "geometry": geometry})
    return {"type": "FeatureCollection", "name": f"{NAME} (SYNTHETIC)", "features": features}


def write_wards(spec: CitySpec, path: Path) -> Path:
    """Write the wards as GeoJSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(wards(spec)), encoding="utf-8")
    return path

"""The fictional city: its ground, its wards and how crime behaves in it.

Belongs here: parameters and places. The city lies on open sea in the North Atlantic, so that no map of it can
be taken for a real place. Not here: drawing events (`process`), writing files (`records`).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

NAME = "Port Meridian"
CENTRE = (46.0, -30.0)
METRES_PER_DEGREE = 111_195.0
_ROWS, _COLUMNS = 4, 6
_WARD_NAMES = (
    "Anchorage", "Beacon Hill", "Capstan", "Dogger", "Eastquay", "Fairlead", "Gannet", "Halyard",
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
        Share of the background that follows the hot spots common to all groups.
    peak_hour, night
        Hour about which incidents gather, and how strongly (0 = not at all).
    weekend
        Rate on Saturday and Sunday relative to other days.
    interval_share
        Share of incidents known only as a from/to range.
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


GROUPS: dict[str, GroupSpec] = {
    "burglary": GroupSpec(38.0, 0.25, 1 / 12, 90.0, 0.45, 14.0, 0.3, 0.8, 0.6),
    "robbery": GroupSpec(18.0, 0.15, 1 / 8, 120.0, 0.75, 22.0, 0.8, 1.3, 0.02),
    "theft": GroupSpec(62.0, 0.10, 1 / 10, 60.0, 0.70, 15.0, 0.6, 1.0, 0.15),
    "vehicle_theft": GroupSpec(22.0, 0.20, 1 / 15, 150.0, 0.40, 2.0, 0.5, 1.0, 0.7),
    "violence": GroupSpec(60.0, 0.12, 1 / 6, 80.0, 0.80, 23.0, 0.7, 1.5, 0.05),
}


@dataclass(frozen=True)
class CitySpec:
    """A city to be simulated; equal specifications give equal cities."""

    seed: int = 20140501
    width_m: float = 12_000.0
    height_m: float = 8_000.0
    hot_spots: int = 40
    groups: dict[str, GroupSpec] = field(default_factory=lambda: dict(GROUPS))


@dataclass(frozen=True, eq=False)
class Ground:
    """Where background incidents fall: weighted normal hot spots by group, over an even floor.

    `centres_m` float64[h, 2], `spread_m` float64[h], `weights` float64[groups, h + 1]; the last weight is the
    floor, spread evenly over the city. Each row of weights sums to 1.
    """

    names: tuple[str, ...]
    centres_m: FloatArray
    spread_m: FloatArray
    weights: FloatArray


def ground_of(spec: CitySpec) -> Ground:
    """Draw the hot spots of a city: some common to all offence groups, some of one alone."""
    rng = np.random.Generator(np.random.PCG64([spec.seed, 1]))
    margin = 0.06
    low = np.array([spec.width_m, spec.height_m]) * margin
    high = np.array([spec.width_m, spec.height_m]) * (1 - margin)
    centres = rng.uniform(low, high, size=(spec.hot_spots, 2))
    spread = rng.uniform(120.0, 450.0, size=spec.hot_spots)
    common = rng.pareto(1.3, size=spec.hot_spots) + 0.1
    weights = []
    for group in spec.groups.values():
        own = rng.pareto(1.3, size=spec.hot_spots) + 0.1
        mixed = group.shared * common / common.sum() + (1 - group.shared) * own / own.sum()
        floor = 0.25
        weights.append(np.append((1 - floor) * mixed, floor))
    return Ground(tuple(spec.groups), centres, spread, np.array(weights))


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


def wards(spec: CitySpec) -> dict[str, object]:
    """The 24 wards as GeoJSON (RFC 7946): quarters whose shared corners are moved, so that they tile the city."""
    rng = np.random.Generator(np.random.PCG64([spec.seed, 2]))
    x = np.linspace(0.0, spec.width_m, _COLUMNS + 1)[None, :].repeat(_ROWS + 1, axis=0)
    y = np.linspace(0.0, spec.height_m, _ROWS + 1)[:, None].repeat(_COLUMNS + 1, axis=1)
    x[:, 1:-1] += rng.uniform(-0.22, 0.22, size=(_ROWS + 1, _COLUMNS - 1)) * spec.width_m / _COLUMNS
    y[1:-1, :] += rng.uniform(-0.22, 0.22, size=(_ROWS - 1, _COLUMNS + 1)) * spec.height_m / _ROWS
    features = []
    for number, name in enumerate(_WARD_NAMES):
        row, column = divmod(number, _COLUMNS)
        corners = [(row, column), (row, column + 1), (row + 1, column + 1), (row + 1, column), (row, column)]
        metres = np.array([(x[corner], y[corner]) for corner in corners])
        latitude, longitude = to_degrees(metres, spec)
        ring = [[float(lng), float(lat)] for lat, lng in zip(latitude, longitude, strict=True)]
        properties = {"name": name, "city": NAME, "note": "SYNTHETIC"}
        geometry = {"type": "Polygon", "coordinates": [ring]}
        features.append({"type": "Feature", "properties": properties, "geometry": geometry})
    return {"type": "FeatureCollection", "name": f"{NAME} (SYNTHETIC)", "features": features}

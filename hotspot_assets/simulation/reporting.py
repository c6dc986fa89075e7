"""How incidents come to be known: when they are reported and recorded, how precisely, and what is put right.

Belongs here: what chance does to a record. Not here: the rows of a delivery (`records`).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from hotspot_assets.simulation.city import GroupSpec

LATE_SHARE, LATE_DAYS, USUAL_DAYS = 0.06, 9.0, 0.15
AMENDED_SHARE, AMENDED_AFTER_DAYS = 0.03, 20.0
UNPLACED_SHARE, SNAPPED_SHARE, POLICE_SHARE = 0.01, 0.10, 0.04
GEOCODE_ERROR_M = 80.0
AMENDMENTS = ("place", "offence", "time")
"""What the first record had wrong, most often first."""

_MINUTES = 1_440


def draw_reporting(group: GroupSpec, n: int, rng: np.random.Generator) -> dict[str, pl.Series]:
    """Columns for `n` incidents of a group.

    Returns
    -------
    dict
        `report_minutes`, `record_minutes`: from the end of the occurrence to the report, from there to the
        record. `span_minutes`: length of the from/to range, 0 where the time is known; `before`: share of it
        that lies before the incident. `amended_minutes`: from the record to its amendment, null where there
        is none; `amendment`: what it puts right. `error_m_east`, `error_m_north`: of the first place, where
        that is put right. `precision`, `reported_by`, `setting`: as the contract has them.
    """
    late = rng.uniform(size=n) < LATE_SHARE
    in_range = rng.uniform(size=n) < group.interval_share
    amended = rng.uniform(size=n) < AMENDED_SHARE
    amendment = rng.choice(AMENDMENTS, size=n, p=(0.5, 0.3, 0.2))
    error = rng.normal(0.0, GEOCODE_ERROR_M, size=(2, n))
    precision = rng.choice(
        ("none", "snapped", "point"),
        size=n,
        p=(UNPLACED_SHARE, SNAPPED_SHARE, 1 - UNPLACED_SHARE - SNAPPED_SHARE),
    )
    columns = {
        "report_minutes": _minutes(rng.exponential(np.where(late, LATE_DAYS, USUAL_DAYS))),
        "record_minutes": _minutes(rng.exponential(0.02, size=n)),
        "span_minutes": np.where(
            in_range, 15 + _minutes(rng.exponential(group.interval_hours / 24, size=n)), 0
        ),
        "before": rng.uniform(size=n),
        "amended_minutes": _minutes(rng.exponential(AMENDED_AFTER_DAYS, size=n)),
        "amendment": amendment,
        "error_m_east": error[0],
        "error_m_north": error[1],
        "precision": precision,
        "reported_by": np.where(rng.uniform(size=n) < POLICE_SHARE, "police", "public"),
        "setting": np.where(rng.uniform(size=n) < group.indoor, "indoor", "street"),
    }
    frame = pl.DataFrame(columns).with_columns(
        pl.when(pl.lit(amended)).then(pl.col("amended_minutes", "amendment"))
    )
    return frame.to_dict(as_series=True)


def _minutes(days: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    return np.ceil(days * _MINUTES).astype(np.int64)

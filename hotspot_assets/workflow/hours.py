"""When in the week incidents happen, as a forecast could know it.

Belongs here: the hour-of-week profile of each offence group at a forecast's own point in time. Not here: what
is made of it (patrol.shifts).
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import polars as pl

from hotspot_assets.intake.aoristic import WEIGHT_OF_ONE, hour_weights
from hotspot_assets.patrol.shifts import hour_profile
from hotspot_assets.settings import Settings
from hotspot_assets.warehouse.lake import Lake
from hotspot_assets.warehouse.reads import times_as_known
from hotspot_assets.workflow.bucketing import span_limits

PROFILE_DAYS = 365
"""Days before the forecast date whose incidents make the profile: each season once."""


def hour_profile_of(lake: Lake, settings: Settings, header: dict[str, Any]) -> pl.DataFrame:
    """The hours of the week of all forecast groups, as known to a forecast: offence_group, hour_of_week, share.

    A group without any usable time has an even profile.
    """
    day: date = header["forecast_date"]
    groups = settings.forecast.groups
    since = day - timedelta(days=PROFILE_DAYS)
    times = times_as_known(
        lake, groups, since, day, header["cut_off"], header["delivery_seq"]
    ).with_row_index(
        "incident_key"  # any key will do, and the number of its row is quickest to find again
    )
    weights = hour_weights(times, settings.area.timezone, span_limits(settings)).weights
    named = weights.select(
        times["offence_group"].gather(weights["incident_key"]),
        "hour_of_week",
        weight=pl.col("weight") / WEIGHT_OF_ONE,
    )
    evenly = pl.DataFrame({"offence_group": list(groups), "hour_of_week": 0, "weight": 0.0})
    return hour_profile(pl.concat([named, evenly.cast(named.schema)]))

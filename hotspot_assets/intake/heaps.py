"""Heaps: moments and points at which more incidents are recorded than can have happened there.

Belongs here: measuring them, for a check and for a person's review. Not here: what is done about them: no
incident is dropped or moved because it lies in a heap.

A time of 00:00 or 00:01 often means "some time that day"; noon and whole hours mean "about then". A point
that takes hundreds of incidents of many kinds is often a police station, a hospital, an airport or the centre
of a ward, to which incidents without a place of their own were put.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from hotspot_assets.intake.calendar import utc_to_local


@dataclass(frozen=True)
class TimeHeaps:
    """Shares of the incidents whose time is known to the minute, by the clock of their place.

    Attributes
    ----------
    incidents
        How many have such a time; the shares are 0 where none has.
    at_midnight
        At 00:00 or 00:01; by chance 0.14 %.
    at_noon
        At 12:00; by chance 0.07 %.
    on_the_hour
        At minute 0; by chance 1.7 %.
    at_quarters
        At minute 0, 15, 30 or 45; by chance 6.7 %.
    """

    incidents: int
    at_midnight: float
    at_noon: float
    on_the_hour: float
    at_quarters: float


def time_heaps(incidents: pl.DataFrame, zone: str) -> TimeHeaps:
    """Measure the heaps of `occurred_from`.

    Parameters
    ----------
    incidents
        Accepted rows or versions of one source (`occurred_from`, `time_precision`).
    zone
        Zone of the clock by which they were recorded.
    """
    local = utc_to_local(incidents.filter(pl.col("time_precision") == "minute")["occurred_from"], zone)
    minute = local.dt.minute().cast(pl.Int64)
    of_day = local.dt.hour().cast(pl.Int64) * 60 + minute

    def share(hits: pl.Series) -> float:
        return int(hits.sum()) / local.len() if local.len() else 0.0

    return TimeHeaps(
        local.len(), share(of_day <= 1), share(of_day == 12 * 60), share(minute == 0), share(minute % 15 == 0)
    )


def geocode_heaps(incidents: pl.DataFrame, n: int) -> pl.DataFrame:
    """The `n` points with most incidents, for review.

    Parameters
    ----------
    incidents
        Accepted rows or versions (`latitude`, `longitude`, `offence_group`); unplaced ones do not count.
    n
        Length of the list; points with a single incident are no heap and left off.

    Returns
    -------
    pl.DataFrame
        `latitude`, `longitude` (degrees, to a millionth), `incidents`, `share` (of all placed incidents),
        `offence_groups` (how many different ones); most incidents first, then from south to north.
    """
    placed = incidents.drop_nulls(["latitude", "longitude"])
    return (
        placed.group_by(pl.col("latitude", "longitude").round(6))
        .agg(
            incidents=pl.len().cast(pl.Int64),
            share=pl.len() / max(placed.height, 1),
            offence_groups=pl.col("offence_group").n_unique().cast(pl.Int64),
        )
        .filter(pl.col("incidents") > 1)
        .sort("incidents", "latitude", "longitude", descending=[True, False, False])
        .head(n)
    )

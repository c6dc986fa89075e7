"""Partitions: a day is the local operational day a forecast is for, a month the anchor it is computed from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import dagster as dg

from hotspot_assets.settings import Settings


@dataclass(frozen=True)
class Partitions:
    """The two partitions definitions that all assets of a home share."""

    days: dg.DailyPartitionsDefinition
    months: dg.MonthlyPartitionsDefinition


def partitions_of(settings: Settings) -> Partitions:
    """Days and months from the first date that can be forecast; today and this month are included.

    Where the cut-off lies on the day before, so is tomorrow: its list is made and reviewed this evening.
    """
    start, zone = settings.forecast.first_date.isoformat(), settings.area.timezone
    ahead = 1 + settings.forecast.cut_off_days_before
    return Partitions(
        days=dg.DailyPartitionsDefinition(start_date=start, timezone=zone, end_offset=ahead),
        months=dg.MonthlyPartitionsDefinition(start_date=start, timezone=zone, end_offset=1),
    )


def dates_of(context: dg.AssetExecutionContext) -> list[date]:
    """The partition keys of a run as dates, in order."""
    return sorted(date.fromisoformat(key) for key in context.partition_keys)

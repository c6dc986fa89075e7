"""Forecast dates and their cut-offs, by a home's settings."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl

from hotspot_assets.errors import UserError
from hotspot_assets.intake.calendar import cut_offs_utc
from hotspot_assets.settings import Settings


def days_between(first: date, last: date) -> list[date]:
    """first, first + 1, ..., last."""
    return [first + timedelta(days=offset) for offset in range((last - first).days + 1)]


def cut_offs(settings: Settings, days: list[date]) -> pl.Series:
    """Cut-offs of forecast dates, as moments in UTC."""
    rules = settings.forecast
    return cut_offs_utc(
        pl.Series(days, dtype=pl.Date), settings.area.timezone, rules.cut_off, rules.cut_off_days_before
    )


def cut_off_of(settings: Settings, day: date) -> datetime:
    """The moment up to which the forecast for `day` may know anything."""
    return cut_offs(settings, [day]).to_list()[0]  # type: ignore[no-any-return]


class BadMoment(UserError):
    """Text that is no moment."""


def moment_of(settings: Settings, text: str) -> datetime:
    """A moment written as ISO 8601, by the home's clock where it names no offset. Raises BadMoment."""
    try:
        written = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadMoment(f"{text!r} is no moment; write it as 2026-01-31T09:00 or with an offset.") from error
    zone = ZoneInfo(settings.area.timezone)
    return (written if written.tzinfo else written.replace(tzinfo=zone)).astimezone(UTC)


def local_time(settings: Settings, moment: datetime) -> str:
    """A moment by the home's clock, for people."""
    return f"{moment.astimezone(ZoneInfo(settings.area.timezone)):%Y-%m-%d %H:%M %Z}"


def now_utc() -> datetime:
    """The moment, in UTC."""
    return datetime.now(UTC)


def today(settings: Settings) -> date:
    """Today by the home's clock."""
    return datetime.now(ZoneInfo(settings.area.timezone)).date()

"""The fictional city as a home: its deliveries, its boundary and the settings that say it is one.

Belongs here: writing a simulated city where a real one would lie. Not here: the simulation itself.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from hotspot_assets.errors import UserError
from hotspot_assets.settings import Settings
from hotspot_assets.simulation.city import NAME, CitySpec, extent, write_wards
from hotspot_assets.simulation.process import City, simulate
from hotspot_assets.simulation.records import as_of, with_dirt, write_delivery
from hotspot_assets.workflow.dates import cut_off_of, now_utc, today

HISTORY_DAYS = 850
_MEMO = "fictional_city.json"
_SETTINGS = """\
# Written by `hotspot simulate`: a fictional place. Delete this file and data/ to start with a real one.
[area]
name = "{name}"
synthetic = true
timezone = "Europe/London"
boundary = "{wards}"
units = "{wards}"
unit_name_field = "name"
extent = {extent}

[forecast]
first_date = {first_date}

[intake.sources.contract]
knowledge = "recorded"
"""


class NoCity(UserError):
    """A late file of a city that was not made."""


@dataclass(frozen=True)
class Memo:
    """What is needed to make the same city again: seed, first day, length, and what was delivered."""

    seed: int
    start: str
    days: int
    delivered_until: str


def drop_city(settings: Settings, seed: int) -> list[Path]:
    """Write a city's first delivery, its wards and the home's settings; returns the files written.

    Raises
    ------
    UserError
        When the home has settings already: a fictional city is not mixed with a real one.
    """
    own = settings.home / "settings.toml"
    if own.exists():
        raise UserError(f"{own} exists: this home is in use. Choose an empty one with HOTSPOT_HOME.")
    try:
        settings.landing.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"{settings.home} cannot be written to ({error.strerror}); choose another HOTSPOT_HOME."
        ) from error
    last = today(settings)
    start = last - timedelta(days=HISTORY_DAYS)
    city = simulate(CitySpec(seed=seed), start, HISTORY_DAYS + 60)
    until = cut_off_of(settings, last)
    wards = write_wards(city.spec, settings.home / "reference" / "fictional_wards.geojson")
    rows = with_dirt(as_of(city, until), seed)
    delivery = write_delivery(rows, settings.landing / f"fictional_city_{last}.csv")
    first_date = (start.replace(day=1) + timedelta(days=40)).replace(day=1)
    relative = wards.relative_to(settings.home).as_posix()
    own.write_text(
        _SETTINGS.format(name=NAME, wards=relative, first_date=first_date, extent=list(extent(city.spec))),
        encoding="utf-8",
    )
    _remember(settings, Memo(seed, start.isoformat(), HISTORY_DAYS + 60, until.isoformat()))
    return [delivery, wards, own]


def drop_late_file(settings: Settings, seed: int) -> list[Path]:
    """Write one more delivery: what was recorded or changed since the last one, up to a day on.

    Raises
    ------
    NoCity
        When no city was made in this home, or the last delivery runs ahead of the clock already.
    """
    memo = _recall(settings)
    since = datetime.fromisoformat(memo.delivered_until)
    until = min(since + timedelta(days=1), now_utc() + timedelta(hours=20))
    if until <= since:
        raise NoCity(
            f"The city's last delivery reaches to {since:%Y-%m-%d %H:%M} UTC; nothing later has happened yet."
        )
    city = _again(memo)
    rows = with_dirt(as_of(city, until, changed_since=since), seed + until.day)
    path = settings.landing / f"fictional_city_late_{until:%Y-%m-%dT%H%M}.csv"
    write_delivery(rows, path)
    _remember(settings, Memo(memo.seed, memo.start, memo.days, until.isoformat()))
    return [path]


def _again(memo: Memo) -> City:
    return simulate(CitySpec(seed=memo.seed), date.fromisoformat(memo.start), memo.days)


def _remember(settings: Settings, memo: Memo) -> None:
    (settings.home / _MEMO).write_text(json.dumps(asdict(memo)), encoding="utf-8")


def _recall(settings: Settings) -> Memo:
    path = settings.home / _MEMO
    if not path.exists():
        raise NoCity(
            "There is no fictional city in this home yet: run `hotspot simulate` or `hotspot run` first."
        )
    return Memo(**json.loads(path.read_text(encoding="utf-8")))

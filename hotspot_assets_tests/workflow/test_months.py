"""What the days of a month share: made ready once, and anew whenever it could be something else."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from hotspot_assets.forecasting.events import Events
from hotspot_assets.settings import Settings
from hotspot_assets.warehouse.erasure import Target, erase
from hotspot_assets.warehouse.lake import Stamp
from hotspot_assets.warehouse.reads import delivery_clocks
from hotspot_assets.workflow.bucketing import bucket_new_deliveries
from hotspot_assets.workflow.deliveries import Declaration, take_in
from hotspot_assets.workflow.knowledge import events_as_known
from hotspot_assets.workflow.models import model_in_force
from hotspot_assets.workflow.months import Month, clocks_now, month_ready
from hotspot_assets.workflow.study_area import study_area_of_month

from .homes import COLUMNS, RECORDED, SOURCE, boundary, deliver, forecast, home_in, lake_of, row, town

FEBRUARY, MARCH = date(2020, 2, 1), date(2020, 3, 1)
STAMP = Stamp("tester", "months")
AT = datetime(2020, 2, 20, 12, tzinfo=UTC)
RECORDED_COLUMNS = (*COLUMNS, "recorded_at")


def recorded(each: tuple[str, ...], days_later: int = 0) -> tuple[str, ...]:
    return (*each, (datetime.fromisoformat(each[2]) + timedelta(days=days_later)).isoformat())


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A town whose incidents are recorded up to five days after they happened, some in March."""
    made = home_in(tmp_path / "home", RECORDED)
    rows = [recorded(each, number % 6) for number, each in enumerate([*town(), row("known", AT)])]
    deliver(made, "town.csv", rows, columns=RECORDED_COLUMNS)
    return made


def ready(settings: Settings, month: date = MARCH) -> Month:
    lake = lake_of(settings)
    found = month_ready(lake, settings, month, clocks_now(lake), STAMP)
    lake.close()
    return found


def events_through(settings: Settings, last: date) -> Events:
    """What the days up to `last` of its month may know, asked of the lake."""
    lake, first = lake_of(settings), last.replace(day=1)
    clocks = delivery_clocks(lake)
    area = study_area_of_month(lake, settings, first, clocks, STAMP)
    reads = model_in_force(lake, settings, area, first, clocks, STAMP).reads(settings.forecast.groups)
    found = events_as_known(lake, settings, area, reads, (first, last), 1 << 40)
    lake.close()
    return found


def same(one: Events, other: Events) -> bool:
    names = [field.name for field in fields(Events)]
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in names)


def test_a_month_is_made_ready_once_and_says_what_each_of_its_days_may_know(settings: Settings) -> None:
    month = ready(settings)
    assert ready(settings) is month
    sizes = []
    for day in (MARCH, date(2020, 3, 4), date(2020, 3, 31)):
        of_day = events_through(settings, day)
        assert same(month.events.known_at(day), of_day)
        sizes.append(len(of_day.cell))
    assert 0 < sizes[0] < sizes[1] < sizes[2]


@pytest.fixture
def bounded(settings: Settings) -> Settings:
    """The same town within a boundary, which is the same whatever the month."""
    boundary(settings.home / "boundary.geojson", 0.01)
    return home_in(settings.home, f'{RECORDED}[area]\nboundary = "boundary.geojson"\n')


def test_another_month_is_made_ready_for_itself(bounded: Settings) -> None:
    march, february = ready(bounded), ready(bounded, FEBRUARY)
    assert february.area.study_area_id == march.area.study_area_id
    assert same(february.events, events_through(bounded, date(2020, 2, 29)))
    assert not same(february.events, march.events)


def test_by_other_settings_it_is_made_ready_for_itself(settings: Settings, bounded: Settings) -> None:
    elsewhere = home_in(settings.home, f'{RECORDED}[area]\ntimezone = "America/Chicago"\n')
    for other in (bounded, elsewhere):
        march, changed = ready(settings), ready(other)
        assert same(changed.events, events_through(other, date(2020, 3, 31)))
        assert not same(changed.events, march.events)


def test_another_model_of_the_same_incidents_is_another(settings: Settings) -> None:
    assert ready(settings).in_force.model.name == "count_365"
    other = home_in(settings.home, RECORDED, model="promap")
    assert ready(other).in_force.model.name == "promap"


def test_other_units_of_the_same_cells_are_kept_with_them(settings: Settings) -> None:
    """Scores are the same, yet areas are chosen by the units that stand in the lake."""
    forecast(settings, date(2020, 3, 9), date(2020, 3, 9))
    boundary(settings.home / "units.geojson", 0.004, "Middle")
    apart = home_in(settings.home, f'{RECORDED}[area]\nunits = "units.geojson"\nunit_name_field = "name"\n')
    forecast(apart, date(2020, 3, 9), date(2020, 3, 9))
    lake = lake_of(apart)
    units = set(lake.read("SELECT DISTINCT unit FROM cells")["unit"])
    lake.close()
    assert {"Middle", None} < units


def weight_of(month: Month) -> int:
    return int(month.events.weight.sum())


def take(settings: Settings, name: str) -> None:
    """Take in one more incident, which then waits to be put into the ledger of weights."""
    path, lake = settings.landing / f"{name}.csv", lake_of(settings)
    pl.DataFrame([recorded(row(name, AT))], schema=RECORDED_COLUMNS, orient="row").write_csv(path)
    take_in(lake, settings, path, Declaration(), STAMP)
    lake.close()


def test_what_a_delivery_brings_is_known_once_it_is_bucketed(settings: Settings) -> None:
    before = ready(settings)
    take(settings, "late")
    assert weight_of(ready(settings)) == weight_of(before)
    lake = lake_of(settings)
    bucket_new_deliveries(lake, settings, STAMP)
    lake.close()
    after = ready(settings)
    assert weight_of(after) - weight_of(before) == 1_000_000
    assert same(after.events, events_through(settings, date(2020, 3, 31)))


@pytest.mark.parametrize("waiting", [False, True], ids=["nothing waits", "a delivery waits"])
def test_what_an_erasure_takes_away_is_not_known_any_more(settings: Settings, waiting: bool) -> None:
    """Also where a delivery that is not in the ledger of weights yet leaves the last number in it as it was."""
    if waiting:
        take(settings, "waits")
    before, lake = ready(settings), lake_of(settings)
    numbers = delivery_clocks(lake)["delivery_seq"].to_list()
    query = "SELECT incident_key FROM incidents WHERE occurred_from = ? AND delivery_seq = 1"
    (key,) = lake.read(query, [AT])["incident_key"]
    erase(lake, Target(incident_key=key, source=SOURCE), datetime.now(UTC), STAMP)
    assert (delivery_clocks(lake)["delivery_seq"].to_list() == numbers) == waiting
    lake.close()
    after = ready(settings)
    assert weight_of(before) - weight_of(after) == 1_000_000
    assert same(after.events, events_through(settings, date(2020, 3, 31)))


def test_a_home_begun_anew_in_the_same_place_is_another(settings: Settings) -> None:
    """Within one process, and with as many deliveries."""
    before = ready(settings)
    for path in (Path(settings.warehouse.rpartition(":")[2]), Path(settings.data_path)):
        path.rename(path.with_name(f"{path.name}.old"))
    deliver(settings, "other.csv", [recorded(row("other", AT))], columns=RECORDED_COLUMNS)
    after = ready(settings)
    assert weight_of(after) == 1_000_000 < weight_of(before)
    lake = lake_of(settings)
    assert lake.read("SELECT count(*) FROM cells").item() == after.area.n
    lake.close()

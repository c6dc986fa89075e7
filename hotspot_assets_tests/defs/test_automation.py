"""What runs by itself: the day a tick asks for, the files a sensor asks for, and what is never asked for twice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import takewhile
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg
import polars as pl
import pytest
from dagster._core.definitions.partitions.context import partition_loading_context
from dagster._utils.schedules import schedule_execution_time_iterator

from hotspot_assets.definitions import build_definitions
from hotspot_assets.defs.automation import INTAKE_JOB, OUTCOMES_JOB, ranges
from hotspot_assets.defs.partitions import partitions_of
from hotspot_assets.settings import Settings
from hotspot_assets.warehouse.lake import Lake
from hotspot_assets.warehouse.tables import TABLES
from hotspot_assets.workflow.dates import cut_off_of

from .conftest import SettingsOf, drop, incidents

IN_AUCKLAND = '[area]\ntimezone = "Pacific/Auckland"\n'
THE_EVENING_BEFORE = "[forecast]\ncut_off = 18:00:00\ncut_off_days_before = 1\nrun_at = 18:15:00\n"
IN_THE_SKIPPED_HOUR = "[forecast]\nrun_at = 01:30:00\n"


def schedule_of(settings: Settings, name: str) -> dg.ScheduleDefinition:
    return next(each for each in build_definitions(settings).schedules or () if each.name == name)  # type: ignore[return-value]


def ticks(schedule: dg.ScheduleDefinition, first: datetime, last: datetime) -> Iterator[datetime]:
    """The moments between two at which the daemon evaluates a schedule."""
    all_ticks = schedule_execution_time_iterator(
        first.timestamp(), schedule.cron_schedule, schedule.execution_timezone
    )
    return takewhile(lambda moment: moment < last, all_ticks)


def asked(schedule: dg.ScheduleDefinition, moment: datetime) -> dg.RunRequest:
    """The one run that a schedule asks for at a moment."""
    request = schedule(dg.build_schedule_context(scheduled_execution_time=moment))
    assert isinstance(request, dg.RunRequest)
    return request


def every_day(first: date, count: int) -> list[str]:
    return [(first + timedelta(days=number)).isoformat() for number in range(count)]


@pytest.mark.parametrize(
    ("text", "first", "utc_of_first"),
    [
        ("", date(2026, 3, 27), "05:15"),  # the clock goes forward on the 29th, at 01:00
        ("", date(2026, 10, 23), "04:15"),  # and back on the 25th, at 02:00
        (IN_THE_SKIPPED_HOUR, date(2026, 3, 27), "01:30"),  # 01:30 is not on the clock on the 29th
        (IN_THE_SKIPPED_HOUR, date(2026, 10, 23), "00:30"),  # and is twice on the 25th
        (
            IN_AUCKLAND,
            date(2026, 4, 3),
            "16:15",
        ),  # UTC is a day behind the key; the clock goes back on the 5th
        (IN_AUCKLAND, date(2026, 9, 25), "17:15"),
    ],
)
def test_each_local_day_is_asked_for_once_whatever_the_clock_does(
    settings_of: SettingsOf, text: str, first: date, utc_of_first: str
) -> None:
    settings = settings_of(text)
    schedule = schedule_of(settings, "every_morning")
    zone = ZoneInfo(settings.area.timezone)
    start = datetime.combine(first, datetime.min.time(), zone)
    end = datetime.combine(first + timedelta(days=6), datetime.min.time(), zone)
    moments = list(ticks(schedule, start, end))
    requests = [asked(schedule, moment) for moment in moments]
    assert f"{moments[0].astimezone(UTC):%H:%M}" == utc_of_first
    assert list(dict.fromkeys(str(each.partition_key) for each in requests)) == every_day(first, 6)
    # Were a moment to come twice, Dagster would drop the second run by its key.
    assert len({each.run_key for each in requests}) == 6


@pytest.mark.parametrize("text", ["", IN_AUCKLAND, IN_THE_SKIPPED_HOUR, THE_EVENING_BEFORE])
@pytest.mark.parametrize("name", ["every_morning", "yesterdays_outcomes", "first_of_month"])
def test_what_is_asked_for_is_a_partition_at_that_moment(
    settings_of: SettingsOf, text: str, name: str
) -> None:
    settings = settings_of(text)
    schedule, partitions = schedule_of(settings, name), partitions_of(settings)
    of_job = partitions.months if name == "first_of_month" else partitions.days
    moments = list(ticks(schedule, datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)))
    assert len(moments) >= (11 if name == "first_of_month" else 364)
    for moment in moments:
        with partition_loading_context(effective_dt=moment):
            assert of_job.has_partition_key(str(asked(schedule, moment).partition_key)), moment


def test_the_tick_as_the_daemon_evaluates_it_asks_for_a_run_of_today(settings_of: SettingsOf) -> None:
    definitions = build_definitions(settings_of(""))
    for schedule in definitions.schedules or ():
        if schedule.name == "every_night":  # the upkeep belongs to no day
            continue
        now = datetime.now(UTC)
        context = dg.build_schedule_context(
            scheduled_execution_time=now, repository_def=definitions.get_repository_def()
        )
        (request,) = schedule.evaluate_tick(context).run_requests  # type: ignore[union-attr]
        assert request.tags["dagster/partition"] == request.partition_key


def test_outcomes_are_asked_for_the_last_day_that_counts_as_known(settings_of: SettingsOf) -> None:
    tick = datetime(2026, 3, 10, 5, 45, tzinfo=UTC)
    for days, judged in ((1, "2026-03-08"), (0, "2026-03-09"), (7, "2026-03-02")):
        settings = settings_of(f"[forecast]\ncomplete_after_days = {days}\n")
        assert asked(schedule_of(settings, "yesterdays_outcomes"), tick).partition_key == judged


def test_the_fit_of_a_month_is_asked_for_on_its_first_before_the_daily_run(settings_of: SettingsOf) -> None:
    settings = settings_of("")
    start, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 5, 1, tzinfo=UTC)
    fits = list(ticks(schedule_of(settings, "first_of_month"), start, end))
    mornings = set(ticks(schedule_of(settings, "every_morning"), start, end))
    assert [asked(schedule_of(settings, "first_of_month"), moment).partition_key for moment in fits] == [
        "2026-01-01", "2026-02-01", "2026-03-01", "2026-04-01",
    ]  # fmt: skip
    assert {moment + timedelta(minutes=10) for moment in fits} <= mornings


def test_a_daily_run_right_after_midnight_still_has_its_fit_before_it(settings_of: SettingsOf) -> None:
    settings = settings_of("[forecast]\nrun_at = 00:05:00\n")
    start, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)
    fits = list(ticks(schedule_of(settings, "first_of_month"), start, end))
    assert [f"{moment:%m-%d %H:%M}" for moment in fits] == ["01-01 00:00", "02-01 00:00"]


def test_with_the_cut_off_on_the_day_before_the_evening_asks_for_tomorrow(settings_of: SettingsOf) -> None:
    settings = settings_of(THE_EVENING_BEFORE)
    evening = datetime(2026, 7, 1, 17, 15, tzinfo=UTC)
    assert asked(schedule_of(settings, "every_morning"), evening).partition_key == "2026-07-02"
    assert cut_off_of(settings, date(2026, 7, 2)) == evening - timedelta(minutes=15)


class Watched:
    """A sensor of a home, its cursor kept from tick to tick as the daemon does."""

    def __init__(self, settings: Settings, name: str) -> None:
        self.definitions = build_definitions(settings)
        self.lake = Lake(settings.warehouse, settings.data_path)
        self._sensor = next(each for each in self.definitions.sensors or () if each.name == name)
        self._cursor: str | None = None

    def tick(self) -> Any:
        context = dg.build_sensor_context(
            cursor=self._cursor,
            definitions=self.definitions,
            resources={"lake": self.lake},
            sensor_name=self._sensor.name,
        )
        found = self._sensor.evaluate_tick(context)
        self._cursor = found.cursor or self._cursor
        return found

    def run(self, request: dg.RunRequest, job: str) -> dg.ExecuteInProcessResult:
        """Run what was asked for, as the daemon would."""
        with dg.DagsterInstance.ephemeral() as instance:
            return self.definitions.resolve_job_def(job).execute_in_process(
                run_config=request.run_config,
                tags=dict(request.tags),
                instance=instance,
                raise_on_error=False,
            )


def files_of(request: dg.RunRequest) -> list[str]:
    return request.run_config["ops"]["take_in_deliveries"]["config"]["files"]  # type: ignore[no-any-return]


@pytest.fixture
def landing(settings_of: SettingsOf) -> tuple[Settings, Watched]:
    settings = settings_of("")
    return settings, Watched(settings, "landing_folder")


def test_nothing_is_asked_for_where_nothing_has_landed(landing: tuple[Settings, Watched]) -> None:
    _, sensor = landing
    found = sensor.tick()
    assert not found.run_requests
    assert found.skip_message == "nothing has landed"


def test_a_file_still_being_written_is_left_alone_until_it_rests(landing: tuple[Settings, Watched]) -> None:
    settings, sensor = landing
    drop(settings, "growing.csv", incidents("a"), age_seconds=1)
    found = sensor.tick()
    assert not found.run_requests
    assert "still being written" in found.skip_message
    drop(settings, "growing.csv", incidents("a", "b"), age_seconds=60)
    (request,) = sensor.tick().run_requests
    assert files_of(request) == ["growing.csv"]


def test_files_that_are_not_deliveries_are_never_asked_for(landing: tuple[Settings, Watched]) -> None:
    settings, sensor = landing
    for name in (".hidden.csv", "~lock.csv", "half.csv.part", "half.csv.tmp"):
        drop(settings, name, incidents("a"))
    assert not sensor.tick().run_requests


def test_settled_files_are_asked_for_once_until_one_of_them_changes(
    landing: tuple[Settings, Watched],
) -> None:
    settings, sensor = landing
    drop(settings, "one.csv", incidents("a"))
    drop(settings, "two.csv", incidents("b"))
    (first,) = sensor.tick().run_requests
    assert files_of(first) == ["one.csv", "two.csv"]
    again = sensor.tick()
    assert not again.run_requests
    assert "asked for already" in again.skip_message
    drop(settings, "two.csv", incidents("b", "c"), age_seconds=30)
    (second,) = sensor.tick().run_requests
    assert second.run_key != first.run_key


def test_what_the_sensor_asks_for_is_taken_in_and_a_broken_file_does_not_keep_the_others_out(
    landing: tuple[Settings, Watched],
) -> None:
    settings, sensor = landing
    drop(settings, "a_broken.csv", "this,is\nno,delivery\n")
    drop(settings, "b_good.csv", incidents("a", "b"))
    (request,) = sensor.tick().run_requests
    dg.validate_run_config(sensor.definitions.resolve_job_def(INTAKE_JOB), request.run_config)
    assert sensor.run(request, INTAKE_JOB).success
    assert sensor.lake.read("SELECT file_name, status FROM deliveries ORDER BY 1").rows() == [
        ("a_broken.csv", "set_aside"), ("b_good.csv", "ingested"),
    ]  # fmt: skip
    assert (settings.landing / "set_aside" / "a_broken.csv.reason.txt").read_text(encoding="utf-8").strip()
    assert not sensor.tick().run_requests  # set aside is not tried again
    drop(settings, "c_next.csv", incidents("c"))
    (following,) = sensor.tick().run_requests
    assert files_of(following) == ["c_next.csv"]


def test_a_file_that_another_run_took_in_meanwhile_does_not_keep_the_others_out(
    landing: tuple[Settings, Watched],
) -> None:
    """A tick that comes while a run is at work asks for the files of that run, too."""
    settings, sensor = landing
    drop(settings, "a_slow.csv", incidents("a"))
    (first,) = sensor.tick().run_requests
    drop(settings, "b_new.csv", incidents("b"))
    (second,) = sensor.tick().run_requests
    assert files_of(second) == ["a_slow.csv", "b_new.csv"]
    assert sensor.run(first, INTAKE_JOB).success
    assert sensor.run(second, INTAKE_JOB).success
    assert sensor.lake.read("SELECT count(*) FROM deliveries WHERE status = 'ingested'").item() == 2


def make_stale(lake: Lake, days: list[date], delivery_seq: int = 7) -> None:
    rows = pl.DataFrame(
        {
            "day": days,
            "delivery_seq": delivery_seq,
            "reason": "late",
            "since": datetime(2026, 1, 1, tzinfo=UTC),
        },
        schema_overrides={"delivery_seq": pl.Int64},
    )
    shaped = TABLES["stale_days"].conform(rows)
    lake.transact(
        lambda transaction: transaction.append("stale_days", shaped), tables=["stale_days"], message="test"
    )


def spans(requests: list[dg.RunRequest]) -> list[tuple[str, str]]:
    start, end = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"
    return [(each.tags[start], each.tags[end]) for each in requests]


def test_changed_days_are_asked_for_as_ranges_oldest_first_and_so_many_a_tick(
    settings_of: SettingsOf,
) -> None:
    sensor = Watched(settings_of("[trial]\nstale_days_per_tick = 4\n"), "stale_days")
    assert sensor.tick().skip_message == "no judged day has changed"
    days = [date(2020, 1, 31), date(2020, 2, 1), date(2020, 2, 2), date(2020, 2, 9), date(2020, 3, 1)]
    make_stale(sensor.lake, [*reversed(days), days[0]])
    requests = sensor.tick().run_requests
    assert spans(requests) == [("2020-01-31", "2020-02-02"), ("2020-02-09", "2020-02-09")]
    assert all(each.partition_key is None for each in requests)


def test_the_same_change_has_one_run_key_and_a_later_one_another(settings_of: SettingsOf) -> None:
    sensor = Watched(settings_of(""), "stale_days")
    make_stale(sensor.lake, [date(2020, 1, 31)])
    (first,) = sensor.tick().run_requests
    (again,) = sensor.tick().run_requests
    make_stale(sensor.lake, [date(2020, 1, 31)], delivery_seq=8)
    (later,) = sensor.tick().run_requests
    assert first.run_key == again.run_key != later.run_key


def test_the_run_asked_for_judges_the_days_and_clears_them(settings_of: SettingsOf) -> None:
    sensor = Watched(settings_of(""), "stale_days")
    make_stale(sensor.lake, [date(2020, 1, 30), date(2020, 1, 31), date(2020, 2, 1)], delivery_seq=0)
    (request,) = sensor.tick().run_requests
    result = sensor.run(request, OUTCOMES_JOB)
    assert result.success
    assert sensor.lake.read("SELECT count(*) FROM stale_days").item() == 0
    judged = {event.partition for event in result.asset_materializations_for_node("forecast_outcomes")}
    assert {"2020-01-30", "2020-01-31", "2020-02-01"} <= judged
    assert not sensor.tick().run_requests


def test_ranges_have_no_gaps_and_lose_no_day() -> None:
    days = [date(2024, 2, 28), date(2024, 2, 29), date(2024, 3, 1), date(2024, 3, 3)]
    assert ranges(days) == [(days[0], days[2]), (days[3], days[3])]
    assert ranges([]) == []

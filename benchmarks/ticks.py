"""(e) The ticks of all schedules and sensors of a home, against as many that look at nothing.

What the daemon does around a tick is Dagster's own, and the same for both.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import dagster as dg

from benchmarks.measure import Comparison, in_turn, median_seconds, ratio
from benchmarks.places import STAMP, START, fill, home_in, spec_of, write_file
from hotspot_assets.definitions import build_definitions
from hotspot_assets.defs.operate import instance_of
from hotspot_assets.warehouse.lake import Lake
from hotspot_assets.workflow.forecasts import make_forecasts


def tick_of_all(repository: dg.RepositoryDefinition, instance: dg.DagsterInstance, lake: Lake) -> list[str]:
    """Evaluate each schedule and sensor once; returns why each asks for nothing, or that it asks for runs."""
    now, said = datetime.now(UTC), []
    for schedule in repository.schedule_defs:
        context = dg.build_schedule_context(
            instance=instance, scheduled_execution_time=now, repository_def=repository
        )
        said.append(schedule.evaluate_tick(context).skip_message or "runs")
    for sensor in repository.sensor_defs:
        asked = dg.build_sensor_context(
            instance=instance, repository_def=repository, resources={"lake": lake}, sensor_name=sensor.name
        )
        said.append(sensor.evaluate_tick(asked).skip_message or "runs")
    return said


def that_look_at_nothing(repository: dg.RepositoryDefinition) -> dg.RepositoryDefinition:
    """As many schedules and sensors, by the same names."""

    def nothing(_: object) -> dg.SkipReason:
        return dg.SkipReason("nothing")

    job = dg.define_asset_job("job")
    schedules = [
        dg.ScheduleDefinition(name=each.name, job=job, cron_schedule="0 0 * * *", execution_fn=nothing)
        for each in repository.schedule_defs
    ]
    sensors = [
        dg.SensorDefinition(name=each.name, job=job, evaluation_fn=nothing) for each in repository.sensor_defs
    ]
    empty = dg.asset(name="nothing")(lambda: None)
    definitions = dg.Definitions([empty], jobs=[job], schedules=schedules, sensors=sensors)
    return definitions.get_repository_def()


def run(folder: Path, cells: int, per_day: float, days: int, rounds: int) -> list[Comparison]:
    """All ticks of a home with some days forecast and nothing to do, warm."""
    spec = spec_of(cells, per_day)
    settings = home_in(folder / "ticks", spec)
    fill(settings, write_file(folder / "ticks.csv", spec, days))
    lake = Lake(settings.warehouse, settings.data_path)
    last = START + timedelta(days=days - 1)
    list(make_forecasts(lake, settings, last - timedelta(days=2), last, STAMP))
    ours = build_definitions(settings).get_repository_def()
    with instance_of(settings) as instance:
        works: dict[str, Callable[[], object]] = {
            name: partial(tick_of_all, repository, instance, lake)
            for name, repository in (("ours", ours), ("nothing", that_look_at_nothing(ours)))
        }
        many = len(tick_of_all(ours, instance, lake))
        timings = in_turn(works, rounds, warm=True)
    lake.close()
    mine, nothing = (1000 * median_seconds(timings[name]) for name in ("ours", "nothing"))
    return [
        Comparison(
            "e",
            "ticks of all schedules and sensors by as many that look at nothing",
            ratio(timings["ours"], timings["nothing"]),
            "",
            f"{many} ticks: {mine:.0f} ms against {nothing:.0f} ms",
        )
    ]

"""(c) A backfill of a year, scored and written, against a bare Parquet COPY of the same rows; and one day alone."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import dagster as dg

from benchmarks.daily import QUIET
from benchmarks.measure import Comparison, Timing, alone, connected, median_cpu, median_seconds, ratio, timed
from benchmarks.places import STAMP, START, fill, home_in, spec_of, write_file
from hotspot_assets.definitions import build_definitions
from hotspot_assets.defs.automation import FORECAST_JOB
from hotspot_assets.defs.operate import instance_of
from hotspot_assets.settings import Settings, load_settings
from hotspot_assets.warehouse.lake import Lake
from hotspot_assets.warehouse.reads import delivery_clocks
from hotspot_assets.workflow.dates import days_between
from hotspot_assets.workflow.forecasts import make_forecasts
from hotspot_assets.workflow.models import model_in_force
from hotspot_assets.workflow.study_area import study_area_of_month


def backfill(home: Path, first: date, last: date) -> Timing:
    """Make the forecasts of a range in a copy of a home; what the copying takes does not count."""
    settings, lake = _opened_copy(home)
    lake.read("SELECT 1 AS one")
    timing = timed(lambda: sum(facts.rows for facts in make_forecasts(lake, settings, first, last, STAMP)))
    lake.close()
    return timing


def in_one_run(home: Path, first: date, last: date) -> Timing:
    """The same in a copy of a home as one run of Dagster, with what it records and checks of each day."""
    settings, lake = _opened_copy(home)
    lake.close()
    definitions = build_definitions(settings)

    def whole() -> None:
        span = {"start": first.isoformat(), "end": last.isoformat()}
        with instance_of(settings) as instance:
            result = definitions.resolve_job_def(FORECAST_JOB).execute_in_process(
                instance=instance,
                asset_selection=[dg.AssetKey("proximity_scores")],
                tags={f"dagster/asset_partition_range_{end}": day for end, day in span.items()},
                run_config=QUIET,
            )
        if not result.success:
            raise RuntimeError("the run over a range failed")

    return timed(whole)


def days_alone(home: Path, days: Sequence[date]) -> tuple[list[Timing], list[Timing]]:
    """Make the forecasts of some days of a month in a copy of a home, one by one; the first does not count.

    Returns those of every other day, warm: the process has made a day of the month before; and of the days between,
    for which the ledger of weights has been written meanwhile, so that the month is made ready anew.
    """
    settings, lake = _opened_copy(home)

    def made(day: date) -> Timing:
        return timed(lambda: sum(facts.rows for facts in make_forecasts(lake, settings, day, day, STAMP)))

    made(days[0])
    warm, anew = [], []
    for one, other in zip(days[1::2], days[2::2], strict=True):
        warm.append(made(one))
        # As after a delivery.
        lake.transact(lambda _: None, tables=["hexagon_incidents"], message="nothing", stamp=STAMP)
        anew.append(made(other))
    lake.close()
    return warm, anew


def bare_copy(home: Path, target: Path) -> Timing:
    """COPY of the slim rows that the last backfill wrote, from memory to a Parquet file."""
    settings = _settings_of(_copy_of(home))
    files = [str(path) for path in Path(settings.data_path).glob("hotspot/proximity_scores/*.parquet")]
    connection = connected()
    connection.execute(
        "CREATE TABLE slim AS SELECT forecast_date, offence_group, cell, score, rank FROM read_parquet(?)",
        [files],
    )
    timing = timed(lambda: connection.execute(f"COPY slim TO '{target}' (FORMAT parquet)"))
    connection.close()
    return timing


def prepared(folder: Path, model: str, cells: int, per_day: float, days: int) -> Settings:
    """A home with history enough for the range, whatever is fitted once fitted already."""
    spec = spec_of(cells, per_day)
    settings = home_in(folder / model, spec, model)
    fill(settings, write_file(folder / f"{model}.csv", spec, days))
    return settings


def run(
    folder: Path, cells: int, per_day: float, days: int, rounds: int, models: tuple[str, ...]
) -> list[Comparison]:
    """A range of days for each model."""
    first = (START + timedelta(days=400)).replace(day=1)
    found = []
    for model in models:
        settings = prepared(folder, model, cells, per_day, days + 400)
        found += _of(settings, f"with `{model}`", first, days, rounds)
    return found


def of_home(first: date, rounds: int) -> list[Comparison]:
    """The year from `first` of the home in force, by its settings."""
    settings = load_settings()
    name = f"of {settings.area.name} with `{settings.forecast.model}`"
    return [replace(each, row="h") for each in _of(settings, name, first, 365, rounds)]


def _of(settings: Settings, name: str, first: date, days: int, rounds: int) -> list[Comparison]:
    return [*compared(name, settings, first, days, rounds), *one_day(name, settings, first, rounds)]


def one_day(name: str, settings: Settings, first: date, rounds: int) -> list[Comparison]:
    """A day alone, in a process that has made another of its month, and with the month made ready anew."""
    days = [first.replace(day=6) + timedelta(days=number) for number in range(1 + 6 * rounds)]
    warm, anew = alone(days_alone, settings.home, days).result
    shutil.rmtree(_copy_of(settings.home))
    return [
        Comparison(
            "c",
            f"one day {name}, scored and written, {how}by a quarter of a second",
            median_seconds(timings) / 0.25,
            target,
            f"{len(timings)} days one by one: {median_seconds(timings):.2f} s, processor {median_cpu(timings):.2f} s",
        )
        for how, timings, target in (("", warm, "<= 1"), ("its month made ready anew, ", anew, ""))
    ]


def compared(name: str, settings: Settings, first: date, days: int, rounds: int) -> list[Comparison]:
    """A range of days of a home, alone and as one run of Dagster.

    Every work is done in a process of its own, so that its peak of memory is its own.
    """
    last = first + timedelta(days=days - 1)
    _fit_ahead(settings, first, last)
    peaks: list[float] = []
    with TemporaryDirectory() as folder:
        works = {
            "year": partial(_timed_alone, peaks, backfill, settings.home, first, last),
            "run": partial(_timed_alone, [], in_one_run, settings.home, first, last),
            "copy": partial(_timed_alone, [], bare_copy, settings.home, Path(folder) / "slim.parquet"),
        }
        timings: dict[str, list[Timing]] = {name: [] for name in works}
        for _ in range(rounds):
            for work_name, work in works.items():
                timings[work_name].append(work())
    shutil.rmtree(_copy_of(settings.home))
    groups = len(settings.forecast.groups)
    facts = (
        f"{days} days x {groups} groups: {median_seconds(timings['year']):.1f} s against"
        f" {median_seconds(timings['copy']):.1f} s; peak memory {max(peaks):.2f} GB"
    )
    spent = median_seconds(timings["run"]) - median_seconds(timings["year"])
    return [
        Comparison(
            "c",
            f"year backfill {name}, scored and written, by a Parquet copy of its rows",
            ratio(timings["year"], timings["copy"]),
            "<= 5" if days > 300 else "",
            facts,
        ),
        Comparison(
            "c",
            f"year backfill {name} as one run of Dagster, by its engine and writing",
            ratio(timings["run"], timings["year"]),
            "",
            f"{days} days: {median_seconds(timings['run']):.1f} s; the run, facts and check results of each day take"
            f" {spent:.1f} s of it",
        ),
    ]


def _settings_of(home: Path) -> Settings:
    return load_settings({**os.environ, "HOTSPOT_HOME": str(home)})


def _opened_copy(home: Path) -> tuple[Settings, Lake]:
    copy = _copy_of(home)
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(home, copy)
    settings = _settings_of(copy)
    return settings, Lake(settings.warehouse, settings.data_path)


def _copy_of(home: Path) -> Path:
    return home.with_name(f"{home.name}-copy")


def _timed_alone(peaks: list[float], function: object, *arguments: object) -> Timing:
    spent = alone(function, *arguments)  # type: ignore[arg-type]
    peaks.append(spent.peak_gb)
    return spent.result  # type: ignore[no-any-return]


def _fit_ahead(settings: Settings, first: date, last: date) -> None:
    """Fit each month's model: fitting is not what is compared."""
    lake = Lake(settings.warehouse, settings.data_path)
    clocks = delivery_clocks(lake)
    for month in sorted({day.replace(day=1) for day in days_between(first, last)}):
        area = study_area_of_month(lake, settings, month, clocks, STAMP)
        model_in_force(lake, settings, area, month, clocks, STAMP)
    lake.close()

"""(c) A backfill of a year, scored and written, against a bare Parquet COPY of the same rows."""

from __future__ import annotations

import shutil
from datetime import date, timedelta
from functools import partial
from pathlib import Path

from benchmarks.measure import Comparison, Timing, alone, connected, median_seconds, ratio, timed
from benchmarks.places import STAMP, START, fill, home_in, spec_of, write_file
from hotspot_assets.settings import Settings, load_settings
from hotspot_assets.warehouse.lake import Lake
from hotspot_assets.warehouse.reads import newest_delivery
from hotspot_assets.workflow.dates import days_between
from hotspot_assets.workflow.forecasts import make_forecasts
from hotspot_assets.workflow.models import model_in_force
from hotspot_assets.workflow.study_area import study_area_of_month


def backfill(home: Path, first: date, last: date) -> Timing:
    """Make the forecasts of a range in a copy of a home; what the copying takes does not count."""
    copy = home.with_name(f"{home.name}-copy")
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(home, copy)
    settings = load_settings({"HOTSPOT_HOME": str(copy)})
    lake = Lake(settings.warehouse, settings.data_path)
    lake.read("SELECT 1 AS one")
    timing = timed(lambda: sum(facts.rows for facts in make_forecasts(lake, settings, first, last, STAMP)))
    lake.close()
    return timing


def bare_copy(home: Path, target: Path) -> Timing:
    """COPY of the slim rows that the last backfill wrote, from memory to a Parquet file."""
    settings = load_settings({"HOTSPOT_HOME": str(home.with_name(f"{home.name}-copy"))})
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
    """A range of days for each model; every run is a process of its own, so that its peak of memory is its own."""
    found = []
    for model in models:
        settings = prepared(folder, model, cells, per_day, days + 400)
        first = (START + timedelta(days=400)).replace(day=1)
        last = first + timedelta(days=days - 1)
        _fit_ahead(settings, first, last)
        peaks: list[float] = []
        works = {
            "year": partial(_timed_alone, peaks, backfill, settings.home, first, last),
            "copy": partial(_timed_alone, [], bare_copy, settings.home, folder / "slim.parquet"),
        }
        timings: dict[str, list[Timing]] = {name: [] for name in works}
        for _ in range(rounds):
            for name, work in works.items():
                timings[name].append(work())
        facts = (
            f"{days} days x 5 groups: {median_seconds(timings['year']):.1f} s against"
            f" {median_seconds(timings['copy']):.1f} s; peak memory {max(peaks):.2f} GB"
        )
        target = "<= 5" if days > 300 else ""
        found.append(
            Comparison(
                "c",
                f"backfill with `{model}`, scored and written, by a Parquet COPY",
                ratio(timings["year"], timings["copy"]),
                target,
                facts,
            )
        )
    return found


def _timed_alone(peaks: list[float], function: object, *arguments: object) -> Timing:
    spent = alone(function, *arguments)  # type: ignore[arg-type]
    peaks.append(spent.peak_gb)
    return spent.result  # type: ignore[no-any-return]


def _fit_ahead(settings: Settings, first: date, last: date) -> None:
    """Fit each month's model: fitting is not what is compared."""
    lake = Lake(settings.warehouse, settings.data_path)
    newest = newest_delivery(lake)
    for month in sorted({day.replace(day=1) for day in days_between(first, last)}):
        area = study_area_of_month(lake, settings, month, newest)
        model_in_force(lake, settings, area, month, newest, STAMP)
    lake.close()

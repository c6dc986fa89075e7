"""(f) Growth: time and peak memory of intake and of a month's forecasts, with incidents and with cells."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import numpy as np

from benchmarks import intake
from benchmarks.measure import Comparison, alone, timed
from benchmarks.places import STAMP, START, home_in, spec_of, write_file
from hotspot_assets.settings import load_settings
from hotspot_assets.warehouse.lake import Lake
from hotspot_assets.workflow.bucketing import bucket_new_deliveries
from hotspot_assets.workflow.forecasts import make_forecasts

_HISTORY_DAYS = 850


def take_in_all(home: Path, file: Path) -> float:
    """Seconds to take a file in."""
    settings = load_settings({"HOTSPOT_HOME": str(home)})
    return timed(lambda: intake.take(settings, file)).seconds


def bucket(home: Path) -> float:
    """Seconds to bucket what was taken in."""
    settings = load_settings({"HOTSPOT_HOME": str(home)})
    lake = Lake(settings.warehouse, settings.data_path)
    return timed(lambda: bucket_new_deliveries(lake, settings, STAMP)).seconds


def month(home: Path) -> float:
    """Seconds to forecast the last whole month."""
    settings = load_settings({"HOTSPOT_HOME": str(home)})
    lake = Lake(settings.warehouse, settings.data_path)
    last = (START + timedelta(days=_HISTORY_DAYS)).replace(day=1) - timedelta(days=1)
    return timed(lambda: list(make_forecasts(lake, settings, last.replace(day=1), last, STAMP))).seconds


def slope(sizes: list[int], seconds: list[float]) -> float:
    """Slope on log-log axes: 1 is a straight line through the origin."""
    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])


def run(folder: Path, incidents: list[int], cells: list[int]) -> list[Comparison]:
    """Each size once, each work in a process of its own."""
    points = [_measured(folder, many, cells[0]) for many in incidents]
    found = []
    for work in ("intake", "bucketing", "month"):
        times = [point[work] for point in points]
        facts = ", ".join(f"{many:,}: {time:.1f} s" for many, time in zip(incidents, times, strict=True))
        found.append(
            Comparison(
                "f", f"slope of {work} with incidents (log-log)", slope(incidents, times), "<= 1.05", facts
            )
        )
        peaks = [point[f"{work}_gb"] for point in points]
        base = peaks[incidents.index(1_000_000)] if 1_000_000 in incidents else peaks[0]
        facts = ", ".join(f"{many:,}: {peak:.2f} GB" for many, peak in zip(incidents, peaks, strict=True))
        found.append(
            Comparison("f", f"peak memory of {work}, most incidents by 1 M", peaks[-1] / base, "<= 2", facts)
        )
    by_cells = [points[0], *(_measured(folder, incidents[0], many) for many in cells[1:])]
    times = [point["month"] for point in by_cells]
    facts = ", ".join(
        f"{many:,}: {point['month']:.1f} s, {point['month_gb']:.2f} GB"
        for many, point in zip(cells, by_cells, strict=True)
    )
    found.append(
        Comparison(
            "f", "slope of a month's forecasts with cells (log-log)", slope(cells, times), "<= 1.05", facts
        )
    )
    return found


def _measured(folder: Path, incidents: int, cells: int) -> dict[str, float]:
    spec = spec_of(cells, 200.0)
    home = home_in(folder / f"growth-{incidents}-{cells}", spec).home
    file = write_file(folder / "growth.csv", spec, _HISTORY_DAYS, incidents)
    point: dict[str, float] = {"incidents": incidents, "cells": cells}
    for name, spent in (
        ("intake", alone(take_in_all, home, file)),
        ("bucketing", alone(bucket, home)),
        ("month", alone(month, home)),
    ):
        point[name], point[f"{name}_gb"] = spent.result, spent.peak_gb
    shutil.rmtree(home)
    file.unlink()
    return point

"""(b) Taking in a delivery, against DuckDB's bare reading of the same file into a table."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path

from benchmarks.measure import Comparison, connected, in_turn, median_cpu, median_seconds, ratio
from benchmarks.places import STAMP, home_in, spec_of, write_file
from hotspot_assets.settings import Settings
from hotspot_assets.warehouse.lake import Lake
from hotspot_assets.workflow.deliveries import Declaration, take_in
from hotspot_assets.workflow.landing import deliver


def take(settings: Settings, file: Path) -> None:
    """Take a file into a home that has nothing yet: contract, validation, keys, versions, lake."""
    for folder in ("lake", "landing"):
        shutil.rmtree(settings.home / folder, ignore_errors=True)
    lake = Lake(settings.warehouse, settings.data_path)
    taken = take_in(lake, settings, deliver(file, settings.landing), Declaration(), STAMP)
    lake.close()
    if taken.set_aside:
        raise RuntimeError(str(taken))


def bare_read(database: Path, file: Path) -> None:
    """`CREATE TABLE AS SELECT * FROM read_csv`, on disk too."""
    database.unlink(missing_ok=True)
    connection = connected(str(database))
    connection.execute(f"CREATE TABLE bare AS SELECT * FROM read_csv('{file}')")
    connection.close()


def run(folder: Path, file_rows: int, rounds: int) -> list[Comparison]:
    """One first load of so many rows."""
    spec = spec_of(7_000, 200.0)
    file = write_file(folder / "delivery.csv", spec, 850 if file_rows > 100_000 else 60, file_rows)
    settings = home_in(folder / "intake", spec)
    works = {
        "intake": partial(take, settings, file),
        "bare": partial(bare_read, folder / "bare.duckdb", file),
    }
    timings = in_turn(works, rounds)
    cpu = median_cpu(timings["intake"]) / max(median_cpu(timings["bare"]), 1e-3)
    facts = (
        f"{file_rows:,} rows: {median_seconds(timings['intake']):.1f} s against {median_seconds(timings['bare']):.1f} s;"
        f" ratio of processor time {cpu:.1f}"
    )
    return [
        Comparison(
            "b",
            "intake by DuckDB's read_csv into a table",
            ratio(timings["intake"], timings["bare"]),
            "<= 4",
            facts,
        )
    ]

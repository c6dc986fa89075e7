"""A backfill in a process of its own, so that a test can kill it: `python -m ... HOME FIRST LAST [options]`.

It says `begun` when the work starts. `--through-dagster` runs it as a recorded run of the assets; `--stop-within`
names a day at which it stops for good between deleting the old scores and writing the new ones, saying `deleted`.
"""

from __future__ import annotations

import argparse
import time
from collections import deque
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import polars as pl

from hotspot_assets.settings import Settings, load_settings
from hotspot_assets.warehouse.lake import Lake, Stamp, Transaction
from hotspot_assets.workflow import forecasts
from hotspot_assets.workflow.patrols import make_patrol_areas

STAMP = Stamp("test", "backfill")


def settings_of(home: Path) -> Settings:
    """The home's settings with a model that needs no fit, so that the time goes into writing days."""
    settings = load_settings({"HOTSPOT_HOME": str(home)})
    return settings.model_copy(update={"forecast": settings.forecast.model_copy(update={"model": "promap"})})


def plainly(settings: Settings, first: date, last: date) -> None:
    """Scores and patrol areas, one transaction a day."""
    forecasts._BATCH_ROWS = 1
    lake = Lake(settings.warehouse, settings.data_path)
    deque(forecasts.make_forecasts(lake, settings, first, last, STAMP), maxlen=0)
    deque(make_patrol_areas(lake, settings, first, last, STAMP), maxlen=0)


def through_dagster(settings: Settings, first: date, last: date) -> None:
    """The same as a recorded run over a range of partitions, as `hotspot` starts it, with the day's files."""
    from hotspot_assets.definitions import build_definitions
    from hotspot_assets.defs.automation import FORECAST_JOB
    from hotspot_assets.defs.operate import run_job

    forecasts._BATCH_ROWS = 1
    run_job(settings, build_definitions(settings), FORECAST_JOB, days=(first, last))


def stop_within(day: date) -> None:
    """From now on, writing the scores of this day never gets past deleting the old ones."""
    append = Transaction.append

    def hang(self: Transaction, table: str, rows: pl.DataFrame) -> None:
        if table == "proximity_scores" and day in rows["forecast_date"].unique().to_list():
            print("deleted", flush=True)
            time.sleep(600)
        append(self, table, rows)

    Transaction.append = hang  # type: ignore[method-assign]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the backfill."""
    parser = argparse.ArgumentParser()
    parser.add_argument("home", type=Path)
    parser.add_argument("first", type=date.fromisoformat)
    parser.add_argument("last", type=date.fromisoformat)
    parser.add_argument("--through-dagster", action="store_true")
    parser.add_argument("--stop-within", type=date.fromisoformat)
    asked = parser.parse_args(arguments)
    if asked.stop_within:
        stop_within(asked.stop_within)
    print("begun", flush=True)
    (through_dagster if asked.through_dagster else plainly)(settings_of(asked.home), asked.first, asked.last)
    print("done", flush=True)


if __name__ == "__main__":
    main()

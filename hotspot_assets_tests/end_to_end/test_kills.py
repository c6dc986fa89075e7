"""A backfill killed (-9) again and again, and started again each time: nothing lost, nothing doubled, no day half."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from hotspot_assets.defs.living_runs import end_abandoned_runs
from hotspot_assets.defs.operate import instance_of
from hotspot_assets.warehouse.lake import Lake

from .conftest import Home, settings_in
from .servers import environment_of, until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX")
DAYS = 4
START_SECONDS, WORK_SECONDS = 120, 300
VINTAGE = ("made_at", "run_id", "reconstructed")
"""What a header says of its making and not of the forecast."""


@dataclass
class Backfill:
    """A backfill at work, and what it has said so far."""

    process: subprocess.Popen[str]
    said: list[str]

    @classmethod
    def started(cls, home: Path, days: list[date], *options: str) -> Backfill:
        command = [
            sys.executable,
            "-m",
            f"{__package__}.backfill",
            str(home),
            str(days[0]),
            str(days[-1]),
            *options,
        ]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment_of(home)
        )
        found = cls(process, [])
        threading.Thread(target=found._listen, daemon=True).start()
        found.wait_for("begun", START_SECONDS)
        return found

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line.strip())

    def wait_for(self, word: str, seconds: float) -> None:
        until(f"the backfill to say {word!r}", lambda: word in self.said or None, seconds, pause=0.05)

    def finish(self) -> None:
        assert self.process.wait(WORK_SECONDS) == 0

    def kill(self) -> bool:
        """Kill it where it stands; False if it had ended."""
        alive = self.process.poll() is None
        if alive:
            os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait(30)
        return alive


def lake_in(home: Path) -> Lake:
    settings = settings_in(home)
    return Lake(settings.warehouse, settings.data_path)


def tables(home: Path) -> dict[str, pl.DataFrame]:
    """What a backfill writes, without what says when and by which run."""
    lake = lake_in(home)
    scores = lake.read("SELECT * FROM proximity_scores ORDER BY forecast_date, offence_group, rank")
    areas = lake.read("SELECT * FROM patrol_areas ORDER BY forecast_date, shift, unit, offence_group, rank")
    headers = lake.read("SELECT * FROM forecasts ORDER BY forecast_date, offence_group, forecast_id").drop(
        VINTAGE
    )
    lake.close()
    return {"proximity_scores": scores, "patrol_areas": areas, "forecasts": headers}


def sizes(home: Path, days: list[date]) -> set[tuple[int, int]]:
    """Of each day and offence group that has scores at all: rows and different cells."""
    lake = lake_in(home)
    found = lake.read(
        "SELECT count(*) AS rows, count(DISTINCT cell) AS cells FROM proximity_scores"
        " WHERE forecast_date BETWEEN ? AND ? GROUP BY forecast_date, offence_group",
        [days[0], days[-1]],
    )
    lake.close()
    return set(found.rows())


@dataclass(frozen=True)
class Undisturbed:
    """A home, the days to fill, and what a backfill that nobody disturbs makes of them, in so many seconds."""

    home: Path
    days: list[date]
    tables: dict[str, pl.DataFrame]
    seconds: float

    def assert_same(self, home: Path) -> None:
        found = tables(home)
        for name, rows in self.tables.items():
            assert found[name].equals(rows), f"{name} differs from that of an undisturbed run"

    def cells(self) -> int:
        return self.tables["proximity_scores"]["cell"].n_unique()


@pytest.fixture(scope="module")
def undisturbed(home: Home, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Undisturbed]:
    """The days before those of the main job, filled once without a kill."""
    empty, filled = (tmp_path_factory.mktemp(name) / "home" for name in ("empty", "filled"))
    shutil.copytree(home.settings.home, empty, ignore=shutil.ignore_patterns("dagster", "outputs", "landing"))
    shutil.copytree(empty, filled)
    first_made = home.lake.read("SELECT min(forecast_date) FROM proximity_scores").item()
    days = [first_made - timedelta(days=back) for back in range(DAYS, 0, -1)]
    backfill = Backfill.started(filled, days)
    start = time.monotonic()
    backfill.finish()
    yield Undisturbed(empty, days, tables(filled), time.monotonic() - start)


def kill_at_random(undisturbed: Undisturbed, home: Path, kills: int, *options: str) -> list[float]:
    """Kill the backfill so often, starting it again each time; the seconds it was given, each time."""
    seed = random.randrange(2**32)
    print(f"seed {seed}, an undisturbed run takes {undisturbed.seconds:.1f} s")
    draw, lived = random.Random(seed), []
    whole = (undisturbed.cells(), undisturbed.cells())
    while len(lived) < kills:
        backfill = Backfill.started(home, undisturbed.days, *options)
        given = draw.uniform(0.0, undisturbed.seconds)
        time.sleep(given)
        if backfill.kill():
            lived.append(given)
        assert sizes(home, undisturbed.days) <= {whole}, f"after {given:.2f} s a day stands half or twice"
    return lived


def fill(undisturbed: Undisturbed, home: Path) -> None:
    Backfill.started(home, undisturbed.days).finish()


def test_the_days_were_empty_before(undisturbed: Undisturbed) -> None:
    assert sizes(undisturbed.home, undisturbed.days) == set()
    made = undisturbed.tables["proximity_scores"]["forecast_date"].unique().to_list()
    assert set(undisturbed.days) <= set(made)


def test_a_backfill_killed_three_times_ends_as_an_undisturbed_one(
    undisturbed: Undisturbed, tmp_path: Path
) -> None:
    """Twice at random, and once between DELETE and INSERT of a day that had been written."""
    home = tmp_path / "home"
    shutil.copytree(undisturbed.home, home)
    kill_at_random(undisturbed, home, kills=2)
    fill(undisturbed, home)
    undisturbed.assert_same(home)
    middle = undisturbed.days[len(undisturbed.days) // 2]
    stopped = Backfill.started(home, undisturbed.days, "--stop-within", str(middle))
    stopped.wait_for("deleted", WORK_SECONDS)
    assert stopped.kill()
    undisturbed.assert_same(home)
    fill(undisturbed, home)
    undisturbed.assert_same(home)


def test_a_killed_run_is_told_from_a_living_one_and_not_waited_for(
    undisturbed: Undisturbed, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    shutil.copytree(undisturbed.home, home)
    settings, day = settings_in(home), undisturbed.days[:1]
    hanging = Backfill.started(home, day, "--through-dagster", "--stop-within", str(day[0]))
    hanging.wait_for("deleted", WORK_SECONDS)
    time.sleep(1.5)  # a lock is believed once it is a second old
    with instance_of(settings) as instance:
        assert end_abandoned_runs(instance, settings) == []
    assert hanging.kill()
    Backfill.started(home, day, "--through-dagster").finish()
    with instance_of(settings) as instance:
        statuses = [run.status for run in instance.get_runs()]
    assert statuses == [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE]
    assert sizes(home, day) == {(undisturbed.cells(), undisturbed.cells())}


@pytest.mark.slow
def test_a_backfill_killed_twenty_times_ends_as_an_undisturbed_one(
    undisturbed: Undisturbed, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    shutil.copytree(undisturbed.home, home)
    for day in (undisturbed.days[0], undisturbed.days[-1]):  # the first time the day was empty
        stopped = Backfill.started(home, undisturbed.days, "--stop-within", str(day))
        stopped.wait_for("deleted", WORK_SECONDS)
        assert stopped.kill()
        assert sizes(home, undisturbed.days) <= {(undisturbed.cells(), undisturbed.cells())}
    lived = kill_at_random(undisturbed, home, kills=18)
    print(f"killed after {', '.join(f'{each:.2f}' for each in sorted(lived))} s")
    fill(undisturbed, home)
    undisturbed.assert_same(home)


@pytest.mark.slow
def test_a_dagster_run_killed_twenty_times_ends_as_an_undisturbed_one(
    undisturbed: Undisturbed, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    shutil.copytree(undisturbed.home, home)
    lived = kill_at_random(undisturbed, home, 20, "--through-dagster")
    print(f"killed after {', '.join(f'{each:.2f}' for each in sorted(lived))} s")
    Backfill.started(home, undisturbed.days, "--through-dagster").finish()
    undisturbed.assert_same(home)

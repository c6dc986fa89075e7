"""Two reviewers at once: one wins, the other is told; on both kinds of catalog, where the second can be had."""

from __future__ import annotations

import importlib.util
import multiprocessing
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import pytest

from hotspot_assets.assurance.ledger import verify
from hotspot_assets.settings import Settings, load_settings
from hotspot_assets.warehouse.chain import export_lines
from hotspot_assets.workflow.review import Wish, decide, issue

from .homes import lake_of
from .reviewable import STAMP, person, reviewable, wish

SPAWN = multiprocessing.get_context("spawn")
BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"))


def decide_and_issue(
    env: dict[str, str], name: str, wish: Wish, both: Barrier, answers: Queue[tuple[str, bool, str]]
) -> None:
    """One reviewer, in a process of their own: looks, waits for the other, decides, issues."""
    settings = load_settings(env)
    lake = lake_of(settings)
    lake.read("SELECT 1")
    both.wait(120)
    (answer,) = decide(lake, settings, [wish], person(name), STAMP).result
    if answer.row is not None:
        issue(lake, settings, [answer.row["review_id"]], name, STAMP)
    answers.put((name, answer.row is not None, str(answer.refusal)))


def race(settings: Settings, env: dict[str, str]) -> None:
    lake = lake_of(settings)
    same = wish(lake)
    both, answers = SPAWN.Barrier(2), SPAWN.Queue()
    reviewers = [
        SPAWN.Process(target=decide_and_issue, args=(env, name, same, both, answers))
        for name in ("A. Person", "B. Person")
    ]
    for each in reviewers:
        each.start()
    found = {name: (won, refusal) for name, won, refusal in (answers.get(timeout=180) for _ in reviewers)}
    for each in reviewers:
        each.join(60)
    assert sorted(won for won, _ in found.values()) == [False, True]
    (winner,) = (name for name, (won, _) in found.items() if won)
    (told,) = (refusal for won, refusal in found.values() if not won)
    assert told.startswith(f"{winner} (duty sergeant) has decided about West side")
    assert lake.read("SELECT reviewer, state FROM reviews").rows() == [(winner, "approved")]
    assert lake.read("SELECT count(DISTINCT issue_id), any_value(issued_by) FROM issued_patrol_areas").row(
        0
    ) == (
        1,
        winner,
    )
    kinds = lake.read("SELECT kind FROM ledger ORDER BY sequence")["kind"].to_list()
    assert kinds[-2:] == ["review", "issue"]
    assert verify(list(export_lines(lake))).holds
    lake.close()


def test_two_reviewers_at_once_on_a_sqlite_catalog(tmp_path: Path) -> None:
    settings = reviewable(tmp_path / "home")
    race(settings, {"HOTSPOT_HOME": str(settings.home)})


@pytest.fixture
def server() -> Iterator[str]:
    """A PostgreSQL of this test alone, on a socket in its folder; the connection string."""
    if not BINARIES:
        pytest.skip("PostgreSQL is not there; on Debian: apt-get install postgresql")
    if importlib.util.find_spec("duckdb_extension_postgres_scanner") is None:
        pytest.skip("duckdb-extension-postgres-scanner is not installed")
    # Not below pytest's folder, which is root's alone: PostgreSQL does not run as root, and socket names are short.
    folder, user = Path(tempfile.mkdtemp(prefix="pg")), "postgres" if os.geteuid() == 0 else None
    if user:
        shutil.chown(folder, user)

    def run(*command: str) -> None:
        subprocess.run(command, check=True, user=user, cwd=folder, stdout=subprocess.DEVNULL, timeout=120)

    run(str(BINARIES[-1] / "initdb"), "-D", str(folder / "data"), "-A", "trust", "-U", "postgres")
    options = f"-k {folder} -c listen_addresses='' -c fsync=off"
    control = str(BINARIES[-1] / "pg_ctl")
    run(control, "-D", str(folder / "data"), "-o", options, "-l", str(folder / "log"), "-w", "start")
    try:
        yield f"host={folder} user=postgres dbname=postgres"
    finally:
        run(control, "-D", str(folder / "data"), "-m", "immediate", "stop")
        shutil.rmtree(folder)


def copied(settings: Settings, env: dict[str, str]) -> Settings:
    """The home with its tables in another catalog."""
    before, after = lake_of(settings), lake_of(load_settings(env))

    def copy(transaction: Any) -> None:
        for table in (
            "deliveries",
            "hexagon_incidents",
            "study_areas",
            "cells",
            "forecasts",
            "patrol_areas",
            "ledger",
        ):
            transaction.append(table, before.read(f"SELECT * FROM {table}"))

    after.transact(copy, tables=["ledger"], message="copy")
    before.close()
    after.close()
    return load_settings(env)


def test_two_reviewers_at_once_on_a_postgres_catalog(tmp_path: Path, server: str) -> None:
    settings = reviewable(tmp_path / "home")
    env = {
        "HOTSPOT_HOME": str(settings.home),
        "HOTSPOT_WAREHOUSE": f"ducklake:postgres:{server}",
        "HOTSPOT_DATA_PATH": str(tmp_path / "data"),
    }
    race(copied(settings, env), env)

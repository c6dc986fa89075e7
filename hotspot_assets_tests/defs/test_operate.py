"""Runs from a terminal: what is said while one waits for another, and where the history cannot be written."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.test_utils import create_run_for_test
from filelock import FileLock

from hotspot_assets.defs import operate
from hotspot_assets.defs.intake import POOL
from hotspot_assets.defs.living_runs import _lock_file
from hotspot_assets.settings import PROJECT_ROOT
from hotspot_assets_tests.terminal import delivery, some_rows
from hotspot_assets_tests.workflow.homes import home_in

_IMPORT = "from hotspot_assets.cli import main; main()"
_FULL = "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n" + (
    "resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))\n"
)


def import_in(home: Path, program: str, file: Path) -> subprocess.Popen[str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith(("HOTSPOT_", "DAGSTER_"))}
    return subprocess.Popen(
        [sys.executable, "-c", program, "import", str(file)],
        cwd=PROJECT_ROOT,
        env={**env, "HOTSPOT_HOME": str(home), "PYTHONWARNINGS": "ignore"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_who_waits_for_another_run_is_told_so_and_can_end_it(tmp_path: Path) -> None:
    settings = home_in(tmp_path / "home")
    file = delivery(tmp_path / "town.csv", some_rows())
    with operate.instance_of(settings) as instance:
        run = create_run_for_test(instance, "scores", status=dg.DagsterRunStatus.STARTED)
        lock = _lock_file(settings, run.run_id)
        lock.parent.mkdir(parents=True, exist_ok=True)
        instance.event_log_storage.initialize_concurrency_limit_to_default(POOL)
        with FileLock(lock):
            instance.event_log_storage.claim_concurrency_slot(POOL, run.run_id, "proximity_scores")
            waiting = import_in(settings.home, _IMPORT, file)
            assert waiting.stderr is not None
            end_of_patience = threading.Timer(60, waiting.kill)
            end_of_patience.start()
            said = next((line for line in waiting.stderr if "waiting" in line), "nothing")
            end_of_patience.cancel()
            assert said == f"waiting until run {run.run_id} has written the lake\n"
            waiting.terminate()
            assert waiting.wait(10) != 0
        assert [each.run_id for each in instance.get_runs()] == [run.run_id]


@pytest.mark.skipif(sys.platform == "win32", reason="limits of a process are POSIX")
def test_a_history_for_which_the_disk_has_no_room_is_named(tmp_path: Path) -> None:
    settings = home_in(tmp_path / "home")
    ended = import_in(settings.home, _FULL + _IMPORT, delivery(tmp_path / "town.csv", some_rows()))
    _, said = ended.communicate(timeout=120)
    last = said.strip().splitlines()[-1]
    assert ended.returncode == 1
    assert last.startswith(f"hotspot: Dagster's history in {settings.dagster_home} cannot be written (")
    assert last.endswith("is the disk full? Make room or mend it, then run again.")
    assert "Traceback" not in said

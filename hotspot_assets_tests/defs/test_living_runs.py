"""A lock file tells a dead run from a living one, one that begins and one that has ended."""

from __future__ import annotations

import os
import time
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.test_utils import create_run_for_test
from filelock import FileLock

from hotspot_assets.defs import operate
from hotspot_assets.defs.living_runs import _alive, _is_abandoned, _lock_file, end_abandoned_runs
from hotspot_assets.settings import Settings, load_settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings({"HOTSPOT_HOME": str(tmp_path)})


def grow_old(file: Path) -> None:
    then = time.time() - 60
    os.utime(file, (then, then))


def test_a_run_is_alive_while_it_holds_its_lock_and_leaves_nothing_behind(settings: Settings) -> None:
    file = _lock_file(settings, "run")
    with _alive(settings, "run"):
        grow_old(file)
        assert not _is_abandoned(file)
    assert not _is_abandoned(file)
    assert list(file.parent.iterdir()) == []


def test_a_free_lock_is_that_of_a_dead_run_unless_it_was_made_just_now(settings: Settings) -> None:
    file = _lock_file(settings, "run")
    file.parent.mkdir(parents=True)
    file.touch()
    assert not _is_abandoned(file)
    grow_old(file)
    assert _is_abandoned(file)
    grow_old(file)
    with FileLock(file):
        assert not _is_abandoned(file)


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        (dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.FAILURE),
        (dg.DagsterRunStatus.CANCELING, dg.DagsterRunStatus.CANCELED),
    ],
)
def test_a_run_whose_process_is_gone_is_ended_also_while_it_was_being_canceled(
    settings: Settings, was: dg.DagsterRunStatus, becomes: dg.DagsterRunStatus
) -> None:
    """Or it would hold its place in the pool of writers for ever."""
    with operate.instance_of(settings) as instance:
        run = create_run_for_test(instance, "scores", status=was)
        file = _lock_file(settings, run.run_id)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
        grow_old(file)
        assert end_abandoned_runs(instance, settings) == [run.run_id]
        ended = instance.get_run_by_id(run.run_id)
        assert ended is not None and ended.status is becomes
        assert end_abandoned_runs(instance, settings) == []

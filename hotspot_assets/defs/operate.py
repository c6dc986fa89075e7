"""Running things from the command line through Dagster, on the instance the UI shows.

Belongs here: the instance, runs started from a terminal, and the servers. Every computation is a run in
Dagster's history; nothing is computed beside it.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
from sqlalchemy.exc import OperationalError

from hotspot_assets.defs.automation import INTAKE_JOB
from hotspot_assets.defs.intake import POOL
from hotspot_assets.defs.living_runs import end_abandoned_runs
from hotspot_assets.errors import UserError
from hotspot_assets.settings import PROJECT_ROOT, Settings, load_settings
from hotspot_assets.workflow.deliveries import Declaration
from hotspot_assets.workflow.first_settings import write_first_settings
from hotspot_assets.workflow.landing import deliver

Say = Callable[[str], None]
_CONSOLE = {"console": {"config": {"log_level": "INFO"}}}
"""What a terminal shows of a run: progress and warnings; every event stands in the run's log."""
_LOOK_AGAIN_SECONDS = 0.5

_one_run = threading.Lock()
"""Dagster configures Python's logging at the start of a run, and takes its locks in another order than a run that
logs: two runs in one process can wait for each other for ever. So a process runs one at a time."""


class RunFailed(UserError):
    """A Dagster run that did not succeed."""


class PortTaken(UserError):
    """The port of the UI is in use."""


class HistoryUnwritable(UserError):
    """Dagster cannot write its run history."""


def prepare_instance(settings: Settings) -> Path:
    """Lay the project's dagster.yaml into Dagster's home, so that it is the one in force; returns that home."""
    home = settings.dagster_home
    try:
        (home / ".nux").mkdir(parents=True, exist_ok=True)
        (home / ".nux" / "nux.yaml").write_text(
            "seen: 1\n", encoding="utf-8"
        )  # no newsletter dialog in the UI
        shutil.copyfile(PROJECT_ROOT / "dagster.yaml", home / "dagster.yaml")
    except OSError as error:
        raise UserError(
            f"{home} cannot be written to ({error.strerror}); choose another HOTSPOT_HOME."
        ) from error
    os.environ["DAGSTER_HOME"] = str(home)
    return home


def instance_of(settings: Settings) -> dg.DagsterInstance:
    """The instance whose runs the UI shows."""
    prepare_instance(settings)
    return dg.DagsterInstance.get()


def require_free_port(port: int) -> None:
    """Raise PortTaken if something listens on 127.0.0.1:port."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            raise PortTaken(
                f"Port {port} is taken by another program; end it, or name another one with --port."
            )


def run_job(
    settings: Settings,
    definitions: dg.Definitions,
    job: str,
    *,
    days: tuple[date, date] | None = None,
    month: date | None = None,
    config: Mapping[str, Any] | None = None,
    user: str | None = None,
    only: Sequence[str] | None = None,
) -> dg.ExecuteInProcessResult:
    """Run a job in this process, recorded in the instance.

    `days`: a range of daily partitions in one run; `user`: the account for which it runs; `only`: some of the
    job's assets. A run before it that was killed is ended first: it would be waited for. While another run writes
    the lake this one waits for its turn, and says so.

    Raises
    ------
    RunFailed
        With the step that failed and the reason in one line.
    HistoryUnwritable
        Where the disk is full or the history cannot be written for another reason.
    """
    tags = {"user": user} if user else {}
    partition = month.isoformat() if month else None
    if days and days[0] == days[1]:
        partition = days[0].isoformat()
    elif days:
        tags["dagster/asset_partition_range_start"] = days[0].isoformat()
        tags["dagster/asset_partition_range_end"] = days[1].isoformat()
    resolved = definitions.resolve_job_def(job)
    try:
        with _one_run, instance_of(settings) as instance:
            _await_turn(instance, settings, resolved)
            result = resolved.execute_in_process(
                instance=instance,
                partition_key=partition,
                asset_selection=[dg.AssetKey(name) for name in only] if only else None,
                tags=tags,
                run_config={**(config or {}), "loggers": _CONSOLE},
                raise_on_error=False,
            )
    except OperationalError as error:
        raise HistoryUnwritable(
            f"Dagster's history in {settings.dagster_home} cannot be written ({error.orig}): is the disk full?"
            " Make room or mend it, then run again."
        ) from error
    if not result.success:
        raise RunFailed(f"Run {result.run_id} of {job} failed: {_first_failure(result)}")
    return result


def _await_turn(instance: dg.DagsterInstance, settings: Settings, job: dg.JobDefinition) -> None:
    """Wait while another run writes the lake; left to Dagster, a terminal would hear nothing and not be heard."""
    writes = any(POOL in node.definition.pools for node in job.nodes)
    said: set[str] = set()
    while True:
        end_abandoned_runs(instance, settings)
        writing = {
            slot.run_id for slot in instance.event_log_storage.get_concurrency_info(POOL).claimed_slots
        }
        if not (writes and writing):
            return
        if writing - said:
            print(f"waiting until run {', '.join(sorted(writing))} has written the lake", file=sys.stderr)
        said |= writing
        time.sleep(_LOOK_AGAIN_SECONDS)


def _first_failure(result: dg.ExecuteInProcessResult) -> str:
    for event in result.all_events:
        if event.is_step_failure:
            said = event.step_failure_data.user_failure_data
            if said is not None and said.description:
                return f"step {event.step_key}: {said.description}"
            error = event.step_failure_data.error
            cause = error.cause or error if error else None
            return f"step {event.step_key}: {cause.message.strip() if cause else 'no reason recorded'}"
    return "see the run in the UI"


def serve(settings: Settings, port: int, say: Say) -> None:
    """Webserver, daemon and code server on 127.0.0.1 until interrupted."""
    with instance_of(settings) as instance:
        end_abandoned_runs(instance, settings)
    command = [
        sys.executable, "-m", "dagster", "dev", "-w", str(PROJECT_ROOT / "workspace.yaml"),
        "-h", "127.0.0.1", "-p", str(port), "--log-level", "warning",
    ]  # fmt: skip
    say(f"Dagster UI: http://127.0.0.1:{port} (Ctrl+C ends it)")
    try:
        code = subprocess.run(command, cwd=PROJECT_ROOT, check=False).returncode
    except KeyboardInterrupt:
        return
    if code not in (0, -2, 130):
        raise UserError(f"The Dagster servers ended with exit code {code}; the lines above say why.")


def import_files(settings: Settings, files: Sequence[Path], declaration: Declaration, say: Say) -> bool:
    """Deliver files and take them in now, in one run; False if one of them was set aside."""
    from hotspot_assets.definitions import build_definitions

    landed = [deliver(path, settings.landing) for path in files]
    if write_first_settings(settings, landed):
        settings = load_settings()
        say(f"wrote {settings.from_file} for this place: look at it, above all at the time zone")
    first, last = declaration.complete_for or ("", "")
    config = {
        "files": [path.name for path in landed],
        "history": declaration.history,
        "complete_from": str(first),
        "complete_to": str(last),
        "closings_approved": declaration.closings_approved,
        "published_at": declaration.published_at.isoformat() if declaration.published_at else "",
    }
    result = run_job(
        settings,
        build_definitions(settings),
        INTAKE_JOB,
        config={"ops": {"take_in_deliveries": {"config": config}}},
    )
    taken = _metadata(result, "deliveries")
    say(str(taken["files"].value))
    say(f"run {result.run_id}")
    return taken["files_set_aside"].value == 0


def _metadata(result: dg.ExecuteInProcessResult, asset: str) -> Mapping[str, Any]:
    """Metadata of an asset's last materialisation in a run."""
    events = result.asset_materializations_for_node("take_in_deliveries" if asset == "deliveries" else asset)
    return next(event.metadata for event in reversed(events) if event.asset_key == dg.AssetKey(asset))

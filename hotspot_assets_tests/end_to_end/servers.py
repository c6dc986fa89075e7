"""The real servers for a test: `hotspot serve` as a person starts it, asked over GraphQL, ended by its pid."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from hotspot_assets.settings import PROJECT_ROOT

T = TypeVar("T")
REPOSITORY = {"repositoryName": "__repository__", "repositoryLocationName": "hotspot_assets"}


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment_of(home: Path) -> dict[str, str]:
    """The environment of a command that works on this home, and on no other."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("HOTSPOT_", "DAGSTER_"))}
    return {**env, "HOTSPOT_HOME": str(home), "PYTHONWARNINGS": "ignore", "PYTHONUNBUFFERED": "1"}


def hotspot(home: Path, *arguments: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
    """Run the command on a home, as in a terminal."""
    command = [sys.executable, "-c", "from hotspot_assets.cli import main; main()", *arguments]
    return subprocess.run(
        command,
        cwd=PROJECT_ROOT,
        env=environment_of(home),
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def until(what: str, look: Callable[[], T | None], seconds: float, pause: float = 1.0) -> T:
    """What `look` finds; fails, saying what was waited for, when it finds nothing in time."""
    give_up = time.monotonic() + seconds
    while time.monotonic() < give_up:
        found = look()
        if found:
            return found
        time.sleep(pause)
    raise AssertionError(f"waited {seconds:.0f} s in vain for {what}")


@dataclass(frozen=True)
class Servers:
    """Webserver, daemon and code server of a home, at work."""

    home: Path
    url: str
    process: subprocess.Popen[bytes]
    log: Path

    def ask(self, query: str, **variables: Any) -> Any:
        """The data of a GraphQL query."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(f"{self.url}/graphql", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            found = json.load(answer)
        assert not found.get("errors"), found["errors"]
        return found["data"]

    def answers(self) -> bool:
        """Whether the code location is loaded and can be asked about."""
        assert self.process.poll() is None, self.log.read_text(encoding="utf-8")[-3000:]
        try:
            return bool(self.ask("{ assetNodes { assetKey { path } } }")["assetNodes"])
        except (OSError, urllib.error.URLError, AssertionError):
            return False

    def ticks(self, kind: str, name: str) -> list[dict[str, Any]]:
        """Ticks of a schedule or sensor at which it asked for runs, newest first."""
        query = f"""query ($selector: {kind.capitalize()}Selector!) {{
            {kind}OrError({kind}Selector: $selector) {{ ... on {kind.capitalize()} {{ {kind}State {{
                ticks(limit: 5, statuses: [SUCCESS]) {{ status timestamp runIds error {{ message }} }} }} }} }} }}"""
        found = self.ask(query, selector={**REPOSITORY, f"{kind}Name": name})
        return list(found[f"{kind}OrError"][f"{kind}State"]["ticks"])

    def run(self, run_id: str) -> dict[str, Any]:
        """A run's status, tags and what it materialised."""
        query = """query ($id: ID!) { runOrError(runId: $id) { ... on Run {
            status jobName tags { key value }
            assetMaterializations { partition assetKey { path } metadataEntries { label
                ... on IntMetadataEntry { intValue } ... on TextMetadataEntry { text }
                ... on MarkdownMetadataEntry { mdStr } } } } } }"""
        return dict(self.ask(query, id=run_id)["runOrError"])

    def finished(self, run_id: str, seconds: float) -> dict[str, Any]:
        """The run once it has ended."""

        def ended() -> dict[str, Any] | None:
            run = self.run(run_id)
            return run if run["status"] in {"SUCCESS", "FAILURE", "CANCELED"} else None

        return until(f"the end of run {run_id}", ended, seconds, pause=2.0)


@contextmanager
def serving(home: Path, log: Path) -> Iterator[Servers]:
    """Serve a home until the end of the block, then end it as Ctrl+C would."""
    port = free_port()
    command = [
        sys.executable,
        "-c",
        "from hotspot_assets.cli import main; main()",
        "serve",
        "--port",
        str(port),
    ]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=PROJECT_ROOT,
            env=environment_of(home),
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    servers = Servers(home, f"http://127.0.0.1:{port}", process, log)
    try:
        until("the servers to answer", servers.answers, 180)
        yield servers
    finally:
        end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """Ctrl+C for the processes of one terminal; what has not ended after 40 seconds is killed."""
    for sign, patience in ((signal.SIGINT, 40), (signal.SIGKILL, 10)):
        try:
            os.killpg(
                process.pid, sign
            )  # the session was made for this process: its group holds nothing else
        except ProcessLookupError:
            break
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            continue
        if sign is signal.SIGKILL or not _group_lives(process.pid, 20):
            break


def _group_lives(group: int, seconds: float) -> bool:
    give_up = time.monotonic() + seconds
    while time.monotonic() < give_up:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return False
        time.sleep(0.5)
    return True

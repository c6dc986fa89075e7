"""The real desk for a test: its server on a port of its own, in this process."""

from __future__ import annotations

import http.client
import json
import os
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn

from hotspot_assets.definitions import build_definitions
from hotspot_assets.defs.review_runs import ReviewRuns
from hotspot_assets.review_desk.app import Desk, make_app
from hotspot_assets.settings import Settings


@dataclass
class Answer:
    """What the server said."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


@dataclass
class Served:
    """A desk at work, and a plain client that can send it anything."""

    settings: Settings
    port: int

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def ask(self, method: str, path: str, body: str = "", **headers: str) -> Answer:
        """One request with exactly these headers (underscores are hyphens); Host is the desk's unless given."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in {"Host": self.host, **given}.items():
            connection.putheader(name, value)
        connection.putheader("Content-Length", str(len(body.encode())))
        connection.endheaders(body.encode())
        answer = connection.getresponse()
        return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read().decode())

    def own(self, page: str) -> dict[str, str]:
        """The headers with which the page itself sends."""
        (token,) = re.findall(r'data-token="([^"]+)"', page)
        return {
            "Origin": f"http://{self.host}", "Content_Type": "application/json", "X_Hotspot_Token": token
        }  # fmt: skip

    def send(self, shown: str, path: str, /, **body: Any) -> Answer:
        """An act, as the page that was shown sends it."""
        (number,) = re.findall(r'data-page="([^"]+)"', shown)
        act = {"page": number, "name": "A. Person", "role": "duty sergeant", **body}
        return self.ask("POST", path, json.dumps(act), **self.own(shown))


@contextmanager
def served(settings: Settings) -> Iterator[Served]:
    """Serve a home's desk until the end of the block."""
    before = os.environ.get("DAGSTER_HOME")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    desk = Desk(settings, ReviewRuns(settings, build_definitions(settings), "tester"))
    server = uvicorn.Server(uvicorn.Config(make_app(desk, port), port=port, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started and thread.is_alive():
            time.sleep(0.05)
        yield Served(settings, port)
    finally:
        server.should_exit = True
        thread.join(60)
        for each in threading.enumerate():
            if each.name == "sheets":
                each.join(120)
        desk.lake.close()
        os.environ.pop("DAGSTER_HOME", None)
        if before is not None:
            os.environ["DAGSTER_HOME"] = before


def decisions_on(page: str) -> list[dict[str, Any]]:
    """Approval of every open list of a page, as its script would send it."""
    found = re.findall(
        r'<article class="list open"[^>]* data-date="([^"]+)" data-shift="([^"]+)" data-unit="([^"]+)"'
        r' data-hash="([^"]+)" data-round="([^"]+)"',
        page,
    )
    return [
        {
            "date": date, "shift": shift, "unit": unit, "decision": "approve",
            "areas_seen": seen, "decisions_seen": int(number), "changes": [],
        }
        for date, shift, unit, seen, number in found
    ]  # fmt: skip

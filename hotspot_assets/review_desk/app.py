"""The web application: pages, acts, and what keeps other websites out.

It listens on 127.0.0.1 only. Reading needs the right Host header, so that no other site can pretend to be this
one (DNS rebinding); acting also needs the same Origin, JSON, and a token that stands only in the page. It does not
know who sits at the machine: names are recorded as declared, beside the account it runs under.
"""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from typing import TypeVar
from urllib.parse import urlsplit

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from hotspot_assets.defs.review_runs import Done, ReviewRuns
from hotspot_assets.errors import UserError
from hotspot_assets.patrol.review import ReviewError
from hotspot_assets.review_desk import acts
from hotspot_assets.review_desk.page import asset, desk_html, statistics_html
from hotspot_assets.settings import Settings
from hotspot_assets.warehouse.lake import Lake
from hotspot_assets.warehouse.review_reads import Place
from hotspot_assets.workflow.review_lists import ReviewLists

Act = TypeVar("Act", acts.Decide, acts.Issue, acts.Withdraw)

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
    " base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_SANDBOX = "sandbox allow-scripts allow-modals allow-popups"
"""For files of the outputs: their scripts may run, but not as this page."""
_LONGEST_BODY = 4_000_000
_PAGES_REMEMBERED = 1000


class Desk:
    """The state of the page: who has opened what since when, and one act at a time."""

    def __init__(self, settings: Settings, runs: ReviewRuns) -> None:
        self.settings, self.runs = settings, runs
        self.token = secrets.token_urlsafe(32)
        settings.outputs.mkdir(parents=True, exist_ok=True)
        self.lake = Lake(settings.warehouse, settings.data_path)
        self.lists = ReviewLists(self.lake, settings)
        self._opened: dict[str, datetime] = {}
        self._one_drawing = threading.Lock()

    def open_page(self) -> str:
        """Note that the lists are being looked at from now; the page's id."""
        page = secrets.token_urlsafe(16)
        self._opened[page] = datetime.now(UTC)
        while len(self._opened) > _PAGES_REMEMBERED:
            self._opened.pop(next(iter(self._opened)))
        return page

    def opened_at(self, page: str) -> str:
        """Since when a page is open. Raises ReviewError for one that this server did not serve."""
        if page not in self._opened:
            raise ReviewError("The page is older than this server; load it again.")
        return self._opened[page].isoformat()

    def act(self, work: Callable[[], Done]) -> Done:
        """Do something; the sheets follow by themselves."""
        done = work()
        threading.Thread(target=self._draw, name="sheets").start()
        return done

    def _draw(self) -> None:
        with self._one_drawing:
            self.runs.sheets()


def make_app(desk: Desk, port: int) -> Starlette:
    """The application, for this port of the loopback interface."""

    async def show(request: Request) -> Response:
        day = _date(request.query_params.get("date"))
        found = await run_in_threadpool(desk.lists.day, day)
        return HTMLResponse(desk_html(desk.settings, found, desk.token, desk.open_page()))

    async def statistics(request: Request) -> Response:
        return HTMLResponse(await run_in_threadpool(statistics_html, desk.lake, desk.settings))

    async def cells(request: Request) -> Response:
        asked = request.query_params
        day = _date(asked.get("date"))
        if day is None:
            raise ReviewError("Name a date.")
        place = Place(day, asked.get("shift", ""), asked.get("unit", ""))
        found = await run_in_threadpool(desk.lists.cells, place)
        shapes = [[each.id, each.path, each.x, each.y] for each in found.shapes]
        box = [found.left, found.top, found.width, found.height]
        return JSONResponse({"box": box, "outline": found.outline, "cells": shapes})

    async def decide(request: Request) -> Response:
        act = await _sent(request, acts.Decide)
        opened_at = desk.opened_at(act.page)
        return await _run(desk, lambda: desk.runs.decide(act.name, act.role, opened_at, act.configs()))

    async def issue(request: Request) -> Response:
        act = await _sent(request, acts.Issue)
        return await _run(desk, lambda: desk.runs.issue(act.name, act.reviews))

    async def withdraw(request: Request) -> Response:
        act = await _sent(request, acts.Withdraw)
        return await _run(desk, lambda: desk.runs.withdraw(act.name, act.issues, act.reason, act.text))

    async def script(request: Request) -> Response:
        return Response(asset("desk.js"), media_type="text/javascript")

    async def style(request: Request) -> Response:
        return Response(asset("desk.css"), media_type="text/css")

    files = StaticFiles(directory=desk.settings.outputs, check_dir=False, html=True)
    return Starlette(
        routes=[
            Route("/", show),
            Route("/statistics", statistics),
            Route("/cells", cells),
            Route("/desk.js", script),
            Route("/desk.css", style),
            Route("/decide", decide, methods=["POST"]),
            Route("/issue", issue, methods=["POST"]),
            Route("/withdraw", withdraw, methods=["POST"]),
            Mount("/outputs", files),
        ],
        middleware=[Middleware(BaseHTTPMiddleware, dispatch=_gate(desk.token, port))],
        exception_handlers={UserError: _refused, ValidationError: _malformed},
        max_body_size=_LONGEST_BODY,
    )


Next = Callable[[Request], Awaitable[Response]]


def _gate(token: str, port: int) -> Callable[[Request, Next], Awaitable[Response]]:
    """Let in only requests that name this server, and acts only from its own page."""
    hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}

    async def gate(request: Request, onwards: Next) -> Response:
        host = request.headers.get("host", "")
        if host not in hosts:
            return PlainTextResponse("This page is for this machine only.", status_code=421)
        if request.method not in ("GET", "HEAD") and not _is_own(request, host, token):
            return JSONResponse({"refused": "Not from this page; load it again."}, status_code=403)
        answer = await onwards(request)
        is_file = request.url.path.startswith("/outputs/")
        answer.headers["Content-Security-Policy"] = _SANDBOX if is_file else _POLICY
        answer.headers["X-Content-Type-Options"] = "nosniff"
        answer.headers["Referrer-Policy"] = "same-origin"
        answer.headers["X-Frame-Options"] = "DENY"
        answer.headers["Cache-Control"] = "no-store"
        return answer

    return gate


def _is_own(request: Request, host: str, token: str) -> bool:
    origin = urlsplit(request.headers.get("origin", ""))
    given = request.headers.get("x-hotspot-token", "")
    return (
        origin.scheme == "http"
        and origin.netloc == host
        and request.headers.get("content-type", "").split(";")[0].strip() == "application/json"
        and secrets.compare_digest(given.encode(), token.encode())
    )


def _date(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise ReviewError(f"{text!r} is no date; write it as 2026-01-31.") from error


async def _sent(request: Request, kind: type[Act]) -> Act:
    return kind.model_validate_json(await request.body())


async def _run(desk: Desk, work: Callable[[], Done]) -> Response:
    done = await run_in_threadpool(desk.act, work)
    return JSONResponse({"run": done.run_id, "kept": done.kept, "refused": list(done.refused)})


async def _refused(request: Request, error: Exception) -> Response:
    if request.method == "POST":
        return JSONResponse({"refused": str(error)}, status_code=409)
    return PlainTextResponse(str(error), status_code=404)


async def _malformed(request: Request, error: Exception) -> Response:
    assert isinstance(error, ValidationError)
    faults = json.loads(error.json(include_url=False, include_input=False))
    said = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in faults[:3])
    return JSONResponse({"refused": f"That cannot be read: {said}."}, status_code=400)

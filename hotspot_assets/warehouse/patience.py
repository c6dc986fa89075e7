"""Waiting for a busy catalog.

Belongs here: which errors of DuckDB and DuckLake mean "another writer was there first", and the back-off.
A SQLite catalog reports a writer at COMMIT as "database is locked", which DuckLake does not repeat itself.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

import duckdb

from hotspot_assets.errors import UserError

T = TypeVar("T")

_SIGNS = (
    "conflict",
    "database is locked",
    "could not serialize",
    "failed to commit ducklake transaction",
    'table with name "schema_versions" already exists',  # two processes made the same new lake
)
_NO_USE_TO_WAIT = ("disk is full", "disk i/o error", "readonly database", "no space left")
_PATIENCE_SECONDS = 60.0
_LONGEST_WAIT_SECONDS = 1.0


class LakeBusy(UserError):
    """Other writers held the catalog for too long; nothing was written."""


class LakeUnwritable(UserError):
    """The disk that the lake lies on takes nothing more; nothing was written."""


def patiently(work: Callable[[int], T], what: str) -> T:
    """Run `work(attempt)` until it is not disturbed by another writer, for at most a minute.

    `work` must leave nothing behind when it raises: it is run again as a whole.
    """
    give_up = time.monotonic() + _PATIENCE_SECONDS
    attempt = 1
    while True:
        try:
            return work(attempt)
        except duckdb.Error as error:
            said = str(error).lower()
            if any(sign in said for sign in _NO_USE_TO_WAIT):
                raise LakeUnwritable(
                    f"{what}: nothing was written, as the disk of the lake is full, damaged or read-only ({error});"
                    " make room or mend it, then run again."
                ) from error
            if not any(sign in said for sign in _SIGNS):
                raise
            if time.monotonic() > give_up:
                raise LakeBusy(
                    f"{what}: other writers kept the lake busy; nothing was done, try again."
                ) from error
        time.sleep(random.uniform(0, min(_LONGEST_WAIT_SECONDS, 0.02 * 2**attempt)))
        attempt += 1

"""Measuring: works run in turn, ratios of the same round, peaks of processes of their own.

Belongs here: clocks, processes, the description of the machine. Not here: what is measured.
"""

from __future__ import annotations

import gc
import os
import platform
import resource
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import duckdb

_WARM_SECONDS = 0.2


@dataclass(frozen=True)
class Timing:
    """What one run of a work took: by the wall clock, and of the processors, ended child processes included."""

    seconds: float
    cpu_seconds: float


@dataclass(frozen=True)
class Spent:
    """What a process of its own returned, and the most memory it held."""

    result: Any
    peak_gb: float


@dataclass(frozen=True)
class Comparison:
    """One line of the table.

    Attributes
    ----------
    ratio
        What the sentence in `what` says, as a number; None where there is only a figure.
    target
        Bound of the ratio, as in "<= 5" or ">= 20"; empty: none was set.
    measured_on
        Day, as text; empty until the line is written down.
    """

    row: str
    what: str
    ratio: float | None
    target: str = ""
    facts: str = ""
    measured_on: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the bound is kept; None where none was set."""
        if not self.target or self.ratio is None:
            return None
        sign, bound = self.target.split()
        return self.ratio <= float(bound) if sign == "<=" else self.ratio >= float(bound)


def timed(work: Callable[[], object], *, warm: bool = False) -> Timing:
    """Run a work once.

    `warm`: once before, so that it does not find the processor's caches full of another's things, and then again and
    again for `_WARM_SECONDS`, as a few milliseconds cannot be measured once; the mean.
    """
    gc.collect()
    if warm:
        work()
    runs, before, start = 0, os.times(), time.perf_counter()
    while runs == 0 or (warm and time.perf_counter() - start < _WARM_SECONDS):
        work()
        runs += 1
    seconds, after = time.perf_counter() - start, os.times()
    return Timing(seconds / runs, (sum(after[:4]) - sum(before[:4])) / runs)


def in_turn(
    works: Mapping[str, Callable[[], object]], rounds: int, *, warm: bool = False
) -> dict[str, list[Timing]]:
    """Run each work once a round, so that what else the machine does hits all of them alike.

    `warm`: see `timed`.
    """
    timings: dict[str, list[Timing]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            timings[name].append(timed(work, warm=warm))
    return timings


def ratio(these: Sequence[Timing], those: Sequence[Timing]) -> float:
    """Median over the rounds of this time by that time."""
    pairs = zip(these, those, strict=True)
    return statistics.median(this.seconds / that.seconds for this, that in pairs)


def median_seconds(timings: Sequence[Timing]) -> float:
    """Median time by the wall clock."""
    return statistics.median(timing.seconds for timing in timings)


def median_cpu(timings: Sequence[Timing]) -> float:
    """Median time of the processors."""
    return statistics.median(timing.cpu_seconds for timing in timings)


def connected(database: str = ":memory:") -> duckdb.DuckDBPyConnection:
    """A bare DuckDB, as it comes but for the bars it draws."""
    connection = duckdb.connect(database)
    connection.execute("SET enable_progress_bar = false")
    return connection


def alone(function: Callable[..., Any], *arguments: Any) -> Spent:
    """Run a module's function in a new process, so that its peak of memory is its own."""
    context = get_context("spawn")
    mine, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_send, args=(theirs, function, arguments))
    process.start()
    theirs.close()
    try:
        return Spent(*mine.recv())
    except EOFError as error:
        raise RuntimeError(f"the process of {function.__name__} ended without a result") from error
    finally:
        process.join()


def _send(pipe: Connection, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    pipe.send((function(*arguments), _peak_gb()))


def _peak_gb() -> float:
    """The most memory this process held. On Linux `ru_maxrss` would include what the parent held when it forked."""
    if sys.platform == "linux":
        status = Path("/proc/self/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e9 if sys.platform == "darwin" else 1e6)


def machine() -> str:
    """The machine and what else it was doing, in a line."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return (
        f"{os.cpu_count()} cores ({platform.machine()}), {memory:.0f} GB, {platform.system()}, Python"
        f" {platform.python_version()}; load over 1, 5 and 15 minutes at the start: {load}"
    )

"""Pieces of a long work done side by side, one process a core.

Belongs here: the processes. Not here: the work, which must be a function of a module with arguments that can be sent
(a lake is sent as its address), and must not depend on which process does it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Protocol, TypeVar

T = TypeVar("T")
Made = TypeVar("Made")

_WORTH_PROCESSES = 4
"""Pieces from which on the start of further processes pays."""
_MOST_PROCESSES = 61
"""Windows waits for no more."""


class Each(Protocol):
    """`map`, wherever it works: results in the order of the pieces."""

    def __call__(self, work: Callable[[T], Made], pieces: Iterable[T], /) -> Iterator[Made]:
        """What the work makes of each piece."""


@contextmanager
def side_by_side(pieces: int) -> Iterator[Each]:
    """A `map` over processes, no use of which has more pieces; in this process where that is quicker."""
    processes = min(os.cpu_count() or 1, pieces, _MOST_PROCESSES)
    if processes == 1 or pieces < _WORTH_PROCESSES:
        yield map
        return
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        yield pool.map

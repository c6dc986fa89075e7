"""Working ahead and in threads: more than one piece is made at a time.

Belongs here: one iterator run in a thread of its own, one function over several items. Not here: what they make.
Reading, judging and keeping a file's rows spend their time outside Python, and so do reading, scoring, ranking and
writing a range of days, so they overlap where there is more than one core; the order, and with it every result, stays
the same.
"""

from __future__ import annotations

import gc
import os
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from functools import cache
from threading import get_ident
from typing import TypeVar

S = TypeVar("S")
T = TypeVar("T")


def ahead(items: Iterator[T], depth: int = 1) -> Iterator[T]:
    """The same items in the same order, up to `depth` made ahead; an error is raised where its item would have stood.

    Items that are made several at a time need as much depth, or one side would wait while the other works.
    """
    made = _next_of(items)  # by the caller: there is nothing yet that it could go on beside
    if not made:
        return
    with _thread_for(getattr(items, "__qualname__", "")) as maker:
        following = deque(maker.submit(_next_of, items) for _ in range(depth))
        try:
            while made:
                yield made[0]
                made = following.popleft().result()
                following.append(maker.submit(_next_of, items))
        finally:
            begun = [future for future in following if not future.cancel()]
            if get_ident() not in _collecting:  # else what is waited for may wait for this very thread
                wait(begun)


_collecting: set[int] = set()
"""Threads in which the garbage collector is at work, which may end an iterator that was left in a traceback."""


def _note_collection(phase: str, _: Mapping[str, int]) -> None:
    (_collecting.add if phase == "start" else _collecting.discard)(get_ident())


gc.callbacks.append(_note_collection)

_made: list[ThreadPoolExecutor] = []
"""All threads, held for ever: one that was collected with its iterator would come back in `finally`, and stand still."""

_idle: defaultdict[tuple[int, str], list[ThreadPoolExecutor]] = defaultdict(list)
"""Threads that are kept for the next items of a kind, by process, as a forked one has none of its parent's."""


@contextmanager
def _thread_for(kind: str) -> Iterator[ThreadPoolExecutor]:
    """A thread for nobody else, used for items of this kind before if there is one.

    The C library keeps what a thread has freed for that thread. Threads that make now this and now that would each
    come to hold as much as the largest needs: a fifth of the memory of a year.
    """
    idle = _idle[os.getpid(), kind]
    thread = idle.pop() if idle else _new_thread()
    try:
        yield thread
    finally:
        idle.append(thread)


def _new_thread() -> ThreadPoolExecutor:
    thread = ThreadPoolExecutor(1)
    _made.append(thread)
    return thread


def in_threads(function: Callable[[S], T], items: Sequence[S]) -> list[T]:
    """The function of each item, in order, several at a time; an error is raised once no thread works any more.

    Whoever asks works too: handing each item to another thread takes as long as small items do.
    """
    made: dict[int, T] = {}
    waiting = iter(range(len(items)))  # threads take numbers from it one at a time

    def work() -> None:
        for number in waiting:
            made[number] = function(items[number])

    helpers = min(os.cpu_count() or 1, len(items)) - 1
    others = [_workers(os.getpid()).submit(work) for _ in range(helpers)]
    try:
        work()
    finally:
        begun = [other for other in others if not other.cancel()]
        wait(begun)
    for other in begun:
        other.result()
    return [made[number] for number in range(len(items))]


@cache
def _workers(_process: int) -> ThreadPoolExecutor:
    """Threads that are kept, as new ones take memory anew; a forked process has none of its parent's."""
    return ThreadPoolExecutor(os.cpu_count())


def _next_of(items: Iterator[T]) -> tuple[T] | None:
    """The next item in a tuple, as a future may not carry StopIteration; None at the end."""
    for item in items:
        return (item,)
    return None

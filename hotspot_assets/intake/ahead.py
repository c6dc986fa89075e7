"""Working ahead: the next piece is made while the last one is still in use.

Belongs here: one iterator run in a thread of its own. Not here: what it makes. Reading, judging and keeping a
file's rows spend their time outside Python, and so do reading, scoring, ranking and writing a range of days, so they
overlap where there is more than one core; the order, and with it every result, stays the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def ahead(items: Iterator[T]) -> Iterator[T]:
    """The same items in the same order, one made ahead; an error is raised where its item would have stood."""
    with ThreadPoolExecutor(1) as maker:
        following = maker.submit(_next_of, items)
        while made := following.result():
            following = maker.submit(_next_of, items)
            yield made[0]


def _next_of(items: Iterator[T]) -> tuple[T] | None:
    """The next item in a tuple, as a future may not carry StopIteration; None at the end."""
    for item in items:
        return (item,)
    return None

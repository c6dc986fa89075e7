"""Working ahead: the next pieces are made while the last one is still in use.

Belongs here: one iterator run in a thread of its own. Not here: what it makes. Reading, judging and keeping a
file's rows spend their time outside Python, and so do reading, scoring, ranking and writing a range of days, so they
overlap where there is more than one core; the order, and with it every result, stays the same.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def ahead(items: Iterator[T], depth: int = 1) -> Iterator[T]:
    """The same items in the same order, up to `depth` made ahead; an error is raised where its item would have stood.

    Items that are made several at a time need as much depth, or one side would wait while the other works.
    """
    made = _next_of(items)  # by the caller: there is nothing yet that it could go on beside
    with ThreadPoolExecutor(1) as maker:
        following = deque(maker.submit(_next_of, items) for _ in range(depth if made else 0))
        try:
            while made:
                yield made[0]
                made = following.popleft().result()
                following.append(maker.submit(_next_of, items))
        finally:
            maker.shutdown(cancel_futures=True)


def _next_of(items: Iterator[T]) -> tuple[T] | None:
    """The next item in a tuple, as a future may not carry StopIteration; None at the end."""
    for item in items:
        return (item,)
    return None

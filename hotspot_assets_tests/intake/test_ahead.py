from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from hotspot_assets.intake.ahead import ahead


def test_the_next_item_is_made_while_one_is_in_use() -> None:
    made = [threading.Event(), threading.Event()]

    def items() -> Iterator[int]:
        for number, event in enumerate(made):
            event.set()
            yield number

    for number in ahead(items()):
        if number == 0:
            assert made[1].wait(timeout=30)


def test_as_many_are_made_ahead_as_asked_for_and_no_more() -> None:
    made: list[int] = []
    reached = threading.Event()

    def items() -> Iterator[int]:
        for number in range(10):
            made.append(number)
            if number == 3:
                reached.set()
            yield number

    working = ahead(items(), 3)
    assert next(working) == 0
    assert reached.wait(timeout=30)
    assert made == [0, 1, 2, 3]
    assert list(working) == list(range(1, 10))


def test_order_is_kept_and_an_empty_iterator_stays_empty() -> None:
    assert list(ahead(iter(range(100)))) == list(range(100))
    assert list(ahead(iter([]))) == []
    assert list(ahead(iter([None, 0, ()]))) == [None, 0, ()]
    assert list(ahead(iter(range(100)), 8)) == list(range(100))
    assert list(ahead(iter([1]), 8)) == [1]


@pytest.mark.parametrize("depth", [1, 2, 8])
def test_an_error_is_raised_where_its_item_would_have_stood(depth: int) -> None:
    def items() -> Iterator[int]:
        yield 1
        yield 2
        raise OSError("the disk is gone")

    seen = []
    with pytest.raises(OSError, match="the disk is gone"):
        for item in ahead(items(), depth):
            seen.append(item)
    assert seen == [1, 2]


def test_leaving_early_leaves_no_thread_behind() -> None:
    before = threading.active_count()
    working = ahead(iter(range(100)), 3)
    assert next(working) == 0
    working.close()  # type: ignore[attr-defined]
    assert threading.active_count() == before

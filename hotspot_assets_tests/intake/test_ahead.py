from __future__ import annotations

import gc
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from hotspot_assets.intake.ahead import ahead, in_threads


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


def test_leaving_early_ends_the_work_and_leaves_the_thread_to_the_next() -> None:
    made: list[str] = []

    def items() -> Iterator[int]:
        for number in range(100):
            made.append(threading.current_thread().name)
            yield number

    for _ in range(20):
        working = ahead(items(), 3)
        assert next(working) == 0
        working.close()  # type: ignore[attr-defined]
        there = len(made)
        time.sleep(0.001)
        assert len(made) == there
    assert len(set(made) - {threading.current_thread().name}) <= 1


def test_iterators_at_the_same_time_have_a_thread_each() -> None:
    """Of one kind, each inside the other: were the thread shared, neither would end."""

    def count(depth: int) -> Iterator[int]:
        yield from ahead(count(depth - 1)) if depth else iter(range(20))

    assert list(ahead(count(3))) == list(range(20))


def abandoned(items: Iterator[int]) -> None:
    """Take one item and leave the rest to the garbage collector, as a traceback that is kept does."""
    held: dict[str, object] = {"items": ahead(items)}
    next(held["items"])  # type: ignore[call-overload]
    held["itself"] = held


def ends(work: Callable[[], object], within_s: float = 20) -> bool:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(within_s)
    return not thread.is_alive()


def test_a_thread_works_on_after_its_iterator_was_collected() -> None:
    def items() -> Iterator[int]:
        yield from range(5)

    for _ in range(3):
        abandoned(items())
        gc.collect()
        assert ends(lambda: list(ahead(items())))


def test_a_thread_that_collects_its_own_iterator_does_not_wait_for_itself() -> None:
    left, collected = threading.Event(), threading.Event()

    def items() -> Iterator[int]:
        yield 0
        assert left.wait(30)
        gc.collect()
        collected.set()
        yield 1

    abandoned(items())
    left.set()
    assert collected.wait(20)
    assert ends(lambda: list(ahead(items())))


def test_threads_keep_the_order_and_raise_what_is_raised() -> None:
    assert in_threads(str, range(100)) == [str(number) for number in range(100)]
    assert in_threads(str, []) == []
    with pytest.raises(ZeroDivisionError):
        in_threads(lambda number: 1 / number, [1, 0, 2])
    assert in_threads(abs, [-1]) == [1]  # an error leaves them working


@pytest.mark.skipif(os.cpu_count() == 1, reason="on one core one thread is enough")
def test_several_are_made_at_a_time() -> None:
    both = threading.Barrier(2, timeout=20)
    in_threads(lambda _: both.wait(), range(2))


def test_what_is_made_in_threads_may_be_made_of_more_in_threads() -> None:
    """As many as there are threads ask for more at once: nobody waits for one who waits."""
    many = range(2 * (os.cpu_count() or 1))
    assert ends(lambda: in_threads(lambda _: sum(in_threads(abs, many)), many))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="only where processes can be forked")
def test_a_forked_process_has_threads_of_its_own() -> None:
    in_threads(abs, [1, 2])
    child = os.fork()
    if child == 0:
        os._exit(0 if in_threads(abs, [-1, -2]) == [1, 2] else 1)
    assert _exit_code(child, within_s=30) == 0


def _exit_code(child: int, within_s: float) -> int:
    """How a child ended; it is killed if it does not."""
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

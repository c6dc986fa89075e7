"""Which errors of the catalog are worth waiting for."""

from __future__ import annotations

import time

import duckdb
import pytest

from hotspot_assets.warehouse.patience import LakeUnwritable, patiently


@pytest.mark.parametrize(
    "why", ["database or disk is full", "disk I/O error", "attempt to write a readonly database"]
)
def test_a_disk_that_takes_nothing_is_no_other_writer(why: str) -> None:
    """DuckLake words both alike: as a commit that failed."""

    def work(_: int) -> None:
        raise duckdb.TransactionException(
            f"TransactionContext Error: Failed to commit DuckLake transaction: {why}"
        )

    begun = time.monotonic()
    with pytest.raises(LakeUnwritable, match=f"scores: nothing was written.*{why}"):
        patiently(work, "scores")
    assert time.monotonic() - begun < 5


def test_another_writer_is_waited_for() -> None:
    def work(attempt: int) -> int:
        if attempt < 3:
            raise duckdb.TransactionException("Failed to commit DuckLake transaction: database is locked")
        return attempt

    assert patiently(work, "scores") == 3

from __future__ import annotations

import hashlib

import polars as pl

from hotspot_assets.intake.content import CONTENT, content_hash
from hotspot_assets_tests.intake.rows import accepted, row

XXH64_OF_A = 0xD24EC4F1A98C6E5B  # published test vector, seed 0
NOTHING = int.from_bytes(b"nothing!", "big")


def factor(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little") | 1


def test_hash_is_what_its_definition_says() -> None:
    """Stored hashes must mean the same after any upgrade: worked out here with whole numbers alone."""
    frame = accepted(row("k", offence_code="a", latitude=51.5, longitude=-0.1))
    found = frame.select(content_hash(["offence_code", "latitude", "longitude", "status"])).item()
    expected = (
        XXH64_OF_A * factor("offence_code")
        + 51_500_000 * factor("latitude")
        - 100_000 * factor("longitude")
        + NOTHING * factor("status")
    )
    assert found == expected % 2**64


def test_no_content_hashes_to_the_mark_of_a_waiting_reversal() -> None:
    assert accepted(row("k", latitude=0.0)).select(content_hash(["latitude"])).item() == 1


def test_swapped_columns_and_missing_values_tell_apart() -> None:
    frame = accepted(
        row("k", latitude=1.0, longitude=2.0),
        row("k", latitude=2.0, longitude=1.0),
        row("k", latitude=None, longitude=2.0),
        row("k", latitude=1.0, longitude=None),
        row("k", status=""),
        row("k", status=None),
    )
    assert frame.select(content_hash()).to_series().n_unique() == 6


def test_modified_at_and_line_are_no_content() -> None:
    assert not {"modified_at", "line", "incident_key", "source", "known_from"} & set(CONTENT)


def test_hashes_of_many_contents_do_not_meet() -> None:
    grid = pl.DataFrame({"latitude": range(300)}).join(pl.DataFrame({"longitude": range(300)}), how="cross")
    degrees = grid.select(pl.col("latitude", "longitude") / 1_000_000)
    assert degrees.select(content_hash(["latitude", "longitude"])).to_series().n_unique() == 90_000

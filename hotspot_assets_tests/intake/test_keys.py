"""Incident keys against Python's own HMAC, and occurrence numbers against a plain count."""

from __future__ import annotations

import hashlib
import hmac
from collections import Counter

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from hotspot_assets.intake.keys import OccurrenceNumbers, content_references, incident_keys

SECRET = b"0123456789abcdef"


@given(st.lists(st.text(min_size=1), min_size=1, max_size=5))
def test_keys_are_hmac_sha256(references: list[str]) -> None:
    keys = incident_keys(pl.Series(references, dtype=pl.String), "force", SECRET).to_list()
    assert keys == [
        hmac.new(SECRET, f"force\x1f{each}".encode(), hashlib.sha256).hexdigest()[:32] for each in references
    ]


def test_keys_tell_sources_and_secrets_apart() -> None:
    one = pl.Series(["A1"])
    keys = {
        incident_keys(one, source, secret)[0] for source in ("a", "b") for secret in (SECRET, SECRET[::-1])
    }
    assert len(keys) == 4


@given(st.lists(st.lists(st.sampled_from("abc"), max_size=8), max_size=5))
def test_occurrence_numbers_go_on_over_the_pieces_of_a_file(pieces: list[list[str]]) -> None:
    numbers, seen = OccurrenceNumbers(), Counter[str]()
    for piece in pieces:
        expected = []
        for said in piece:
            expected.append(seen[said])
            seen[said] += 1
        assert numbers.number(pl.Series(piece, dtype=pl.String)).to_list() == expected


def test_a_reversal_is_keyed_like_what_it_takes_back() -> None:
    rows = pl.DataFrame({"a": ["x", "x", "x", None], "reversal": ["false", "false", "true", "false"]})
    made = content_references(rows, ("a",), OccurrenceNumbers()).to_list()
    assert made == ["x#0", "x#1", "x#0", "#0"]

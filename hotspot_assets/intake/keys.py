"""Incident keys: keyed hashes of crime references, and of what a row says where it has none.

Belongs here: how a row gets its key. Not here: where the secret lives (settings).
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
import polars_hash as plh

KEY_DIGITS = 32
SEPARATOR = "\x1f"


def incident_keys(references: pl.Series, source: str, secret: bytes) -> pl.Series:
    """First 32 hexadecimal digits of HMAC-SHA256(secret, source + 0x1f + reference)."""
    said = pl.DataFrame({"said": references}).select(pl.lit(source + SEPARATOR) + pl.col("said"))
    keys = said.select(plh.col("literal").chash.hmac_sha256(key=secret.decode("ascii")))
    return keys.to_series().str.slice(0, KEY_DIGITS).alias("incident_key")


class OccurrenceNumbers:
    """How often a file has said the same thing before, over all its pieces."""

    def __init__(self) -> None:
        self._seen = pl.DataFrame(schema={"said": pl.UInt64(), "seen": pl.Int64()})

    def number(self, said: pl.Series) -> pl.Series:
        """0 for what is said for the first time, then 1, ..."""
        digests = said.to_frame("said").select(plh.col("said").nchash.xxhash64())
        numbered = digests.join(self._seen, on="said", how="left", maintain_order="left").select(
            number=pl.int_range(pl.len()).over("said") + pl.col("seen").fill_null(0)
        )
        counts = pl.concat([self._seen, digests.group_by("said").agg(seen=pl.len().cast(pl.Int64))])
        self._seen = counts.group_by("said").agg(pl.col("seen").sum())
        return numbered["number"]


def content_references(rows: pl.DataFrame, fields: Sequence[str], numbers: OccurrenceNumbers) -> pl.Series:
    """References made of what rows say and how often it was said before; reversals are counted apart."""
    content = pl.concat_str([pl.col(name).fill_null("") for name in fields], separator=SEPARATOR)
    said = rows.select(content=content, said=pl.concat_str(content, "reversal", separator=SEPARATOR))
    number = numbers.number(said["said"])
    return said.select(pl.concat_str("content", number.cast(pl.String), separator="#")).to_series()

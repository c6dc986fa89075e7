"""Detectors of what identifies people: in column names, and in values.

Belongs here: recognising kinds of data. Not here: what follows from it (`contract`).
"""

from __future__ import annotations

from datetime import datetime

import polars as pl


def forbidden_header(name: str) -> str | None:
    """The kind of personal data a column name speaks of, or None."""
    return None


def forbidden_value(values: pl.Series, now: datetime) -> str | None:
    """The kind of personal data the values look like, or None."""
    return None

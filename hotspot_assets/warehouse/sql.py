"""A read-only window for people who know SQL.

Belongs here: running one query on the lake, with nothing but reading possible. Not here: any query that the
software itself needs.
"""

from __future__ import annotations

import duckdb
import polars as pl

from hotspot_assets.errors import UserError
from hotspot_assets.settings import Settings
from hotspot_assets.warehouse.lake import Lake, statement_is_a_query


class QueryError(UserError):
    """A query that cannot be run."""


def query(settings: Settings, text: str, version: int | None = None) -> pl.DataFrame:
    """Rows of one SELECT on the lake, now or as of a snapshot.

    Raises
    ------
    QueryError
        When it is not a single query, or DuckDB refuses it.
    """
    if not statement_is_a_query(text):
        raise QueryError("Only one SELECT is run here; the lake is written by Dagster's runs alone.")
    lake = Lake(settings.warehouse, settings.data_path, read_only=True, version=version)
    try:
        return lake.read(text)
    except duckdb.Error as error:
        raise QueryError(f"The query failed: {error}") from error
    finally:
        lake.close()

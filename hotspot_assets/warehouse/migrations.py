"""Making the schema, and moving an older one forward.

Belongs here: the numbered steps from each version of the schema to the next, and the table that records
them. A new lake gets today's dictionary at once; an older one takes the steps it lacks, in order, in one
transaction. Steps only ever add: a released step is never edited.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import duckdb

from hotspot_assets.errors import UserError
from hotspot_assets.warehouse.table import Table, sql_type
from hotspot_assets.warehouse.tables import TABLES


class SchemaTooNew(UserError):
    """The lake was written by a later version of this software."""


@dataclass(frozen=True)
class Migration:
    """One step: from version `version - 1` to `version`."""

    version: int
    description: str
    apply: Callable[[duckdb.DuckDBPyConnection], None]


class Executes(Protocol):
    """What runs a statement: a cursor or an open transaction."""

    def execute(self, statement: str, /) -> object:
        """Run one statement."""


def create_table(cursor: Executes, table: Table) -> None:
    """Create a table of the dictionary with its comments and layout."""
    columns = ", ".join(
        f"{name} {sql_type(column.dtype)}{'' if column.nullable else ' NOT NULL'}"
        for name, column in table.schema.columns().items()
    )
    cursor.execute(f"CREATE TABLE {table.name} ({columns})")
    cursor.execute(f"COMMENT ON TABLE {table.name} IS '{_escaped(table.meaning)}'")
    for name, column in table.schema.columns().items():
        cursor.execute(f"COMMENT ON COLUMN {table.name}.{name} IS '{_escaped(column.description or '')}'")


def _escaped(text: str) -> str:
    return text.replace("'", "''")


def _create_everything(cursor: duckdb.DuckDBPyConnection) -> None:
    for table in TABLES.values():
        create_table(cursor, table)
    for name in TABLES:
        cursor.execute("INSERT INTO write_locks VALUES (?, 0, 0)", [name])
    _choose_encoding(cursor)


def _choose_encoding(cursor: duckdb.DuckDBPyConnection) -> None:
    """Parquet's second encoding: a third smaller for scores and ranks, and no slower to write or read."""
    cursor.execute("CALL lake.set_option('parquet_version', 2)")


def _add(*names: str) -> Callable[[duckdb.DuckDBPyConnection], None]:
    """A step that adds tables with their lock rows."""

    def apply(cursor: duckdb.DuckDBPyConnection) -> None:
        for name in names:
            create_table(cursor, TABLES[name])
            cursor.execute("INSERT INTO write_locks VALUES (?, 0, 0)", [name])

    return apply


def _widen_patrol_areas(cursor: duckdb.DuckDBPyConnection) -> None:
    """Areas chosen before had one shift, two visits of 15 minutes, and the default cut-off on the day itself."""
    for column, kind, value in (
        ("shift_share", "DOUBLE", "1.0"),
        ("minutes", "INTEGER", "30"),
        ("begins_before_cut_off", "BOOLEAN", "true"),
    ):
        cursor.execute(f"ALTER TABLE patrol_areas ADD COLUMN {column} {kind}")
        cursor.execute(f"UPDATE patrol_areas SET {column} = {value}")


def _mark_edges(cursor: duckdb.DuckDBPyConnection) -> None:
    """Cells written before were not looked at."""
    cursor.execute("ALTER TABLE cells ADD COLUMN at_edge BOOLEAN")


def _count_more_of_deliveries(cursor: duckdb.DuckDBPyConnection) -> None:
    """Deliveries taken in before did not count these."""
    for column in ("incidents_excluded", "rows_outdated", "reversals_matched_late"):
        cursor.execute(f"ALTER TABLE deliveries ADD COLUMN {column} BIGINT")
        cursor.execute(f"UPDATE deliveries SET {column} = 0")


def _lay_out_in_one_stream(cursor: duckdb.DuckDBPyConnection) -> None:
    """Files written from now on hold days in order, in one stream; those already written stay as they are."""
    for name in ("hexagon_incidents", "proximity_scores"):
        cursor.execute(f"ALTER TABLE {name} RESET PARTITIONED BY")
    _choose_encoding(cursor)


def _enter_settings(cursor: duckdb.DuckDBPyConnection) -> None:
    """Entries made before take the setting of the version they enter, or take back."""
    cursor.execute("ALTER TABLE hexagon_incidents ADD COLUMN setting VARCHAR")
    cursor.execute("UPDATE hexagon_incidents SET setting = 'unknown'")
    cursor.execute("""
        UPDATE hexagon_incidents SET setting = known.setting FROM (
            SELECT h.incident_key, h.delivery_seq, h.back, arg_max(i.setting, i.delivery_seq) AS setting
            FROM (SELECT DISTINCT incident_key, delivery_seq, weight < 0 AS back FROM hexagon_incidents) h
            JOIN incidents i USING (incident_key)
            WHERE i.delivery_seq < h.delivery_seq OR (i.delivery_seq = h.delivery_seq AND NOT h.back)
            GROUP BY ALL) known
        WHERE hexagon_incidents.incident_key = known.incident_key
            AND hexagon_incidents.delivery_seq = known.delivery_seq AND (hexagon_incidents.weight < 0) = known.back
    """)


MIGRATIONS: tuple[Migration, ...] = (
    Migration(1, "the tables as first released", _create_everything),
    Migration(2, "forecasts that rest on erased incidents", _add("unreplayable_forecasts")),
    Migration(3, "patrol areas by shift", _widen_patrol_areas),
    Migration(
        4,
        "review and issue",
        _add("reviews", "review_changes", "reviewed_areas", "issued_patrol_areas", "withdrawals"),
    ),
    Migration(5, "large tables without partitions, smaller Parquet", _lay_out_in_one_stream),
    Migration(6, "looks at trials, and who decided on the model", _add("looks", "champion_decisions")),
    Migration(7, "explanations of the cells inside patrol areas", _add("explanations")),
    Migration(8, "cells at the edge of their study area", _mark_edges),
    Migration(9, "more counts of a delivery", _count_more_of_deliveries),
    Migration(10, "visits and dosage", _add("visit_files", "visits", "patrol_dosage")),
    Migration(11, "the setting of what happened in each cell", _enter_settings),
    Migration(12, "what study areas were found from", _add("study_area_bases")),
)
CURRENT = MIGRATIONS[-1].version


def _version(cursor: duckdb.DuckDBPyConnection) -> int:
    try:
        row = cursor.execute("SELECT max(version) FROM lake.hotspot.schema_versions").fetchone()
    except duckdb.CatalogException:  # the lake is new; to look for the table among all of them takes longer
        return 0
    return int(row[0]) if row and row[0] is not None else 0


def migrate(connection: duckdb.DuckDBPyConnection) -> None:
    """Bring the attached lake to the current version; does nothing where it is there already.

    Raises
    ------
    SchemaTooNew
        When the lake is ahead of this software.
    """
    cursor = connection.cursor()
    try:
        found = _version(cursor)
        if found > CURRENT:
            raise SchemaTooNew(
                f"The lake has schema version {found}, this software knows {CURRENT}: install a newer version."
            )
        if found < CURRENT:
            _step_forward(cursor, found)
    finally:
        cursor.close()


def _step_forward(cursor: duckdb.DuckDBPyConnection, found: int) -> None:
    cursor.execute("BEGIN")
    try:
        if found == 0:
            cursor.execute("CREATE SCHEMA IF NOT EXISTS lake.hotspot")
            cursor.execute("USE lake.hotspot")
            cursor.execute(
                "CREATE TABLE schema_versions (version INTEGER NOT NULL, description VARCHAR NOT NULL)"
            )
            _create_everything(cursor)
        else:
            cursor.execute("USE lake.hotspot")
            for step in MIGRATIONS[found:]:
                step.apply(cursor)
        for step in MIGRATIONS[found:]:
            cursor.execute("INSERT INTO schema_versions VALUES (?, ?)", [step.version, step.description])
        cursor.execute("COMMIT")
    except BaseException:
        with contextlib.suppress(duckdb.Error):
            cursor.execute("ROLLBACK")
        raise

"""What every asset says of itself in the UI: columns, lineage, counts, snapshots.

Belongs here: turning the dictionary of tables and the results of `workflow` into Dagster metadata.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import dagster as dg

from hotspot_assets.warehouse.lake import Committed, Stamp
from hotspot_assets.warehouse.tables import TABLES

OWNER = "team:forecasting"
KINDS = {"polars", "duckdb"}


def column_schema(table: str) -> dg.TableSchema:
    """Columns of a table with types and meanings."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name=name,
                type=str(column.dtype),
                description=column.description,
                constraints=dg.TableColumnConstraints(nullable=column.nullable, unique=False),
            )
            for name, column in TABLES[table].schema.columns().items()
        ]
    )


def column_lineage(lineage: Mapping[str, Mapping[str, list[str]]]) -> dg.TableColumnLineage:
    """Column lineage from `{column: {upstream asset: [columns]}}`."""
    return dg.TableColumnLineage(
        deps_by_column={
            column: [
                dg.TableColumnDep(asset_key=dg.AssetKey(asset), column_name=name)
                for asset, names in sources.items()
                for name in names
            ]
            for column, sources in lineage.items()
        }
    )


def table_metadata(table: str) -> dict[str, Any]:
    """Definition metadata of a table asset."""
    return {
        "dagster/column_schema": column_schema(table),
        "dagster/column_lineage": column_lineage(LINEAGE.get(table, {})),
        "dagster/table_name": f"hotspot.{table}",
    }


def lineage_metadata(table: str) -> dict[str, Any]:
    """Column lineage for a materialisation: the UI draws it from the latest one, not from the definition."""
    return {"dagster/column_lineage": column_lineage(LINEAGE[table])}


def stamp_of(context: dg.AssetExecutionContext) -> Stamp:
    """Who writes in this run: the operator named by the run's tags, else the machine."""
    return Stamp(author=context.run.tags.get("user", "hotspot"), run_id=context.run.run_id)


def committed_metadata(committed: Committed[Any], rows: int) -> dict[str, Any]:
    """Facts about a write."""
    return {
        "dagster/row_count": rows,
        "snapshot_id": committed.snapshot_id,
        "attempts": committed.attempts,
    }


def picture(png: bytes, label: str) -> dg.MarkdownMetadataValue:
    """A PNG shown in the UI with no file to serve."""
    return dg.MetadataValue.md(f"![{label}](data:image/png;base64,{base64.b64encode(png).decode()})")


LINEAGE: dict[str, dict[str, dict[str, list[str]]]] = {
    "incidents": {"delivery_seq": {"deliveries": ["delivery_seq"]}, "source": {"deliveries": ["source"]}},
    "rejected_rows": {"delivery_seq": {"deliveries": ["delivery_seq"]}},
    "hexagon_incidents": {
        "day": {"incidents": ["occurred_from", "occurred_to", "time_precision"]},
        "cell": {"incidents": ["latitude", "longitude"]},
        "offence_group": {"incidents": ["offence_group"]},
        "setting": {"incidents": ["setting"]},
        "incident_key": {"incidents": ["incident_key"]},
        "delivery_seq": {"incidents": ["delivery_seq"]},
        "known_from": {"incidents": ["known_from"]},
        "weight": {"incidents": ["occurred_from", "occurred_to", "closed"]},
    },
    "study_areas": {"cells": {"hexagon_incidents": ["cell", "day", "known_from", "delivery_seq"]}},
    "fitted_models": {
        "artefact": {
            "hexagon_incidents": ["day", "cell", "offence_group", "setting", "weight", "known_from"],
            "study_areas": ["study_area_id"],
        }
    },
    "proximity_scores": {
        "offence_group": {"hexagon_incidents": ["offence_group"]},
        "cell": {"study_areas": ["study_area_id"]},
        "score": {
            "hexagon_incidents": [
                *("day", "cell", "offence_group", "setting", "weight", "known_from", "delivery_seq"),
            ],
            "fitted_models": ["artefact"],
        },
        "rank": {"hexagon_incidents": ["weight"], "fitted_models": ["artefact"]},
    },
    "patrol_areas": {
        "forecast_date": {"proximity_scores": ["forecast_date"]},
        "offence_group": {"proximity_scores": ["offence_group"]},
        "cells": {"proximity_scores": ["cell", "rank"]},
        "share": {"proximity_scores": ["score"]},
        "rank": {"proximity_scores": ["score", "rank"]},
    },
    "reviews": {
        "forecast_ids": {"patrol_areas": ["forecast_id"]},
        "model_hash": {"patrol_areas": ["area_id", "cells", "rank"]},
    },
    "issued_patrol_areas": {
        "review_id": {"reviews": ["review_id"]},
        "content_hash": {"reviews": ["human_hash"]},
        "expires_at": {"reviews": ["expires_at"]},
    },
    "withdrawals": {"issue_id": {"issued_patrol_areas": ["issue_id"]}},
    "patrol_dosage": {
        "area_id": {"patrol_areas": ["area_id"]},
        "planned_minutes": {"patrol_areas": ["minutes"]},
    },
    "forecast_outcomes": {
        "forecast_date": {"proximity_scores": ["forecast_date"]},
        "incidents": {"hexagon_incidents": ["weight", "day"]},
        "hits": {"hexagon_incidents": ["weight", "cell"], "proximity_scores": ["cell", "rank"]},
        "hit_rate": {"hexagon_incidents": ["weight"], "proximity_scores": ["rank"]},
        "log_score": {"hexagon_incidents": ["weight"], "proximity_scores": ["score"]},
    },
    "explanations": {
        "offence_group": {"patrol_areas": ["offence_group"]},
        "cell": {"patrol_areas": ["cells"]},
        "incident_key": {"hexagon_incidents": ["incident_key"]},
        "source_group": {"hexagon_incidents": ["offence_group"]},
        "day": {"hexagon_incidents": ["day"]},
        "contribution": {
            "hexagon_incidents": ["weight", "day", "cell", "known_from", "delivery_seq"],
            "fitted_models": ["artefact"],
            "proximity_scores": ["score"],
        },
    },
    "looks": {
        "outcomes_hash": {"hexagon_incidents": ["day", "cell", "offence_group", "weight", "known_from"]}
    },
}

"""A picture in JSON of everything Dagster is told: assets, checks, jobs, schedules, sensors.

`python -m hotspot_assets_tests.defs.snapshot` renews the committed picture; its diff is what
a reviewer reads.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import dagster as dg

from hotspot_assets.definitions import build_definitions
from hotspot_assets.settings import load_settings

PICTURE = Path(__file__).with_name("snapshot.json")


def default_definitions() -> dg.Definitions:
    """Definitions of a home with nothing but defaults."""
    return build_definitions(load_settings({"HOTSPOT_HOME": "/no/such/home"}))


def described(definitions: dg.Definitions) -> dict[str, Any]:
    """What an operator, a scheduler or an auditor could notice of the definitions."""
    graph = definitions.resolve_asset_graph()
    return {
        "assets": {
            key.to_user_string(): _asset(graph.get(key)) for key in sorted(graph.get_all_asset_keys())
        },
        "checks": {
            f"{key.asset_key.to_user_string()}.{key.name}": _check(graph.get_check_spec(key))
            for key in sorted(graph.asset_check_keys)
        },
        "jobs": {
            job.name: _job(definitions, job.name)
            for job in sorted(definitions.jobs or (), key=lambda each: each.name)
        },
        "schedules": {each.name: _schedule(each) for each in definitions.schedules or ()},
        "sensors": {each.name: _sensor(each) for each in definitions.sensors or ()},
    }


def _asset(node: Any) -> dict[str, Any]:
    columns, lineage = node.metadata.get("dagster/column_schema"), node.metadata.get("dagster/column_lineage")
    return {
        "group": node.group_name,
        "owners": sorted(node.owners or ()),
        "kinds": sorted(node.kinds),
        "pools": sorted(node.pools or ()),
        "partitions": _partitions(node.partitions_def),
        "backfill": _backfill(node.backfill_policy),
        "code_version": node.code_version,
        "deps": sorted(key.to_user_string() for key in node.parent_keys),
        "description": " ".join((node.description or "").split()),
        "table": node.metadata.get("dagster/table_name"),
        "columns": {each.name: _type(each) for each in columns.columns} if columns else {},
        "column_lineage": {
            column: sorted(f"{dep.asset_key.to_user_string()}.{dep.column_name}" for dep in deps)
            for column, deps in lineage.deps_by_column.items()
        } if lineage else {},
    }  # fmt: skip


def _type(column: dg.TableColumn) -> str:
    return f"{column.type}{' null' if column.constraints.nullable else ''}"


def _partitions(partitions: dg.PartitionsDefinition[Any] | None) -> str | None:
    if partitions is None:
        return None
    assert isinstance(partitions, dg.TimeWindowPartitionsDefinition)
    kind = type(partitions).__name__.removesuffix("PartitionsDefinition").lower()
    start, zone = partitions.start.strftime("%Y-%m-%d"), partitions.timezone
    return f"{kind} from {start} in {zone}, end offset {partitions.end_offset}"


def _backfill(policy: dg.BackfillPolicy | None) -> str | None:
    return None if policy is None else f"{policy.max_partitions_per_run} partitions a run"


def _check(spec: dg.AssetCheckSpec) -> dict[str, Any]:
    return {
        "description": spec.description,
        "partitions": _partitions(spec.partitions_def),
        "blocking": spec.blocking,
    }


def _job(definitions: dg.Definitions, name: str) -> dict[str, Any]:
    job = definitions.resolve_job_def(name)
    return {
        "assets": sorted(key.to_user_string() for key in job.asset_layer.executable_asset_keys),
        "partitions": _partitions(job.partitions_def),
        "description": job.description,
    }


def _schedule(schedule: Any) -> dict[str, Any]:
    return {
        "job": schedule.job_name, "cron": schedule.cron_schedule, "zone": schedule.execution_timezone,
        "running": schedule.default_status.value, "description": schedule.description,
    }  # fmt: skip


def _sensor(sensor: Any) -> dict[str, Any]:
    return {
        "jobs": [each.job_name for each in sensor.targets], "every_seconds": sensor.minimum_interval_seconds,
        "running": sensor.default_status.value, "description": sensor.description,
    }  # fmt: skip


def as_text(picture: dict[str, Any]) -> str:
    """The picture as it is committed."""
    return json.dumps(picture, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    PICTURE.write_text(as_text(described(default_definitions())), encoding="utf-8", newline="\n")
    print(f"wrote {PICTURE}")

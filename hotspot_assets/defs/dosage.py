"""Visits back from patrol -> planned against delivered minutes."""

from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition
from pydantic import Field

from hotspot_assets.defs.facts import KINDS, OWNER, lineage_metadata, stamp_of, table_metadata
from hotspot_assets.defs.intake import POOL
from hotspot_assets.settings import Settings
from hotspot_assets.warehouse.dosage import dosage_by_unit
from hotspot_assets.warehouse.lake import Lake
from hotspot_assets.workflow.dosage import make_dosage, take_in_visits, touched_days
from hotspot_assets.workflow.landing import landed_files

JOB = "dosage"


class DosageConfig(dg.Config):
    """Files to take in; empty: all in the folder of visits."""

    files: list[str] = Field(default_factory=list)


@dg.asset(
    group_name="patrols",
    owners=[OWNER],
    kinds=KINDS,
    deps=["patrol_areas"],
    pool=POOL,
    metadata=table_metadata("patrol_dosage"),
)
def patrol_dosage(
    context: dg.AssetExecutionContext,
    config: DosageConfig,
    lake: dg.ResourceParam[Lake],
    settings: dg.ResourceParam[Settings],
) -> dg.MaterializeResult:
    """Planned against delivered minutes of each area, from the files of visits in data/visits."""
    folder = settings.visits
    names = config.files or [file.path.name for file in landed_files(folder)]
    taken = [take_in_visits(lake, settings, folder / Path(name).name, stamp_of(context)) for name in names]
    for each in taken:
        context.log.info(str(each))
    rejected = sum(count for each in taken for _, count in each.rejected)
    facts: dict[str, Any] = {
        "files": dg.MetadataValue.md(
            "\n".join(f"- {each}" for each in taken) or "- no file of visits lies there"
        ),
        "files_set_aside": sum(each.refused is not None for each in taken),
        "visits": sum(each.rows_accepted for each in taken),
        "rows_rejected": rejected,
        **lineage_metadata("patrol_dosage"),
    }
    days = touched_days(taken)
    if days is None:
        return dg.MaterializeResult(metadata=facts)
    made = make_dosage(lake, settings, *days, stamp_of(context))
    by_unit = [
        f"- {row['unit']}: {row['delivered_minutes']:.0f} of {row['planned_minutes']:.0f} minutes,"
        f" {row['visited']} of {row['areas']} areas visited"
        for row in dosage_by_unit(lake, *days).to_dicts()
    ]
    facts |= {
        "dagster/row_count": made.rows.height,
        "snapshot_id": made.snapshot_id,
        "forecast_dates": f"{made.first} to {made.last}",
        "visits_to_no_planned_area": made.elsewhere,
        "planned_minutes": float(made.rows["planned_minutes"].sum()),
        "delivered_minutes": float(made.rows["delivered_minutes"].sum()),
        "by_unit": dg.MetadataValue.md("\n".join(by_unit) or "- no areas were planned on these days"),
    }
    return dg.MaterializeResult(metadata=facts)


ASSETS = [patrol_dosage]


def jobs() -> list[UnresolvedAssetJobDefinition]:
    """The job that operators see."""
    said = "Take in files of visits, and compare planned with delivered minutes."
    return [dg.define_asset_job(JOB, dg.AssetSelection.assets("patrol_dosage"), description=said)]

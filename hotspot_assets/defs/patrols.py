"""Patrol areas (daily) -> maps (daily) -> briefing (daily). Issuing is not here: it takes a named reviewer."""

from typing import Any

import dagster as dg
import polars as pl

from hotspot_assets.defs.facts import KINDS, OWNER, lineage_metadata, picture, stamp_of, table_metadata
from hotspot_assets.defs.intake import POOL
from hotspot_assets.defs.partitions import Partitions
from hotspot_assets.defs.progress import WrittenDays
from hotspot_assets.settings import Settings
from hotspot_assets.warehouse.lake import Lake
from hotspot_assets.workflow.briefings import write_briefings, write_overview
from hotspot_assets.workflow.day_maps import DayFiles, write_maps
from hotspot_assets.workflow.patrols import DayAreas, make_patrol_areas

GROUP = "patrols"


def patrol_areas(
    context: dg.AssetExecutionContext, lake: dg.ResourceParam[Lake], settings: dg.ResourceParam[Settings]
) -> dg.MaterializeResult:
    """Contiguous, ranked areas within each unit's budget, chosen from the scores of the day."""
    total = 0
    with WrittenDays(context, lake, settings, "days of patrol areas") as run:
        for made in make_patrol_areas(lake, settings, run.days[0], run.days[-1], stamp_of(context)):
            total += made.areas.height
            run.wrote(made.date, made.areas.height, area_metadata(made))
    return dg.MaterializeResult(metadata={"areas_of_the_run": total, **lineage_metadata("patrol_areas")})


def area_metadata(made: DayAreas) -> dict[str, Any]:
    """What the UI shows of one day's areas."""
    best = made.areas.sort("share", descending=True).head(5)
    lines = [f"- **{row['name']}** ({row['offence_group']}): {row['why']}" for row in best.to_dicts()]
    shares = made.areas.group_by("offence_group", "shift").agg(pl.col("share").sum())["share"]
    return {
        "dagster/partition_row_count": made.areas.height,
        "snapshot_id": made.snapshot_id,
        "areas": made.areas.height,
        "units": made.areas["unit"].n_unique(),
        "shifts": made.areas["shift"].n_unique(),
        "shifts_that_begin_before_the_cut_off": ", ".join(made.late_shifts) or "none",
        "area_km2": float(made.union["area_km2"].sum()) if made.union.height else 0.0,
        "share_of_expected": float(shares.mean() or 0.0),
        "largest_union_share_of_a_unit": float(made.union["share"].max()) if made.union.height else 0.0,
        "lists_without_areas": made.without.height,
        "why_without_areas": _counted(made.without),
        "excluded": _effect(made.effect),
        "best": dg.MetadataValue.md("\n".join(lines) or "- no forecast was made for this day"),
    }


def _counted(without: pl.DataFrame) -> dg.MarkdownMetadataValue:
    """Reasons for which a unit has no area, with how many lists each."""
    counts = without.group_by("reason").len().sort("reason").rows() if without.height else []
    return dg.MetadataValue.md("\n".join(f"- {reason}: {many}" for reason, many in counts) or "- none")


def _effect(effect: pl.DataFrame) -> dg.MarkdownMetadataValue:
    """What exclusions cost, one line per reason and offence group."""
    lines = [
        f"- {row['reason']}: {row['cells']} cells, {row['area_km2']:.2f} km2,"
        f" {row['share']:.2%} of the expected {row['offence_group']}"
        for row in effect.to_dicts()
    ]
    return dg.MetadataValue.md("\n".join(lines) or "- nothing was excluded")


def patrol_maps(
    context: dg.AssetExecutionContext, lake: dg.ResourceParam[Lake], settings: dg.ResourceParam[Settings]
) -> dg.MaterializeResult:
    """The day as maps, and as files for other systems, under data/outputs: for review, not for issue."""
    with WrittenDays(context, lake, settings, "days of maps") as run:
        for made in write_maps(lake, settings, run.days[0], run.days[-1]):
            title = f"patrol areas of {made.date}"
            drawn = picture(made.map_png, title) if made.map_png else "no forecast was made"
            run.wrote(made.date, len(made.paths), {"map": drawn, **file_metadata(made)})
    return dg.MaterializeResult(metadata={"folder": dg.MetadataValue.path(str(settings.outputs))})


def patrol_briefing(
    context: dg.AssetExecutionContext, lake: dg.ResourceParam[Lake], settings: dg.ResourceParam[Settings]
) -> dg.MaterializeResult:
    """The day as a page, sheets for each shift, and reasons, under data/outputs: for review, not for issue."""
    with WrittenDays(context, lake, settings, "days of pages and sheets") as run:
        for files in write_briefings(lake, settings, run.days[0], run.days[-1]):
            run.wrote(files.date, len(files.paths), file_metadata(files))
    overview = write_overview(lake, settings, run.days[-1])
    return dg.MaterializeResult(
        metadata={
            "folder": dg.MetadataValue.path(str(settings.outputs)),
            "overview": dg.MetadataValue.path(str(overview)) if overview else "no areas in the last 30 days",
        }
    )


def file_metadata(files: DayFiles) -> dict[str, Any]:
    """What the UI shows of one day's files."""
    return {
        "files": dg.MetadataValue.md("\n".join(f"- `{path.name}`" for path in files.paths) or "-"),
        "folder": dg.MetadataValue.path(str(files.folder)),
    }


def assets(settings: Settings, partitions: Partitions) -> list[dg.AssetsDefinition]:
    """The assets of this room for a home's settings."""
    common = {
        "group_name": GROUP,
        "owners": [OWNER],
        "partitions_def": partitions.days,
        "backfill_policy": dg.BackfillPolicy.multi_run(max_partitions_per_run=settings.forecast.batch_days),
    }
    return [
        dg.asset(
            deps=["proximity_scores", "study_areas"],
            kinds=KINDS,
            pool=POOL,
            metadata=table_metadata("patrol_areas"),
            **common,
        )(patrol_areas),
        dg.asset(deps=["patrol_areas", "proximity_scores"], kinds={"geojson", "png"}, **common)(patrol_maps),
        dg.asset(deps=["patrol_areas", "proximity_scores", "patrol_maps"], kinds={"html", "pdf"}, **common)(
            patrol_briefing
        ),
    ]

"""Study areas, fitted models (monthly) -> proximity scores (daily), and why cells of patrol areas have theirs."""

from datetime import date
from typing import Any

import dagster as dg
import polars as pl

from hotspot_assets.defs.facts import KINDS, OWNER, lineage_metadata, picture, stamp_of, table_metadata
from hotspot_assets.defs.intake import POOL
from hotspot_assets.defs.partitions import Partitions
from hotspot_assets.defs.progress import WrittenDays
from hotspot_assets.forecasting.fitting import FittedModel
from hotspot_assets.forecasting.pictures import decay_picture, has_pictures, similarity_picture
from hotspot_assets.settings import Settings
from hotspot_assets.warehouse.forecasts import replace_explanations
from hotspot_assets.warehouse.lake import Committed, Lake
from hotspot_assets.warehouse.reads import delivery_clocks, newest_delivery
from hotspot_assets.workflow.forecasts import DayFacts, make_forecasts
from hotspot_assets.workflow.models import model_in_force
from hotspot_assets.workflow.replay import explain_areas
from hotspot_assets.workflow.squares import GRID_NOTE, write_squares
from hotspot_assets.workflow.study_area import basis_of, cells_at_edge, study_area_of_month, units_of

GROUP = "forecasts"


def study_areas(
    context: dg.AssetExecutionContext, lake: dg.ResourceParam[Lake], settings: dg.ResourceParam[Settings]
) -> dg.MaterializeResult:
    """The cells that forecasts of a month cover: a boundary, or where incidents lay before the month."""
    month = date.fromisoformat(context.partition_key)
    clocks = delivery_clocks(lake)
    area = study_area_of_month(lake, settings, month, clocks, stamp_of(context))
    units = units_of(lake, settings, area)["unit"]
    return dg.MaterializeResult(
        metadata={
            "study_area_id": area.study_area_id,
            "cells": area.n,
            "cells_at_edge": cells_at_edge(lake, area.study_area_id),
            "area_km2": area.total_area_km2,
            "found_from": basis_of(settings, month, clocks),
            "units": units.drop_nulls().n_unique(),
            "cells_in_no_unit": units.null_count(),
            **lineage_metadata("study_areas"),
        }
    )


def fitted_models(
    context: dg.AssetExecutionContext, lake: dg.ResourceParam[Lake], settings: dg.ResourceParam[Settings]
) -> dg.MaterializeResult:
    """The model in force for a month, fitted on nothing known later than its first day's cut-off."""
    month = date.fromisoformat(context.partition_key)
    seq = newest_delivery(lake)
    clocks = delivery_clocks(lake, seq)
    area = study_area_of_month(lake, settings, month, clocks, stamp_of(context))
    in_force = model_in_force(lake, settings, area, month, clocks, stamp_of(context))
    return dg.MaterializeResult(
        metadata={
            "model": in_force.model.name,
            "fitted_model_id": in_force.fitted_model_id or "nothing to fit",
            "study_area_id": area.study_area_id,
            "delivery_seq": seq,
            "offence_groups": ", ".join(in_force.fitted.groups),
            "learns_from": ", ".join(in_force.fitted.reads),
            **pictures_of(in_force.fitted),
            **lineage_metadata("fitted_models"),
        }
    )


def pictures_of(fitted: FittedModel) -> dict[str, dg.MetadataValue]:
    """Decay curves and the similarity of offence groups, for a fit that has them."""
    if not has_pictures(fitted):
        return {}
    return {
        "decay": picture(decay_picture(fitted), "How the influence of an incident decays with its age"),
        "similarity": picture(similarity_picture(fitted), "Which offence groups a score comes from"),
    }


def proximity_scores(
    context: dg.AssetExecutionContext, lake: dg.ResourceParam[Lake], settings: dg.ResourceParam[Settings]
) -> dg.MaterializeResult:
    """The share of each offence group's incidents of the day expected in each cell, from decayed proximity."""
    snapshot, rows = -1, 0
    with WrittenDays(context, lake, settings, "forecast days") as run:
        for facts in make_forecasts(lake, settings, run.days[0], run.days[-1], stamp_of(context)):
            snapshot, rows = facts.snapshot_id, rows + facts.rows
            run.wrote(facts.date, facts.rows, day_metadata(facts))
    of_run = {"snapshot_id": snapshot, "rows_of_the_run": rows, **lineage_metadata("proximity_scores")}
    return dg.MaterializeResult(metadata=of_run)


EXPLAINED_CONTRIBUTIONS = 25


def explanations(
    context: dg.AssetExecutionContext, lake: dg.ResourceParam[Lake], settings: dg.ResourceParam[Settings]
) -> dg.MaterializeResult:
    """Why each cell inside a patrol area has its score: its largest incidents, all others, and the background."""
    with WrittenDays(context, lake, settings, "days of explanations") as run:
        for day in run.days:
            made = explain_areas(lake, settings, day, EXPLAINED_CONTRIBUTIONS)
            written = replace_explanations(lake, day, made, stamp_of(context))
            run.wrote(day, written.result, explanation_metadata(made, written))
    return dg.MaterializeResult(metadata=lineage_metadata("explanations"))


def explanation_metadata(
    made: pl.DataFrame, written: Committed[int]
) -> dict[str, dg.MetadataValue | float | int]:
    """What the UI shows of one day's explanations."""
    facts: dict[str, Any] = {
        "dagster/partition_row_count": written.result,
        "snapshot_id": written.snapshot_id,
    }
    if made.is_empty():
        return facts | {"cells": 0}
    shares = made.group_by("part").agg(pl.col("contribution").sum())
    whole = shares["contribution"].sum()
    named = {f"share_{part.replace(' ', '_')}": given / whole for part, given in shares.iter_rows()}
    return facts | {"cells": made.select("offence_group", "cell").n_unique()} | named


def grid250_daily(
    context: dg.AssetExecutionContext, lake: dg.ResourceParam[Lake], settings: dg.ResourceParam[Settings]
) -> dg.MaterializeResult:
    """The day as 250 m squares, the first 10 and 20 of each unit: for looking, on a grid of its own."""
    with WrittenDays(context, lake, settings, "days of squares") as run:
        for day in run.days:
            made = write_squares(lake, settings, day)
            rows = 0 if made is None else made.squares.height
            facts: dict[str, Any] = {"dagster/partition_row_count": rows}
            if made is not None:
                facts |= {
                    "grid_id": made.grid_id,
                    "note": GRID_NOTE,
                    "units": made.squares["unit"].n_unique(),
                    "file": dg.MetadataValue.path(str(made.paths[0])),
                }
            run.wrote(day, rows, facts)
    return dg.MaterializeResult(metadata={"folder": dg.MetadataValue.path(str(settings.outputs))})


def day_metadata(facts: DayFacts) -> dict[str, dg.MetadataValue | float | int | str]:
    """What the UI shows of one forecast date."""
    headers = facts.headers
    first = headers.row(0, named=True)
    not_made = headers.filter(pl.col("not_made_because").is_not_null())
    return {
        "dagster/partition_row_count": facts.rows,
        "snapshot_id": facts.snapshot_id,
        "cut_off": first["cut_off"].isoformat(),
        "delivery_seq": first["delivery_seq"],
        "model": first["model"],
        "fitted_model_id": first["fitted_model_id"] or "nothing to fit",
        "study_area_id": first["study_area_id"] or "none",
        "settings_hash": first["settings_hash"],
        "memory": " to ".join(str(day) for day in (headers["memory_from"].min(), headers["memory_to"].max())),
        "incidents_known": float(headers["incidents_known"].sum()),
        "reconstructed": bool(first["reconstructed"]),
        "forecasts_made": facts.made.height,
        "not_made": dg.MetadataValue.md(
            "\n".join(f"- {row['offence_group']}: {row['not_made_because']}" for row in not_made.to_dicts())
            or "-"
        ),
        "forecast_ids": dg.MetadataValue.json(
            dict(zip(headers["offence_group"].to_list(), headers["forecast_id"].to_list(), strict=True))
        ),
    }


def assets(settings: Settings, partitions: Partitions) -> list[dg.AssetsDefinition]:
    """The assets of this room for a home's settings."""
    common = {"group_name": GROUP, "owners": [OWNER], "pool": POOL}
    batches = dg.BackfillPolicy.multi_run(max_partitions_per_run=settings.forecast.batch_days)
    return [
        dg.asset(
            partitions_def=partitions.months,
            deps=["hexagon_incidents"],
            kinds={*KINDS, "h3"},
            metadata=table_metadata("study_areas"),
            **common,
        )(study_areas),
        dg.asset(
            partitions_def=partitions.months,
            deps=["hexagon_incidents", "study_areas"],
            kinds=KINDS,
            metadata=table_metadata("fitted_models"),
            **common,
        )(fitted_models),
        dg.asset(
            partitions_def=partitions.days,
            deps=["hexagon_incidents", "study_areas", "fitted_models"],
            kinds={*KINDS, "h3"},
            metadata=table_metadata("proximity_scores"),
            backfill_policy=batches,
            code_version="1",
            **common,
        )(proximity_scores),
        dg.asset(
            partitions_def=partitions.days,
            deps=["study_areas", "proximity_scores"],
            kinds={"polars", "geojson"},
            backfill_policy=batches,
            group_name=GROUP,
            owners=[OWNER],
        )(grid250_daily),
        dg.asset(
            partitions_def=partitions.days,
            deps=["hexagon_incidents", "fitted_models", "proximity_scores", "patrol_areas"],
            kinds=KINDS,
            metadata=table_metadata("explanations"),
            backfill_policy=batches,
            **common,
        )(explanations),
    ]

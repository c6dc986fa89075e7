"""Forecast outcomes (daily) -> model trial (any period)."""

from datetime import date
from typing import Any

import dagster as dg
import polars as pl

from hotspot_assets.defs.facts import KINDS, OWNER, lineage_metadata, stamp_of, table_metadata
from hotspot_assets.defs.intake import POOL
from hotspot_assets.defs.partitions import Partitions, dates_of
from hotspot_assets.settings import Settings
from hotspot_assets.warehouse.lake import Lake
from hotspot_assets.workflow.dates import today
from hotspot_assets.workflow.outcomes import judge
from hotspot_assets.workflow.trial import run_trial

GROUP = "trial"
MAIN_COVERAGE = 0.05


class TrialConfig(dg.Config):
    """The period of a trial; empty: all days with outcomes."""

    first: str = ""
    last: str = ""


def forecast_outcomes(
    context: dg.AssetExecutionContext, lake: dg.ResourceParam[Lake], settings: dg.ResourceParam[Settings]
) -> dg.MaterializeResult:
    """How each model did on a day whose incidents are known: hit rate, PAI, PEI*, log score; losers too."""
    days = dates_of(context)
    for judged in judge(lake, settings, days[0], days[-1], today(settings), stamp_of(context)):
        outcomes = judged.outcomes
        context.log.info(f"{judged.first}..{judged.last}: {outcomes.height} rows")
        for day in (
            {judged.first, judged.last} if outcomes.is_empty() else set(outcomes["forecast_date"].to_list())
        ):
            rows = outcomes.filter(pl.col("forecast_date") == day) if outcomes.height else outcomes
            context.add_asset_metadata(
                outcome_metadata(rows, settings.forecast.model, judged.snapshot_id, judged.delivery_seq),
                partition_key=day.isoformat(),
            )
    return dg.MaterializeResult(metadata=lineage_metadata("forecast_outcomes"))


def outcome_metadata(rows: pl.DataFrame, model: str, snapshot_id: int, delivery_seq: int) -> dict[str, Any]:
    """What the UI shows, and plots, of one day's outcomes."""
    facts: dict[str, Any] = {
        "dagster/partition_row_count": rows.height, "snapshot_id": snapshot_id, "delivery_seq": delivery_seq
    }  # fmt: skip
    if rows.is_empty():
        return facts | {"said": "no forecast of this day can be judged"}
    main = rows.filter((pl.col("coverage") == MAIN_COVERAGE) & (pl.col("model") == model))
    facts["incidents"] = float(main["incidents"].sum())
    facts["day_without_incidents"] = facts["incidents"] == 0
    for row in main.drop_nulls("hit_rate").to_dicts():
        facts[f"hit_rate_{row['offence_group']}"] = row["hit_rate"]
    return facts


@dg.asset(
    group_name=GROUP, owners=[OWNER], kinds={"polars", "html"}, deps=["forecast_outcomes"],
)  # fmt: skip
def model_trial(
    context: dg.AssetExecutionContext,
    config: TrialConfig,
    lake: dg.ResourceParam[Lake],
    settings: dg.ResourceParam[Settings],
) -> dg.MaterializeResult:
    """All models side by side on the same days: the report and the table, wins and losses."""
    first = date.fromisoformat(config.first) if config.first else None
    last = date.fromisoformat(config.last) if config.last else None
    trial = run_trial(lake, settings, first, last)
    return dg.MaterializeResult(
        metadata={
            "days": trial.days,
            "period": trial.period,
            "champion_proposed": trial.champion,
            "why": trial.reason,
            "table": dg.MetadataValue.md(trial.markdown),
            "report": dg.MetadataValue.path(str(trial.report)) if trial.report else "too few days to judge",
        }
    )


def assets(settings: Settings, partitions: Partitions) -> list[dg.AssetsDefinition]:
    """The assets of this room for a home's settings."""
    daily = dg.asset(
        partitions_def=partitions.days,
        deps=["hexagon_incidents", "proximity_scores"],
        group_name=GROUP,
        owners=[OWNER],
        kinds=KINDS,
        pool=POOL,
        metadata=table_metadata("forecast_outcomes"),
        backfill_policy=dg.BackfillPolicy.multi_run(max_partitions_per_run=settings.forecast.batch_days),
    )(forecast_outcomes)
    return [daily, model_trial]

"""Forecast outcomes (daily) -> model trial (any period), and the decision on the model that forecasts."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import dagster as dg
import polars as pl
from pydantic import Field

from hotspot_assets.defs.facts import KINDS, OWNER, lineage_metadata, picture, stamp_of, table_metadata
from hotspot_assets.defs.intake import POOL
from hotspot_assets.defs.partitions import Partitions
from hotspot_assets.defs.progress import Progress, WrittenDays
from hotspot_assets.settings import Settings
from hotspot_assets.trial.report_figures import calibration_curves, difference_intervals, hit_rate_curves
from hotspot_assets.warehouse.lake import Lake, Stamp
from hotspot_assets.workflow.champions import decide_champion
from hotspot_assets.workflow.dates import days_between, today
from hotspot_assets.workflow.outcomes import judge
from hotspot_assets.workflow.trial import Trial, plan_trial, run_trial, steps_of

GROUP = "trial"
MAIN_COVERAGE = 0.05
CHAMPION_JOB = "choose_champion"


class TrialConfig(dg.Config):
    """A trial's days, models and reporting lags ("0", "3", "recorded"), and why anyone looks.

    Empty: all days with outcomes, all models that run here, lags of 0, 3 and 7 days and as recorded.
    """

    first: str = ""
    last: str = ""
    models: list[str] = Field(default=[])
    lags: list[str] = Field(default=[])
    why: str = ""


def forecast_outcomes(
    context: dg.AssetExecutionContext, lake: dg.ResourceParam[Lake], settings: dg.ResourceParam[Settings]
) -> dg.MaterializeResult:
    """How each model did on a day whose incidents are known: hit rate, PAI, PEI*, log score; losers too."""
    model = settings.forecast.model
    with WrittenDays(context, lake, settings, "days judged") as run:
        for judged in judge(lake, settings, run.days[0], run.days[-1], today(settings), stamp_of(context)):
            outcomes = judged.outcomes
            for day in days_between(judged.first, judged.last):
                rows = outcomes.filter(pl.col("forecast_date") == day) if outcomes.height else outcomes
                facts = outcome_metadata(rows, model, judged.snapshot_id, judged.delivery_seq)
                run.wrote(day, rows.height, facts)
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


REPORT, TABLE = "model_trial", "model_trial_table"


@dg.multi_asset(
    name=REPORT,
    group_name=GROUP,
    specs=[
        dg.AssetSpec(
            REPORT,
            deps=["hexagon_incidents", "forecast_outcomes"],
            owners=[OWNER],
            kinds={"polars", "html"},
            metadata=table_metadata("looks"),
            description="All models side by side on the same days and cells: the report, losses beside wins.",
        ),
        dg.AssetSpec(
            TABLE,
            deps=["hexagon_incidents", "forecast_outcomes"],
            owners=[OWNER],
            kinds={"polars", "markdown"},
            description="The same as one Markdown table: hit rates at every coverage, intervals and verdicts.",
        ),
    ],
    pool=POOL,
)
def model_trial(
    context: dg.AssetExecutionContext,
    config: TrialConfig,
    lake: dg.ResourceParam[Lake],
    settings: dg.ResourceParam[Settings],
) -> Iterator[dg.MaterializeResult]:
    """All models on the same days, measured, compared and reported; that someone looked is recorded."""
    plan = plan_trial(
        lake,
        settings,
        today(settings),
        first=date.fromisoformat(config.first) if config.first else None,
        last=date.fromisoformat(config.last) if config.last else None,
        models=config.models,
        lags=config.lags,
        why=config.why,
    )
    progress = Progress(context.log, steps_of(plan), "pieces of the trial")
    trial = run_trial(lake, settings, plan, stamp_of(context), progress.step)
    yield dg.MaterializeResult(asset_key=REPORT, metadata=report_metadata(trial))
    yield dg.MaterializeResult(
        asset_key=TABLE,
        metadata={
            "table": dg.MetadataValue.md(trial.table),
            "file": dg.MetadataValue.path(str(trial.folder / "table.md")),
        },
    )


def report_metadata(trial: Trial) -> dict[str, Any]:
    """What the UI shows of a trial: its ground, its verdicts, its pictures and where the report lies."""
    results, about = trial.results, trial.about
    verdicts = results.main["verdict"].value_counts(sort=True)
    facts: dict[str, Any] = {
        "days": trial.days,
        "period": trial.plan.period,
        "study_area": about.study_area,
        "known": about.knowledge,
        "models": ", ".join(trial.plan.models),
        "champion_proposed": trial.proposal.champion,
        "why": trial.proposal.reason,
        "verdicts": ", ".join(f"{verdict}: {count}" for verdict, count in verdicts.iter_rows()),
        "looks_on_record": len(about.looks),
        "snapshot_id": trial.snapshot_id,
        "hit_rates": picture(hit_rate_curves(results, "png"), "Hit rate by flagged share of the area"),
        "differences": picture(difference_intervals(results, "png"), "Difference in hit rate, 95 % interval"),
        "report": dg.MetadataValue.path(str(trial.folder / "index.html")),
    }
    if results.calibration is not None:
        drawn = calibration_curves(results, results.calibration, "png")
        facts["calibration"] = picture(drawn, "Expected and realised share of incidents by tenth of the area")
    for row in results.main.iter_rows(named=True):
        facts[f"difference_{row['offence_group']}_{row['against']}"] = row["difference"]
    return facts


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


class ChampionConfig(dg.Config):
    """Which model shall forecast, who decided so, and why."""

    model: str
    reviewer: str
    reason: str


@dg.op(pool=POOL)
def record_champion_decision(
    context: dg.OpExecutionContext,
    config: ChampionConfig,
    lake: dg.ResourceParam[Lake],
    settings: dg.ResourceParam[Settings],
) -> None:
    """Record a person's decision on the model; the settings carry it out."""
    stamp = Stamp(author=config.reviewer, run_id=context.run.run_id)
    decision = decide_champion(lake, settings, config.model, config.reviewer, config.reason, stamp)
    context.add_output_metadata({"model": decision.model, "still_to_do": decision.still_to_do})
    context.log.info(decision.still_to_do)


@dg.job(name=CHAMPION_JOB, description="Record who decided on the model that forecasts, and why.")
def choose_champion() -> None:
    """A decision that a trial's proposal waits for."""
    record_champion_decision()


JOBS = [choose_champion]

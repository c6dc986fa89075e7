"""`hotspot trial` and `hotspot champion`: their arguments and what they say.

Not here: holding a trial (`workflow.trial`), recording a decision (`workflow.champions`). Both are runs in
Dagster's history.
"""

from __future__ import annotations

from datetime import datetime

import click

from hotspot_assets.settings import load_settings

DAY = click.DateTime(["%Y-%m-%d"])


def _listed(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


@click.command("trial")
@click.option("--first", type=DAY, help="First forecast date; without it the first day judged.")
@click.option("--last", type=DAY, help="Last forecast date; without it the last day judged.")
@click.option(
    "--models",
    default="",
    help="Names: the first against the others. [default: all that run here]",
)
@click.option(
    "--lags", default="", help="Reporting lags, with commas: days, or recorded. [default: 0,3,7,recorded]"
)
@click.option("--why", default="", help="Why you look; it stands in the report and the ledger.")
def trial(first: datetime | None, last: datetime | None, models: str, lags: str, why: str) -> None:
    """Hold all models against each other on the same days and cells, and write the report."""
    from hotspot_assets.definitions import build_definitions
    from hotspot_assets.defs import operate
    from hotspot_assets.defs.automation import TRIAL_JOB

    settings = load_settings()
    config = {
        "first": first.date().isoformat() if first else "",
        "last": last.date().isoformat() if last else "",
        "models": _listed(models),
        "lags": _listed(lags),
        "why": why,
    }
    result = operate.run_job(
        settings, build_definitions(settings), TRIAL_JOB, config={"ops": {"model_trial": {"config": config}}}
    )
    said = {
        str(event.asset_key.to_user_string()): event.step_materialization_data.materialization.metadata
        for event in result.get_asset_materialization_events()
        if event.asset_key
    }
    click.echo(str(said["model_trial_table"]["table"].value))
    click.echo(
        f"proposed: {said['model_trial']['champion_proposed'].value}. {said['model_trial']['why'].value}"
    )
    click.echo(f"report: {said['model_trial']['report'].value}")


@click.command("champion")
@click.argument("model")
@click.option("--reviewer", required=True, help="Who decides.")
@click.option("--reason", required=True, help="Why.")
def champion(model: str, reviewer: str, reason: str) -> None:
    """Record the decision that MODEL shall forecast; the settings carry it out."""
    from hotspot_assets.definitions import build_definitions
    from hotspot_assets.defs import operate
    from hotspot_assets.defs.trial import CHAMPION_JOB

    settings = load_settings()
    config = {"model": model, "reviewer": reviewer, "reason": reason}
    operate.run_job(
        settings,
        build_definitions(settings),
        CHAMPION_JOB,
        config={"ops": {"record_champion_decision": {"config": config}}},
    )

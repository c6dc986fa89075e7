"""The one place where everything meets: settings in, Dagster definitions out."""

from __future__ import annotations

import dagster as dg

from hotspot_assets.defs import (
    automation,
    checks,
    dosage,
    forecasts,
    intake,
    maintenance,
    patrols,
    review_checks,
    reviews,
    trial,
)
from hotspot_assets.defs.living_runs import lake_of_run
from hotspot_assets.defs.partitions import partitions_of
from hotspot_assets.forecasting.catalogue import model
from hotspot_assets.settings import Settings, load_settings


def build_definitions(settings: Settings) -> dg.Definitions:
    """Assets, checks, jobs, schedules and sensors of a home; nothing is opened or written here."""
    for name in {settings.forecast.model, *settings.trial.models}:
        model(name)  # one that does not exist is said now, not in a run at night
    partitions = partitions_of(settings)
    assets = [
        *intake.ASSETS,
        *forecasts.assets(settings, partitions),
        *patrols.assets(settings, partitions),
        *reviews.ASSETS,
        *dosage.ASSETS,
        *trial.assets(settings, partitions),
        *maintenance.ASSETS,
    ]
    return dg.Definitions(
        assets=assets,
        asset_checks=[*checks.checks(settings, partitions), *review_checks.checks(settings)],
        jobs=[*automation.jobs(), *reviews.jobs(settings), *dosage.jobs(), *maintenance.JOBS, *trial.JOBS],
        schedules=[*automation.schedules(settings), *maintenance.schedules(settings)],
        sensors=automation.sensors(settings),
        executor=dg.in_process_executor,
        resources={"settings": settings, "lake": lake_of_run(settings)},
    )


defs = build_definitions(load_settings())

"""The one place where everything meets: settings in, Dagster definitions out."""

from __future__ import annotations

import dagster as dg

from hotspot_assets.defs import automation, checks, forecasts, intake, maintenance, patrols, trial
from hotspot_assets.defs.partitions import partitions_of
from hotspot_assets.settings import Settings, load_settings
from hotspot_assets.warehouse.lake import Lake


def build_definitions(settings: Settings) -> dg.Definitions:
    """Assets, checks, jobs, schedules and sensors of a home; nothing is opened or written here."""
    partitions = partitions_of(settings)
    assets = [
        *intake.ASSETS,
        *forecasts.assets(settings, partitions),
        *patrols.assets(settings, partitions),
        *trial.assets(settings, partitions),
    ]
    return dg.Definitions(
        assets=assets,
        asset_checks=checks.checks(settings, partitions),
        jobs=[*automation.jobs(), *maintenance.JOBS],
        schedules=[*automation.schedules(settings), *maintenance.schedules(settings)],
        sensors=automation.sensors(settings),
        executor=dg.in_process_executor,
        resources={"settings": settings, "lake": Lake(settings.warehouse, settings.data_path)},
    )


defs = build_definitions(load_settings())

"""`hotspot dosage`: visits back from patrol.

Belongs here: its arguments and what it prints. Not here: anything it does; that is a Dagster run.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from hotspot_assets.settings import load_settings


@click.command("dosage")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
def dosage(files: tuple[Path, ...]) -> None:
    """Take in FILES of visits (CSV: unit, area, enter, leave, activity): planned against delivered minutes."""
    from hotspot_assets.definitions import build_definitions
    from hotspot_assets.defs.dosage import JOB
    from hotspot_assets.defs.operate import run_job
    from hotspot_assets.workflow.landing import deliver

    settings = load_settings()
    landed = [deliver(path, settings.visits).name for path in files]
    result = run_job(
        settings,
        build_definitions(settings),
        JOB,
        config={"ops": {"patrol_dosage": {"config": {"files": landed}}}},
    )
    (event,) = result.asset_materializations_for_node("patrol_dosage")
    for name in ("files", "by_unit"):
        if name in event.metadata:
            click.echo(str(event.metadata[name].value))
    click.echo(f"run {result.run_id}")
    if event.metadata["files_set_aside"].value:
        sys.exit(1)

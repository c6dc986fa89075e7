"""`hotspot erase`: its arguments, its question and its answer.

Not here: erasing (`workflow.erasure`). The crime reference is asked for, not given as an argument: a command
line stands in the shell's history and in the list of processes.
"""

from __future__ import annotations

import getpass
from datetime import datetime

import click

from hotspot_assets.settings import load_settings

DAY = click.DateTime(["%Y-%m-%d"])


@click.command("erase")
@click.option("--source", help="Source of the incident or incidents, as in the table `deliveries`.")
@click.option(
    "--reference", "by_reference", is_flag=True, help="One incident; its crime reference is asked for."
)
@click.option("--key", help="One incident, by its incident key (32 hexadecimal digits).")
@click.option(
    "--period", "days", nargs=2, type=DAY, help="FIRST LAST: all incidents that may be of these days."
)
@click.option("--yes", is_flag=True, help="Do not ask whether it is meant.")
def erase(
    source: str | None, by_reference: bool, key: str | None, days: tuple[datetime, datetime] | None, yes: bool
) -> None:
    """Erase one incident, or a period, from everything this home holds; nothing brings it back."""
    from hotspot_assets.warehouse.lake import Lake, Stamp
    from hotspot_assets.workflow import erasure

    if sum(map(bool, (by_reference, key, days))) != 1:
        raise click.UsageError("Say what to erase: --reference, --key KEY or --period FIRST LAST.")
    if by_reference and not source:
        raise click.UsageError("--reference needs --source: references are unique within a source only.")
    reference = click.prompt("Crime reference", hide_input=True) if by_reference else ""
    if not yes:
        click.confirm("This cannot be undone, and older states of the lake go too. Erase?", abort=True)
    settings = load_settings()
    lake, stamp = Lake(settings.warehouse, settings.data_path), Stamp(getpass.getuser())
    if days:
        done = erasure.erase_period(lake, settings, days[0].date(), days[1].date(), source, stamp)
    elif key:
        done = erasure.erase_key(lake, settings, key.lower(), stamp)
    else:
        done = erasure.erase_incident(lake, settings, str(source), reference, stamp)
    for line in done.lines():
        click.echo(line)

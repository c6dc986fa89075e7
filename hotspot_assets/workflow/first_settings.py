"""The settings of a new home, from the first real file that reaches it.

Belongs here: writing down what the file itself declares (its zone, its offence groups), so that people see and
can correct it. Not here: settings of the fictional city (`fictional`), and guessing where a file declares nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from hotspot_assets.intake.delivery import Delivery, read_delivery
from hotspot_assets.intake.reading import UnreadableDelivery
from hotspot_assets.settings import Settings
from hotspot_assets.workflow.deliveries import options_of

_MOST_GROUPS = 8
_TEXT = """\
# Written for the first delivery, {file} ({format}). Correct it before more is forecast: see docs/operators.md.
[area]
name = "{source}"
timezone = "{zone}"
# boundary = "boundary.geojson"    # where the study area ends; without it: where incidents lay
# units = "units.geojson"          # wards, beats or boroughs; without it: the area is one unit

[forecast]
groups = [{groups}]
"""


def write_first_settings(settings: Settings, files: Sequence[Path]) -> Path | None:
    """Write `settings.toml` from the first readable file; None where the home has one or no file can be read."""
    path = settings.home / "settings.toml"
    if path.exists() or settings.from_file:
        return None
    for file in files:
        try:
            read = read_delivery(file, options_of(settings))
        except UnreadableDelivery:
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_text(settings, file, read), encoding="utf-8")
        return path
    return None


def _text(settings: Settings, file: Path, read: Delivery) -> str:
    counts = (
        read.accepted.group_by("offence_group").len().sort("len", "offence_group", descending=[True, False])
    )
    enough = counts.filter(pl.col("len") >= settings.forecast.least_incidents)["offence_group"].head(
        _MOST_GROUPS
    )
    groups = enough.to_list() or list(settings.forecast.groups)
    named = ", ".join(f'"{group}"' for group in groups)
    return _TEXT.format(file=file.name, format=read.format, source=read.source, zone=read.zone, groups=named)

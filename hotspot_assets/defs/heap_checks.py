"""Checks of what piles up: moments and points at which more is recorded than can have happened there.

Both warn and neither drops anything: what a heap means is for a person to say.
"""

from dataclasses import asdict
from typing import Any

import dagster as dg
import polars as pl

from hotspot_assets.hexgrid.cells import cell_to_hex, with_cells
from hotspot_assets.intake.heaps import geocode_heaps, time_heaps
from hotspot_assets.settings import Settings
from hotspot_assets.warehouse import audits
from hotspot_assets.warehouse.lake import Lake

_TIME_SHARE = 0.02
"""Midnight and noon by chance: 0.2 % of the minutes; ten times that is a habit of the recorders."""
_POINT_SHARE, _POINT_INCIDENTS = 0.002, 50
"""A point with so much of all incidents, and so many, is worth a look: a station, a hospital, a default."""
_LISTED = 25


def checks(settings: Settings) -> list[dg.AssetChecksDefinition]:
    """The checks of heaps."""
    return [_times(settings), _places(settings)]


def _times(settings: Settings) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset="incidents",
        name="times_do_not_heap",
        description="Times recorded as midnight or noon stand for times not known; shares by source, with a warning.",
    )
    def check(lake: dg.ResourceParam[Lake]) -> dg.AssetCheckResult:
        facts: dict[str, Any] = {}
        heaped = []
        for (source,), rows in audits.times_of_sources(lake).group_by("source"):
            heaps = time_heaps(rows, settings.area.timezone)
            facts[str(source)] = dg.MetadataValue.json(asdict(heaps))
            if heaps.at_midnight + heaps.at_noon > _TIME_SHARE:
                heaped.append(str(source))
        facts["heaped"] = ", ".join(sorted(heaped)) or "none"
        return dg.AssetCheckResult(passed=not heaped, severity=dg.AssetCheckSeverity.WARN, metadata=facts)

    return check


def _places(settings: Settings) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset="incidents",
        name="places_do_not_heap",
        description="Points that take hundreds of incidents are often where those without a place were put: a list"
        " for review.",
    )
    def check(lake: dg.ResourceParam[Lake]) -> dg.AssetCheckResult:
        heaps = geocode_heaps(audits.places_of_incidents(lake), _LISTED)
        notable = heaps.filter((pl.col("share") > _POINT_SHARE) & (pl.col("incidents") >= _POINT_INCIDENTS))
        return dg.AssetCheckResult(
            passed=notable.is_empty(),
            severity=dg.AssetCheckSeverity.WARN,
            metadata={
                "points_to_review": notable.height,
                "list": dg.MetadataValue.md(_as_list(heaps, settings)),
            },
        )

    return check


def _as_list(heaps: pl.DataFrame, settings: Settings) -> str:
    """The list for review, by cell: what looks for the place in it needs no finer point."""
    placed = with_cells(heaps, settings.grid.resolution)
    lines = ["| cell | incidents | share | offence groups |", "|---|---|---|---|"]
    for cell, row in zip(cell_to_hex(placed["cell"].to_list()), placed.iter_rows(named=True), strict=True):
        lines.append(f"| `{cell}` | {row['incidents']:,} | {row['share']:.2%} | {row['offence_groups']} |")
    return "\n".join(lines)

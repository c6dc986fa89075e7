"""Deliveries -> incidents, rejected rows -> hexagon incidents."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
from pydantic import Field

from hotspot_assets.defs.facts import KINDS, OWNER, lineage_metadata, stamp_of, table_metadata
from hotspot_assets.settings import Settings
from hotspot_assets.warehouse.lake import Lake
from hotspot_assets.workflow.bucketing import Bucketed, bucket_new_deliveries
from hotspot_assets.workflow.dates import moment_of, now_utc
from hotspot_assets.workflow.deliveries import Declaration, Taken, take_in
from hotspot_assets.workflow.landing import landed_files, settled_files

GROUP = "intake"
POOL = "lake_writer"


class IntakeConfig(dg.Config):
    """What to take in; empty: every settled file in the landing folder."""

    files: list[str] = Field(default_factory=list)
    history: bool = False
    complete_from: str = ""
    complete_to: str = ""
    closings_approved: bool = False
    published_at: str = Field("", description="When the source published the files (ISO 8601).")

    def declaration(self, settings: Settings) -> Declaration:
        """What the operator declares of these files."""
        complete = None
        if self.complete_from and self.complete_to:
            complete = (date.fromisoformat(self.complete_from), date.fromisoformat(self.complete_to))
        return Declaration(
            history=self.history,
            complete_for=complete,
            closings_approved=self.closings_approved,
            published_at=moment_of(settings, self.published_at) if self.published_at else None,
        )


def _spec(name: str, description: str, **options: Any) -> dg.AssetSpec:
    return dg.AssetSpec(
        name,
        description=description,
        group_name=GROUP,
        owners=[OWNER],
        kinds=KINDS,
        metadata=table_metadata(name),
        **options,
    )


SPECS = [
    _spec(
        "deliveries", "Every file received, with what became of its rows; the counts add up to the rows read."
    ),
    _spec("incidents", "Versions of incidents: place, time and offence. Append-only.", deps=["deliveries"]),
    _spec("rejected_rows", "Rows not accepted, each with a reason code.", deps=["deliveries"]),
]


@dg.multi_asset(specs=SPECS, name="take_in_deliveries", pool=POOL)
def take_in_deliveries(
    context: dg.AssetExecutionContext,
    config: IntakeConfig,
    lake: dg.ResourceParam[Lake],
    settings: dg.ResourceParam[Settings],
) -> Iterator[dg.MaterializeResult]:
    """Take in the landed files, one transaction each; an unreadable one is set aside, the others go on."""
    landing = settings.landing
    if config.files:
        paths = [landing / Path(name).name for name in config.files]
    else:
        paths = [file.path for file in settled_files(landing, now_utc(), settings.intake.settle_seconds)]
        waiting = len(landed_files(landing)) - len(paths)
        context.log.info(f"{len(paths)} settled files in {landing}, {waiting} still being written")
    taken = []
    for path in paths:
        if not path.exists():  # asked for twice: while a run was taking it in, the sensor saw it still there
            context.log.info(f"{path.name} is no longer in {landing}: another run took it in")
            continue
        taken.append(take_in(lake, settings, path, config.declaration(settings), stamp_of(context)))
        context.log.info(str(taken[-1]))
    yield from _results(taken)


def _results(taken: list[Taken]) -> Iterator[dg.MaterializeResult]:
    counts = {name: sum(each.counts[name] for each in taken) for name in Taken.COUNTS}
    snapshot = {"snapshot_id": max((each.snapshot_id for each in taken), default=-1)}
    lines = "\n".join(f"- {each}" for each in taken) or "- no delivery: nothing landed"
    yield dg.MaterializeResult(
        "deliveries",
        metadata={
            **counts,
            **snapshot,
            "dagster/row_count": len(taken),
            "files_set_aside": sum(each.set_aside for each in taken),
            "files": dg.MetadataValue.md(lines),
        },
    )
    of_rows = counts["rows_new"] + counts["rows_amended"] + counts["rows_reversed"]
    versions = of_rows + counts["incidents_vanished"] + counts["incidents_excluded"]
    facts = {**snapshot, "dagster/row_count": versions, **counts, **lineage_metadata("incidents")}
    yield dg.MaterializeResult("incidents", metadata=facts)
    facts = {**snapshot, "dagster/row_count": counts["rows_rejected"], **lineage_metadata("rejected_rows")}
    yield dg.MaterializeResult("rejected_rows", metadata=facts)


@dg.asset(
    group_name=GROUP,
    owners=[OWNER],
    kinds={*KINDS, "h3"},
    deps=["incidents"],
    pool=POOL,
    metadata=table_metadata("hexagon_incidents"),
)
def hexagon_incidents(
    context: dg.AssetExecutionContext, lake: dg.ResourceParam[Lake], settings: dg.ResourceParam[Settings]
) -> dg.MaterializeResult:
    """Each version's share of a day in an H3 cell: a signed ledger of weights, extended delivery by delivery."""
    bucketed = bucket_new_deliveries(lake, settings, stamp_of(context))
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": bucketed.entries,
            "snapshot_id": bucketed.snapshot_id,
            "through_delivery_seq": bucketed.through,
            "incidents_unplaced": bucketed.unplaced,
            "incidents_over_long": bucketed.over_long.total(),
            "over_long_by_offence_group": dg.MetadataValue.md(_over_long(bucketed)),
            "days_touched": len(bucketed.days),
            "first_day": str(min(bucketed.days, default="-")),
            "last_day": str(max(bucketed.days, default="-")),
            "past_days_made_stale": bucketed.stale_days,
            **lineage_metadata("hexagon_incidents"),
        }
    )


def _over_long(bucketed: Bucketed) -> str:
    lines = [
        f"- {group}: {many:,} of {bucketed.placed[group]:,} ({many / bucketed.placed[group]:.1%})"
        for group, many in sorted(bucketed.over_long.items())
        if many
    ]
    return "\n".join(lines) or "- none"


ASSETS = [take_in_deliveries, hexagon_incidents]

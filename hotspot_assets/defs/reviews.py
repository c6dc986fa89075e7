"""Review and issue: reviews -> issued patrol areas -> sheets, and withdrawals. A person asks for each decision.

No schedule, no sensor and no other job selects the first three, and each needs a
configuration that names who acts and what is acted on. The page (`hotspot review`) starts the same jobs. They
have no partitions: re-materialising a day neither alters nor unissues anything.

They take no place in the pool of writers, so that an approval never waits for a backfill; the lock rows of the
lake keep the order.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition
from pydantic import Field

from hotspot_assets.defs.facts import (
    KINDS,
    OWNER,
    committed_metadata,
    lineage_metadata,
    stamp_of,
    table_metadata,
)
from hotspot_assets.defs.patrols import GROUP
from hotspot_assets.errors import UserError
from hotspot_assets.patrol.review import ReviewError
from hotspot_assets.settings import Settings
from hotspot_assets.warehouse.issuing import Answer
from hotspot_assets.warehouse.lake import Committed, Lake, Stamp
from hotspot_assets.warehouse.review_reads import Place, approvals_of_run
from hotspot_assets.workflow import review
from hotspot_assets.workflow.dates import today
from hotspot_assets.workflow.sheets import write_issued
from hotspot_assets.workflow.simulated_reviews import SIMULATED, simulate_reviews

REVIEW_JOB, ISSUE_JOB, WITHDRAW_JOB = "review", "issue", "withdraw"
REVIEW_AND_ISSUE_JOB = "review_and_issue"
SHEETS_JOB, SIMULATED_JOB = "issued_sheets_in_step", "simulated_reviews"


class ChangeConfig(dg.Config):
    """A change to a list."""

    action: str = Field(description="drop, move, add or reorder.")
    area_id: str = Field(description="Area it is about; for an addition, a new id.")
    reason: str = Field(description="Reason code; see the operators' guide.")
    text: str = Field("", description="Words to the reason; no names, no addresses.")
    cells: list[str] = Field([], description="H3 cells of a moved or added area, as hexadecimal text.")
    to_rank: int | None = Field(None, description="New rank of a reordered or added area.")
    offence_group: str = Field("", description="Of an added area.")
    name: str = Field("", description="Of an added area.")


class DecisionConfig(dg.Config):
    """A decision about the list of one date, unit and shift."""

    date: str = Field(description="Forecast date, YYYY-MM-DD.")
    unit: str
    shift: str = "day"
    decision: str = Field(description="approve or reject.")
    areas_seen: str = Field(description="Hash of the list that was looked at, from the review page.")
    decisions_seen: int = Field(0, description="Number of earlier decisions about the list that were seen.")
    changes: list[ChangeConfig] = Field([], description="None: the list is kept as it is.")
    reason: str = Field("", description="Reason code of a rejection.")
    text: str = Field("", description="Words to that reason.")


class ReviewConfig(dg.Config):
    """Who decides, and what."""

    reviewer: str = Field(description="Name of the person who decides; recorded as declared.")
    role: str = Field(description="Role in which they decide.")
    decisions: list[DecisionConfig]
    opened_at: str = Field(
        "", description="When the lists were opened (ISO 8601); without it the decision counts as immediate."
    )


class IssueConfig(dg.Config):
    """Who issues, and which approvals."""

    issued_by: str = Field(description="Name of the person who issues; recorded as declared.")
    reviews: list[str] = Field([], description="Review ids; none: the approvals of this same run.")


class WithdrawalConfig(dg.Config):
    """Who takes back which issues, and why."""

    withdrawn_by: str = Field(description="Name of the person who withdraws; recorded as declared.")
    issues: list[str] = Field(description="Issue ids.")
    reason: str = Field(description="Reason code; see the operators' guide.")
    text: str = Field("", description="Words to the reason; no names, no addresses.")


@dg.asset(
    group_name=GROUP,
    owners=[OWNER],
    kinds=KINDS,
    deps=["patrol_areas"],
    metadata=table_metadata("reviews"),
)
def reviews(
    context: dg.AssetExecutionContext,
    config: ReviewConfig,
    lake: dg.ResourceParam[Lake],
    settings: dg.ResourceParam[Settings],
) -> dg.MaterializeResult:
    """Decisions of named people about lists of patrol areas: approved, approved with changes, or rejected."""
    try:
        opened_at = _moment(config.opened_at) if config.opened_at else datetime.now(UTC)
        person = review.Person(config.reviewer, config.role, opened_at)
        wishes = [_wish(each) for each in config.decisions]
        done = review.decide(lake, settings, wishes, person, stamp_of(context))
    except UserError as refused:
        raise _refusal([str(refused)]) from refused
    facts = {"reviewer": config.reviewer, "role": config.role, "identity": "declared"}
    return _result(context, done, facts, ("state", "review_id", "changes"))


@dg.asset(
    group_name=GROUP,
    owners=[OWNER],
    kinds=KINDS,
    deps=["reviews"],
    metadata=table_metadata("issued_patrol_areas"),
)
def issued_patrol_areas(
    context: dg.AssetExecutionContext,
    config: IssueConfig,
    lake: dg.ResourceParam[Lake],
    settings: dg.ResourceParam[Settings],
) -> dg.MaterializeResult:
    """Approved lists as issued: immutable copies with issue id and content hash, until they end or are withdrawn."""
    ids = config.reviews or approvals_of_run(lake.read, context.run_id)
    try:
        done = review.issue(lake, settings, ids, config.issued_by, stamp_of(context))
    except UserError as refused:
        raise _refusal([str(refused)]) from refused
    return _result(
        context, done, {"issued_by": config.issued_by}, ("issue_id", "review_id", "areas", "content_hash")
    )


@dg.asset(
    group_name=GROUP,
    owners=[OWNER],
    kinds=KINDS,
    deps=["issued_patrol_areas"],
    metadata=table_metadata("withdrawals"),
)
def withdrawals(
    context: dg.AssetExecutionContext, config: WithdrawalConfig, lake: dg.ResourceParam[Lake]
) -> dg.MaterializeResult:
    """Issues taken back before their end, by whom and why; what was issued stays on record."""
    try:
        done = review.withdraw(
            lake, config.issues, config.withdrawn_by, config.reason, config.text, stamp_of(context)
        )
    except UserError as refused:
        raise _refusal([str(refused)]) from refused
    facts = {"withdrawn_by": config.withdrawn_by, "reason": config.reason}
    return _result(context, done, facts, ("issue_id",))


@dg.asset(
    group_name=GROUP,
    owners=[OWNER],
    kinds={"html", "pdf"},
    deps=["issued_patrol_areas", "withdrawals", "patrol_areas"],
)
def issued_sheets(lake: dg.ResourceParam[Lake], settings: dg.ResourceParam[Settings]) -> dg.MaterializeResult:
    """Sheets of the issued lists of yesterday, today and tomorrow; those superseded or withdrawn say so."""
    now = today(settings)
    days = [now, now + timedelta(days=1), now - timedelta(days=1)]  # what officers wait for comes first
    paths = [path for day in days for path in write_issued(lake, settings, day)]
    listed = "\n".join(f"- `{path}`" for path in paths)
    return dg.MaterializeResult(
        metadata={"files": len(paths), "paths": dg.MetadataValue.md(listed or "none")}
    )


def _wish(config: DecisionConfig) -> review.Wish:
    return review.Wish(
        place=Place(_day(config.date), config.shift, config.unit),
        outcome=config.decision,
        seen_hash=config.areas_seen,
        seen_round=config.decisions_seen,
        changes=tuple(
            review.change_of(
                each.action,
                each.area_id,
                each.reason,
                each.text,
                each.cells,
                each.to_rank,
                each.offence_group,
                each.name,
            )
            for each in config.changes
        ),
        reason=config.reason,
        text=config.text,
    )


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ReviewError(f"{text!r} is no date; write it as 2026-01-31.") from error


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError as error:
        raise ReviewError(f"{text!r} is no moment; write it as 2026-01-31T21:00:00+00:00.") from error


def _result(
    context: dg.AssetExecutionContext,
    done: Committed[list[Answer]],
    facts: dict[str, str],
    columns: Sequence[str],
) -> dg.MaterializeResult:
    """What was done as metadata; a run of which everything was refused fails."""
    kept = [answer for answer in done.result if answer.row is not None]
    refused = [str(answer.refusal) for answer in done.result if answer.row is None]
    if not kept:
        raise _refusal(refused)
    for words in refused:
        context.log.warning(words)
    head = ["list", *columns]
    lines = [[str(answer.place), *(str((answer.row or {})[name]) for name in columns)] for answer in kept]
    table = "\n".join("| " + " | ".join(line) + " |" for line in [head, ["---"] * len(head), *lines])
    return dg.MaterializeResult(
        metadata={
            **committed_metadata(done, len(kept)),
            **lineage_metadata(context.asset_key.path[0]),
            **facts,
            "lists": dg.MetadataValue.md(table),
            "refused": dg.MetadataValue.json(refused),
        }
    )


def _refusal(reasons: Sequence[str]) -> dg.Failure:
    """A failed run with one plain line."""
    more = f" (and {len(reasons) - 1} more)" if len(reasons) > 1 else ""
    facts = {"refused": dg.MetadataValue.json(list(reasons))}
    return dg.Failure(f"{reasons[0]}{more}", metadata=facts, allow_retries=False)


class PlayConfig(dg.Config):
    """The past days of a demonstration."""

    first: str = Field(description="First forecast date, YYYY-MM-DD.")
    last: str = Field(description="Last forecast date; before today.")


@dg.op
def play_reviews(
    context: dg.OpExecutionContext,
    config: PlayConfig,
    lake: dg.ResourceParam[Lake],
    settings: dg.ResourceParam[Settings],
) -> None:
    """SIMULATED decisions and issues for past days of a fictional place; refused for a real one."""
    stamp = Stamp(author=SIMULATED, run_id=context.run_id)
    try:
        days = simulate_reviews(lake, settings, _day(config.first), _day(config.last), stamp)
    except UserError as refused:
        raise _refusal([str(refused)]) from refused
    for asset, count in (("reviews", "decided"), ("issued_patrol_areas", "issued")):
        facts = {
            "simulated": True,
            **lineage_metadata(asset),
            "dagster/row_count": sum(getattr(day, count) for day in days),
            "days": dg.MetadataValue.json({str(day.day): getattr(day, count) for day in days}),
        }
        context.log_event(dg.AssetMaterialization(asset, description=SIMULATED, metadata=facts))


@dg.job(name=SIMULATED_JOB, description="SIMULATED reviews of past days of the fictional city.")
def simulated_reviews() -> None:
    """The play."""
    play_reviews()


def jobs(settings: Settings) -> list[UnresolvedAssetJobDefinition | dg.JobDefinition]:
    """The jobs that people start: from the review page, or from the launchpad with a configuration.

    A fictional place has one more; a real place has no job that decides by itself.
    """
    define, select = dg.define_asset_job, dg.AssetSelection.assets
    return [
        *([simulated_reviews] if settings.area.synthetic else []),
        define(REVIEW_JOB, select("reviews"), description="Decide about lists of patrol areas."),
        define(
            ISSUE_JOB,
            select("issued_patrol_areas", "issued_sheets"),
            description="Issue lists that were approved.",
        ),
        define(
            REVIEW_AND_ISSUE_JOB,
            select("reviews", "issued_patrol_areas", "issued_sheets"),
            description="Decide about lists, and issue those approved: what the review page does.",
        ),
        define(
            WITHDRAW_JOB,
            select("withdrawals", "issued_sheets"),
            description="Take issued lists back before their end.",
        ),
        define(
            SHEETS_JOB, select("issued_sheets"), description="Bring the sheets in step with what is issued."
        ),
    ]


ASSETS = [reviews, issued_patrol_areas, withdrawals, issued_sheets]

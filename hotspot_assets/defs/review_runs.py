"""What people do at the review desk, as runs of the review jobs.

Belongs here: the configuration of such a run, and what it came to. Not here: the page (`review_desk`).

Each act is one run in this process, whatever the number of lists: it stands in Dagster's history with reviewer,
hashes and refusals, and costs seconds, where a run of its own for each list would cost minutes a shift. Sheets
are drawn in a process of their own.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

import dagster as dg

from hotspot_assets.defs.operate import run_job
from hotspot_assets.defs.reviews import ISSUE_JOB, REVIEW_AND_ISSUE_JOB, REVIEW_JOB, SHEETS_JOB, WITHDRAW_JOB
from hotspot_assets.errors import UserError
from hotspot_assets.settings import Settings


@dataclass(frozen=True)
class Done:
    """What a run did: how many rows each asset kept, and what was refused, in words."""

    run_id: str
    kept: Mapping[str, int]
    refused: Sequence[str]


class ReviewRuns:
    """Starts the runs for one account of this machine."""

    def __init__(self, settings: Settings, definitions: dg.Definitions, account: str) -> None:
        self._settings, self._definitions, self._account = settings, definitions, account

    def decide(
        self, reviewer: str, role: str, opened_at: str, decisions: Sequence[Mapping[str, Any]]
    ) -> Done:
        """Decide about lists and issue those approved. `decisions`: fields of `reviews.DecisionConfig`."""
        config: dict[str, dict[str, Any]] = {
            "reviews": {
                "reviewer": reviewer, "role": role, "opened_at": opened_at, "decisions": list(decisions)
            }
        }  # fmt: skip
        if all(each["decision"] == "reject" for each in decisions):
            return self._run(REVIEW_JOB, config)
        config["issued_patrol_areas"] = {"issued_by": reviewer}
        return self._run(REVIEW_AND_ISSUE_JOB, config)

    def issue(self, issued_by: str, reviews: Sequence[str]) -> Done:
        """Issue lists that were approved before."""
        return self._run(
            ISSUE_JOB, {"issued_patrol_areas": {"issued_by": issued_by, "reviews": list(reviews)}}
        )

    def withdraw(self, by: str, issues: Sequence[str], reason: str, text: str) -> Done:
        """Take issues back."""
        config = {"withdrawn_by": by, "issues": list(issues), "reason": reason, "text": text}
        return self._run(WITHDRAW_JOB, {"withdrawals": config})

    def sheets(self) -> None:
        """Bring the sheets in step with what is issued, in a process of its own: nobody's act waits for it."""
        process = get_context("spawn").Process(target=_draw_sheets, args=(self._settings, self._account))
        process.start()
        process.join()

    def _run(self, job: str, configs: Mapping[str, Mapping[str, Any]]) -> Done:
        config = {"ops": {name: {"config": dict(each)} for name, each in configs.items()}}
        # The sheets come in a run of their own: who decides need not wait until they are drawn.
        result = run_job(
            self._settings, self._definitions, job, config=config, user=self._account, only=list(configs)
        )
        kept, refused = {}, []
        for name in configs:
            for event in result.asset_materializations_for_node(name):
                kept[name] = int(event.metadata["dagster/row_count"].value)
                refused += list(event.metadata["refused"].value)
        return Done(result.run_id, kept, refused)


def _draw_sheets(settings: Settings, account: str) -> None:
    from hotspot_assets.definitions import build_definitions

    with suppress(UserError):  # why it failed stands in the run
        run_job(settings, build_definitions(settings), SHEETS_JOB, user=account)

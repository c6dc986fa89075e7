"""A person decides, issues and withdraws; everything else is refused, and says why."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from hotspot_assets.assurance.ledger import verify
from hotspot_assets.patrol.review import ReviewError
from hotspot_assets.settings import Settings
from hotspot_assets.warehouse.chain import export_lines
from hotspot_assets.warehouse.guards import APPEND_ONLY, AppendOnly, NotApproved
from hotspot_assets.warehouse.issuing import Answer, Asked, issue_approved, keep_decisions
from hotspot_assets.warehouse.lake import Lake, Transaction
from hotspot_assets.warehouse.review_reads import issues_unlike_their_approval
from hotspot_assets.warehouse.tables import TABLES
from hotspot_assets.workflow.patrols import make_patrol_areas
from hotspot_assets.workflow.review import Wish, change_of, decide, issue, withdraw

from .homes import forecast, lake_of
from .reviewable import DAY, EAST, END_OF_DAY, STAMP, WEST, person, place, reviewable, standing, wish

A_DAY = timedelta(days=1)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return reviewable(tmp_path / "home")


@pytest.fixture
def lake(settings: Settings) -> Lake:
    return lake_of(settings)


def only(answers: list[Answer]) -> Answer:
    (answer,) = answers
    return answer


def approved(lake: Lake, settings: Settings, unit: str = WEST) -> str:
    """The id of a review that approves the list as it stands."""
    answer = only(decide(lake, settings, [wish(lake, unit)], person(), STAMP).result)
    assert answer.row is not None, answer.refusal
    return str(answer.row["review_id"])


def issued(lake: Lake, settings: Settings, unit: str = WEST) -> str:
    answer = only(issue(lake, settings, [approved(lake, settings, unit)], "A. Person", STAMP).result)
    assert answer.row is not None, answer.refusal
    return str(answer.row["issue_id"])


def rows(lake: Lake, table: str) -> int:
    return int(lake.read(f"SELECT count(*) FROM {table}").item())


def nothing_written(lake: Lake) -> bool:
    return not any(rows(lake, table) for table in APPEND_ONLY)


def test_an_approval_keeps_both_lists_and_an_issue_copies_the_approved_one(
    lake: Lake, settings: Settings
) -> None:
    model = standing(lake).areas
    drop = change_of("drop", f"{WEST}-burglary-2", "already_tasked")
    up = change_of("reorder", f"{WEST}-burglary-3", "other", "market day", to_rank=1)
    decided = decide(lake, settings, [wish(lake, changes=(drop, up))], person(), STAMP).result[0]
    assert decided.row is not None
    assert decided.row["state"] == "approved_with_changes"
    kept = lake.read("SELECT list, area_id FROM reviewed_areas ORDER BY list, rank").rows()
    assert kept == [
        ("human", f"{WEST}-burglary-3"),
        ("human", f"{WEST}-burglary-1"),
        *(("model", each) for each in model["area_id"]),
    ]
    changes = lake.read("SELECT position, action, reason, text FROM review_changes ORDER BY position")
    assert changes.rows() == [(1, "drop", "already_tasked", ""), (2, "reorder", "other", "market day")]
    made = only(issue(lake, settings, [decided.row["review_id"]], "A. Person", STAMP).result)
    assert made.row is not None
    found = lake.read("SELECT area_id, content_hash, expires_at FROM issued_patrol_areas ORDER BY rank")
    assert found["area_id"].to_list() == [f"{WEST}-burglary-3", f"{WEST}-burglary-1"]
    assert found["content_hash"].unique().to_list() == [decided.row["human_hash"]]
    assert found["expires_at"][0] == END_OF_DAY
    assert standing(lake).state_at(datetime.now(UTC)) == "issued"


def test_decision_issue_and_withdrawal_stand_in_the_ledger_without_words_or_areas(
    lake: Lake, settings: Settings
) -> None:
    text = "too near the school fair"
    drop = change_of("drop", f"{WEST}-burglary-1", "other", text)
    review = only(decide(lake, settings, [wish(lake, changes=(drop,))], person(), STAMP).result).row
    assert review is not None
    made = only(issue(lake, settings, [review["review_id"]], "A. Person", STAMP).result).row
    assert made is not None
    withdraw(lake, [made["issue_id"]], "B. Person", "legal", "", STAMP)
    entries = lake.read("SELECT kind, actor, subject, facts FROM ledger ORDER BY sequence").tail(3).to_dicts()
    assert [each["kind"] for each in entries] == ["review", "issue", "withdrawal"]
    assert entries[0]["actor"] == "A. Person, duty sergeant (declared, account tester)"
    assert entries[0]["subject"] == f"{WEST}, {DAY}, day"
    facts = [json.loads(each["facts"]) for each in entries]
    assert facts[0]["reasons"] == ["other"]
    assert facts[0]["human_hash"] == facts[1]["content_hash"]
    assert facts[1]["issue_id"] == made["issue_id"]
    lines = list(export_lines(lake))
    assert verify(lines).holds
    assert not [line for line in lines if text in line or f"{WEST}-burglary" in line]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"seen_hash": "0" * 64}, "not the ones that were looked at"),
        ({"seen_hash": ""}, "not the ones that were looked at"),
        ({"seen_round": 1}, "No decision"),
        ({"outcome": "maybe"}, "approve or reject"),
        ({"outcome": "reject"}, "Give a reason"),
        ({"place": replace(place(), unit="Atlantis")}, "no patrol areas"),
        ({"place": replace(place(), shift="nights")}, "no shift"),
        ({"changes": (change_of("drop", f"{WEST}-burglary-1", ""),)}, "Give a reason"),
        ({"changes": (change_of("drop", "nowhere", "legal"),)}, "no area nowhere"),
        ({"outcome": "reject", "reason": "other", "text": "ask jo@example.org"}, "personal data"),
    ],
)
def test_a_decision_that_may_not_be_taken_writes_nothing(
    lake: Lake, settings: Settings, change: dict[str, object], said: str
) -> None:
    asked = replace(wish(lake), **change)  # type: ignore[arg-type]
    try:
        refusal = only(decide(lake, settings, [asked], person(), STAMP).result).refusal
    except ReviewError as refused:
        refusal = str(refused)
    assert refusal is not None
    assert said in refusal
    assert nothing_written(lake)


@pytest.mark.parametrize(("name", "role"), [(" ", "sergeant"), ("A. Person", "")])
def test_nobody_decides_anonymously(lake: Lake, settings: Settings, name: str, role: str) -> None:
    nameless = replace(person(name), role=role)
    assert "who decides" in str(only(decide(lake, settings, [wish(lake)], nameless, STAMP).result).refusal)
    assert nothing_written(lake)


def test_a_day_that_is_over_cannot_be_decided(lake: Lake, settings: Settings) -> None:
    from hotspot_assets.patrol.review import Decision, list_hash

    now = datetime.now(UTC)
    over = Decision("approve", "A", "sergeant", "declared", now, now, now)
    asked = Asked(place(), over, list_hash(standing(lake).areas), 0)
    assert "no longer be decided" in str(only(keep_decisions(lake, [asked], {}, now, STAMP).result).refusal)
    assert nothing_written(lake)


def test_without_an_approval_nothing_is_issued_on_any_path(lake: Lake, settings: Settings) -> None:
    assert "no review" in str(only(issue(lake, settings, ["0123456789abcdef"], "A", STAMP).result).refusal)
    with pytest.raises(ReviewError, match="at least one approval"):
        issue(lake, settings, [], "A", STAMP)
    asked = wish(lake, outcome="reject", reason="resource")
    rejected = only(decide(lake, settings, [asked], person(), STAMP).result).row
    assert rejected is not None
    answer = only(issue(lake, settings, [rejected["review_id"]], "A", STAMP).result)
    assert "rejected cannot become issued" in str(answer.refusal)
    assert rows(lake, "issued_patrol_areas") == 0


def forged(lake: Lake, review_id: str, **other: object) -> pl.DataFrame:
    """Rows as an issue would have them, made by hand from the model's list."""
    from hotspot_assets.patrol.review import list_hash

    areas = standing(lake).areas
    now = datetime.now(UTC)
    facts: dict[str, object] = {
        "origin": "model", "review_id": review_id, "issue_id": "forged", "content_hash": list_hash(areas),
        "issued_by": "nobody", "issued_at": now, "expires_at": now + A_DAY, "simulated": False, "run_id": "",
    }  # fmt: skip
    columns = {name: pl.lit(value) for name, value in {**facts, **other}.items()}
    return TABLES["issued_patrol_areas"].conform(areas.with_columns(**columns))


def test_rows_handed_to_the_warehouse_directly_are_refused(lake: Lake, settings: Settings) -> None:
    def append(made: pl.DataFrame) -> None:
        lake.transact(
            lambda transaction: transaction.append("issued_patrol_areas", made), tables=[], message="by hand"
        )

    with pytest.raises(NotApproved, match="no approval"):
        append(forged(lake, "0123456789abcdef"))
    review_id = approved(lake, settings)
    ends = lake.read("SELECT expires_at FROM reviews").item()
    with pytest.raises(NotApproved, match="not the areas that were approved"):
        append(forged(lake, review_id, expires_at=ends).head(2))
    with pytest.raises(NotApproved, match="not the areas that were approved"):
        append(forged(lake, review_id, expires_at=ends, name="Elsewhere"))
    with pytest.raises(NotApproved, match="approval ends"):
        append(forged(lake, review_id, issued_at=ends, expires_at=ends))
    with pytest.raises(NotApproved, match="approval ends"):
        append(forged(lake, review_id, expires_at=ends + A_DAY))
    with pytest.raises(NotApproved, match="simulated"):
        append(forged(lake, review_id, expires_at=ends, simulated=True))
    assert rows(lake, "issued_patrol_areas") == 0
    # Even rows that equal the approved ones are found out when no issue stands in the ledger.
    append(forged(lake, review_id, expires_at=ends))
    assert issues_unlike_their_approval(lake.read)["issue_id"].to_list() == ["forged"]


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize("statement", ["DELETE FROM {}", "update {} SET run_id = ''", "DROP TABLE {}"])
def test_no_statement_alters_what_was_decided(lake: Lake, table: str, statement: str) -> None:
    def write(transaction: Transaction) -> None:
        transaction.execute(statement.format(table))

    with pytest.raises(AppendOnly, match="only ever added"):
        lake.transact(write, tables=[], message="by hand")
    with pytest.raises(AppendOnly):
        lake.read(f"INSERT INTO {table} SELECT * FROM {table}")


def test_what_is_issued_survives_the_day_being_made_again(lake: Lake, settings: Settings) -> None:
    issued(lake, settings)
    before = lake.read("SELECT * FROM issued_patrol_areas ORDER BY ALL")
    list(make_patrol_areas(lake, settings, DAY, DAY, STAMP))
    assert lake.read("SELECT * FROM issued_patrol_areas ORDER BY ALL").equals(before)
    assert standing(lake).state_at(datetime.now(UTC)) == "issued", "the same areas: still decided"
    other = settings.model_copy(update={"patrol": settings.patrol.model_copy(update={"areas": 1})})
    list(make_patrol_areas(lake, other, DAY, DAY, STAMP))
    assert standing(lake).areas.height == 1
    assert lake.read("SELECT * FROM issued_patrol_areas ORDER BY ALL").equals(before)


def test_a_newer_forecast_must_be_reviewed_anew_and_its_issue_replaces_the_older(
    lake: Lake, settings: Settings
) -> None:
    waiting = approved(lake, settings, EAST)
    old = issued(lake, settings)
    stale = wish(lake)
    other = settings.model_copy(
        update={"forecast": settings.forecast.model_copy(update={"least_incidents": 29})}
    )
    forecast(other, DAY, DAY)
    refused = only(decide(lake, settings, [replace(stale, seen_round=1)], person(), STAMP).result).refusal
    assert "Superseded" in str(refused), "the areas are those of the older forecast"
    assert "computed anew" in str(only(issue(lake, settings, [waiting], "A", STAMP).result).refusal)
    list(make_patrol_areas(lake, settings, DAY, DAY, STAMP))
    refused = only(decide(lake, settings, [replace(stale, seen_round=1)], person(), STAMP).result).refusal
    assert "not the ones that were looked at" in str(refused)
    assert "computed anew" in str(only(issue(lake, settings, [waiting], "A", STAMP).result).refusal)
    new = issued(lake, settings)
    now = datetime.now(UTC)
    assert standing(lake).in_force(now) == [new]
    taken_back = lake.read("SELECT issue_id, reason, text FROM withdrawals").rows()
    assert taken_back == [(old, "other", f"replaced by issue {new}")]


def test_a_list_is_decided_and_issued_once_and_withdrawn_once(lake: Lake, settings: Settings) -> None:
    issue_id = issued(lake, settings)
    again = wish(lake)
    assert "issued cannot become" in str(
        only(decide(lake, settings, [again], person(), STAMP).result).refusal
    )
    review_id = str(standing(lake).review["review_id"])  # type: ignore[index]
    assert "issued already" in str(only(issue(lake, settings, [review_id], "A", STAMP).result).refusal)
    assert "Give a reason" in str(only(withdraw(lake, [issue_id], "B", None, "", STAMP).result).refusal)
    assert only(withdraw(lake, [issue_id], "B", "legal", "", STAMP).result).row
    assert "withdrawn cannot" in str(only(withdraw(lake, [issue_id], "B", "legal", "", STAMP).result).refusal)
    assert "no issue" in str(only(withdraw(lake, ["x"], "B", "legal", "", STAMP).result).refusal)
    assert rows(lake, "issued_patrol_areas") == standing(lake).areas.height, "the issued rows stay"
    second = issued(lake, settings)
    assert second != issue_id
    assert lake.read("SELECT round, state FROM reviews ORDER BY round").rows() == [
        (1, "approved"),
        (2, "approved"),
    ]


def test_an_approval_that_was_decided_over_cannot_be_issued(lake: Lake, settings: Settings) -> None:
    asked = wish(lake, outcome="reject", reason="resource")
    assert only(decide(lake, settings, [asked], person(), STAMP).result).row
    first = approved(lake, settings)
    approval = lake.read("SELECT * FROM reviews WHERE review_id = ?", [first]).row(0, named=True)
    late = approval["expires_at"]
    answer = only(issue_approved(lake, [first], "A", late, STAMP, issued_at=late).result)
    assert "approval ended" in str(answer.refusal)
    assert rows(lake, "issued_patrol_areas") == 0


def test_in_one_act_what_is_refused_does_not_hold_up_the_rest(lake: Lake, settings: Settings) -> None:
    asked = [replace(wish(lake), seen_round=7), wish(lake, EAST), wish(lake, EAST)]
    answers = decide(lake, settings, asked, person(seconds=30), STAMP).result
    assert [each.refusal is None for each in answers] == [False, True, False]
    assert "twice" in str(answers[2].refusal)
    assert lake.read("SELECT unit, together, seconds >= 30 FROM reviews").rows() == [(EAST, 3, True)]


def test_an_added_area_must_lie_on_open_ground_of_the_unit(lake: Lake, settings: Settings) -> None:
    west, east = (standing(lake, unit).areas["cells"][0].to_list() for unit in (WEST, EAST))

    def add(cells: list[int], name: str = "Station") -> Answer:
        change = change_of(
            "add", "mine", "community_concern", "", [f"{cell:x}" for cell in cells],
            offence_group="burglary", name=name,
        )  # fmt: skip
        drop = change_of("drop", f"{WEST}-burglary-1", "not_patrolable")
        return only(decide(lake, settings, [wish(lake, changes=(drop, change))], person(), STAMP).result)

    assert "leaves its unit" in str(add(east).refusal)
    assert "needs an offence group and a name" in str(add(west, " ").refusal)
    assert add(west).row
    found = lake.read(
        "SELECT origin, share, forecast_id, why FROM reviewed_areas WHERE area_id = 'mine'"
    ).row(0)
    assert found[:3] == ("human", None, None)
    assert "not by the model" in found[3]
    with pytest.raises(ReviewError, match="no H3 cells"):
        change_of("move", "mine", "legal", "", ["not a cell"])
    with pytest.raises(ReviewError, match="no change"):
        change_of("paint", "mine", "legal")


def test_no_simulation_decides_or_issues_for_a_real_place(lake: Lake, settings: Settings) -> None:
    from hotspot_assets.workflow.review import Played

    assert not settings.area.synthetic
    now = datetime.now(UTC)
    with pytest.raises(ReviewError, match="Only a person"):
        decide(lake, settings, [wish(lake)], person(), STAMP, Played(now, now))
    review_id = approved(lake, settings)
    with pytest.raises(ReviewError, match="Only a person"):
        issue(lake, settings, [review_id], "SIMULATED", STAMP, played_at=now)
    assert rows(lake, "issued_patrol_areas") == 0


def test_a_decision_names_at_least_one_list(lake: Lake, settings: Settings) -> None:
    with pytest.raises(ReviewError, match="at least one list"):
        decide(lake, settings, [], person(), STAMP)
    with pytest.raises(ReviewError, match="at least one issue"):
        withdraw(lake, [], "A", "legal", "", STAMP)
    assert Wish(place(), "approve", "x" * 64, 0).changes == ()

"""Review: what a person may decide, what is refused, and what is left afterwards."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import h3
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hotspot_assets.errors import UserError
from hotspot_assets.patrol.areas import patrol_areas
from hotspot_assets.patrol.budgets import Budget
from hotspot_assets.patrol.changes import Change
from hotspot_assets.patrol.ground import Ground
from hotspot_assets.patrol.reasons import REASONS
from hotspot_assets.patrol.review import (
    TRANSITIONS,
    Decision,
    ReviewError,
    decide,
    issue,
    list_hash,
    state_at,
    step,
    withdraw,
)
from hotspot_assets.patrol.review_statistics import fate_outcomes, review_statistics
from hotspot_assets_tests.patrol.towns import DAY, connected, ground_of, halves, surface_of, town

NINE = datetime(2014, 6, 1, 21, 0, tzinfo=UTC)
APPROVAL = Decision(
    "approve",
    "A. Person",
    "duty inspector",
    "declared",
    NINE,
    NINE + timedelta(seconds=90),
    NINE + timedelta(hours=24),
)
EVERY_AREA = [f"Eastgate-{group}-{rank}" for group in ("theft", "burglary") for rank in (1, 2, 3)]
NEWEST = {"f-theft", "f-burglary"}


@pytest.fixture(scope="module")
def ground() -> Ground:
    area = town(5)
    shut = pl.DataFrame({"cell": area.cells[:1], "reason": "water"})
    return ground_of(area, Budget(0.09, areas=3, max_radius_m=150), halves(area), shut)


@pytest.fixture(scope="module")
def areas(ground: Ground) -> pl.DataFrame:
    """The areas of one unit: two offence groups of three areas each."""
    frames = []
    for seed, group in enumerate(("burglary", "theft")):
        prizes = np.random.default_rng(seed).gamma(0.3, size=ground.area.n)
        found = patrol_areas(surface_of(ground.area, prizes), ground, DAY, group)
        frames.append(
            found.with_columns(forecast_id=pl.lit(f"f-{group}"), begins_before_cut_off=pl.lit(False))
        )
    found = pl.concat(frames).filter(pl.col("unit") == "Eastgate")
    assert found.height == 6
    return found


def _change(**fields: Any) -> Change:
    return Change(**({"action": "drop", "area_id": "Eastgate-theft-2", "reason": "already_tasked"} | fields))


def _free(areas: pl.DataFrame, ground: Ground, count: int) -> list[int]:
    """Connected cells of the unit that no area holds."""
    taken = set(areas["cells"].explode())
    east = ground.units.index("Eastgate")
    free = [
        f"{cell:x}" for cell, unit, ok in zip(ground.area.cells, ground.unit_of, ground.open, strict=True)
        if unit == east and ok and int(cell) not in taken
    ]  # fmt: skip
    for start in free:
        found = [start]
        for _ in range(count - 1):
            beside = [
                each for cell in found for each in h3.grid_ring(cell, 1) if each in free and each not in found
            ]
            found.extend(beside[:1])
        if len(found) == count:
            return [int(cell, 16) for cell in found]
    raise AssertionError("no room")


def test_approval_keeps_both_lists(areas: pl.DataFrame, ground: Ground) -> None:
    done = decide(areas, APPROVAL, NEWEST, ground)
    assert done.state == "approved"
    assert done.model_list.equals(areas)
    assert done.human_list.drop("origin").equals(areas.sort("offence_group", "rank"))
    review = done.review.row(0, named=True)
    assert (review["seconds"], review["identity"], review["changes"]) == (90.0, "declared", 0)
    assert review["model_hash"] == review["human_hash"] == list_hash(areas)
    assert review["forecast_ids"] == ["f-burglary", "f-theft"]


def test_each_change_does_what_it_says(areas: pl.DataFrame, ground: Ground) -> None:
    cells = _free(areas, ground, 2)
    changes = (
        _change(),
        _change(action="reorder", area_id="Eastgate-burglary-3", reason="event_changed", to_rank=1),
        _change(action="move", area_id="Eastgate-theft-1", reason="geocode_artefact", cells=tuple(cells)),
        _change(
            action="add", area_id="mine", reason="other", text="market day", offence_group="theft",
            name="The market", cells=tuple(_free(areas, ground, 1)), to_rank=1,
        ),
    )  # fmt: skip
    with pytest.raises(UserError, match="overlap"):
        decide(areas, replace(APPROVAL, changes=changes), NEWEST, ground)
    changes = (*changes[:3], replace(changes[3], cells=(int(ground.area.cells[-1]),)))
    spare = set(_unit_cells(ground, "Eastgate")) - set(areas["cells"].explode()) - set(cells)
    changes = (*changes[:3], replace(changes[3], cells=(min(spare),)))
    done = decide(areas, replace(APPROVAL, changes=changes), NEWEST, ground)
    assert done.state == "approved_with_changes"
    human = done.human_list
    order = dict(human.group_by("offence_group", maintain_order=True).agg("area_id").iter_rows())
    assert order["burglary"] == ["Eastgate-burglary-3", "Eastgate-burglary-1", "Eastgate-burglary-2"]
    assert order["theft"] == ["mine", "Eastgate-theft-1", "Eastgate-theft-3"]
    assert human["rank"].to_list() == [1, 2, 3, 1, 2, 3]
    moved = human.row(by_predicate=pl.col("area_id") == "Eastgate-theft-1", named=True)
    assert (moved["origin"], sorted(moved["cells"]), moved["share"]) == ("model, moved", sorted(cells), None)
    mine = human.row(by_predicate=pl.col("area_id") == "mine", named=True)
    assert (mine["origin"], mine["forecast_id"], mine["share"]) == ("human", None, None)
    assert "not by the model" in mine["why"] and "market day" in mine["why"]
    assert done.model_list.equals(areas), "the model's list is kept as it was"
    assert done.changes["reason"].to_list() == [
        "already_tasked",
        "event_changed",
        "geocode_artefact",
        "other",
    ]
    assert done.review["human_hash"][0] != done.review["model_hash"][0]


def _unit_cells(ground: Ground, unit: str) -> list[int]:
    inside = (ground.unit_of == ground.units.index(unit)) & ground.open
    return [int(cell) for cell in ground.area.cells[inside]]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"reason": ""}, "Give a reason"),
        ({"reason": "because"}, "Give a reason"),
        ({"reason": "other", "text": "  "}, "needs words"),
        ({"text": "x" * 501}, "longer"),
        ({"area_id": "Westgate-theft-1"}, "no area"),
        ({"action": "reorder"}, "which rank"),
        ({"action": "reorder", "to_rank": 2}, "already"),
        ({"action": "move"}, "needs cells"),
        ({"action": "move", "cells": (1,)}, "needs cells"),
        ({"action": "add", "cells": (1,), "offence_group": "theft", "name": "x"}, "taken"),
        ({"action": "add", "area_id": "mine", "cells": (1,)}, "offence group and a name"),
    ],
)
def test_improper_changes_are_refused(
    areas: pl.DataFrame, ground: Ground, fields: dict[str, Any], words: str
) -> None:
    with pytest.raises(UserError, match=words):
        decide(areas, replace(APPROVAL, changes=(_change(**fields),)), NEWEST, ground)


def test_moves_must_leave_a_patrol_area(areas: pl.DataFrame, ground: Ground) -> None:
    def move(*cells: int) -> None:
        decide(areas, replace(APPROVAL, changes=(_change(action="move", cells=cells),)), NEWEST, ground)

    east, west = _unit_cells(ground, "Eastgate"), _unit_cells(ground, "Westgate")
    with pytest.raises(UserError, match="leaves its unit"):
        move(west[0])
    with pytest.raises(UserError, match="excluded"):
        move(int(ground.area.cells[0]))
    apart = next(cell for cell in east if not connected([east[0], cell]))
    with pytest.raises(UserError, match="hang together"):
        move(east[0], apart)
    same = areas.row(by_predicate=pl.col("area_id") == "Eastgate-theft-2", named=True)["cells"]
    with pytest.raises(UserError, match="changes no cell"):
        move(*same)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"reviewer": " "}, "who decides"),
        ({"role": ""}, "role"),
        ({"decided_at": NINE - timedelta(seconds=1)}, "clock"),
        ({"decided_at": NINE + timedelta(hours=24)}, "no longer"),
        ({"outcome": "reject"}, "Give a reason"),
        ({"outcome": "reject", "reason": "resource", "changes": (_change(),)}, "no changes"),
        ({"changes": tuple(_change(area_id=each) for each in EVERY_AREA)}, "reject"),
    ],
)  # fmt: skip
def test_improper_decisions_are_refused(
    areas: pl.DataFrame, ground: Ground, fields: dict[str, Any], words: str
) -> None:
    with pytest.raises(UserError, match=words):
        decide(areas, replace(APPROVAL, **fields), NEWEST, ground)


def test_an_older_vintage_and_a_second_decision_are_refused(areas: pl.DataFrame, ground: Ground) -> None:
    with pytest.raises(ReviewError, match="f-theft is not the newest"):
        decide(areas, APPROVAL, {"f-burglary", "f-theft-2"}, ground)
    for state in set(TRANSITIONS) - {"in_review"}:
        with pytest.raises(ReviewError, match=state):
            decide(areas, APPROVAL, NEWEST, ground, state)
    with pytest.raises(ReviewError, match="no area"):
        decide(areas.clear(), APPROVAL, NEWEST, ground)


def test_issue_only_what_was_approved(areas: pl.DataFrame, ground: Ground) -> None:
    done = decide(areas, APPROVAL, NEWEST, ground)
    review = done.review.row(0, named=True)
    issued = issue(done.human_list, review, NEWEST, "A. Person", NINE + timedelta(hours=1))
    assert issued.height == areas.height
    assert issued["content_hash"].unique().to_list() == [review["human_hash"]]
    assert issued["issue_id"].n_unique() == 1
    later = NINE + timedelta(hours=24)
    with pytest.raises(ReviewError, match="ended"):
        issue(done.human_list, review, NEWEST, "A. Person", later)
    with pytest.raises(ReviewError, match="newest"):
        issue(done.human_list, review, {"f-theft"}, "A. Person", NINE)
    with pytest.raises(ReviewError, match="not the areas"):
        issue(done.human_list.head(5), review, NEWEST, "A. Person", NINE)
    with pytest.raises(ReviewError, match="who issues"):
        issue(done.human_list, review, NEWEST, "", NINE)
    rejected = decide(areas, replace(APPROVAL, outcome="reject", reason="resource"), NEWEST, ground)
    assert rejected.human_list.is_empty()
    with pytest.raises(ReviewError, match="rejected cannot become issued"):
        issue(areas, rejected.review.row(0, named=True), NEWEST, "A. Person", NINE)


@given(path=st.lists(st.sampled_from(sorted(TRANSITIONS)), max_size=8))
@settings(max_examples=200)
def test_nothing_is_issued_without_approval(path: list[str]) -> None:
    """Whatever is tried in whatever order, an approval came before an issue."""
    state, reached = "draft", ["draft"]
    for wanted in path:
        try:
            state = step(state, wanted)
            reached.append(state)
        except ReviewError:
            assert wanted not in TRANSITIONS[state]
    if "issued" in reached:
        assert reached[reached.index("issued") - 1] in {"approved", "approved_with_changes"}


def test_issues_end_and_are_withdrawn() -> None:
    end = NINE + timedelta(hours=8)
    assert state_at("issued", end - timedelta(seconds=1), end, None) == "issued"
    assert state_at("issued", end, end, None) == "expired"
    assert state_at("issued", end + timedelta(days=1), end, NINE) == "withdrawn"
    assert state_at("approved", end, end, None) == "approved", "time alone issues nothing"
    row = withdraw("i1", "issued", "A. Person", NINE, "legal", "")
    assert row["withdrawn_at"][0] == NINE
    for bad in (("approved", "legal", "A"), ("issued", None, "A"), ("issued", "legal", " ")):
        with pytest.raises(UserError):
            withdraw("i1", bad[0], bad[2], NINE, bad[1], "")
    assert set(REASONS) >= {"geocode_artefact", "not_patrolable", "community_concern", "intelligence_other"}


def test_statistics_by_hand(areas: pl.DataFrame, ground: Ground) -> None:
    quick = decide(areas, replace(APPROVAL, decided_at=NINE + timedelta(seconds=60)), NEWEST, ground)
    slow = decide(areas, APPROVAL, NEWEST, ground)
    changed = decide(areas, replace(APPROVAL, changes=(_change(),)), NEWEST, ground)
    rejected = decide(areas, replace(APPROVAL, outcome="reject", reason="resource"), NEWEST, ground)
    robot = decide(areas, replace(APPROVAL, simulated=True), NEWEST, ground)
    found = review_statistics(pl.concat(each.review for each in (quick, slow, changed, rejected, robot)))
    assert found["simulated"].to_list() == [False, True]
    people = found.row(0, named=True)
    assert (people["decided"], people["override_rate"]) == (4, 0.5)
    assert people["quick_approvals"] == pytest.approx(1 / 3)
    assert people["median_seconds"] == 90.0


def test_fates_by_hand(areas: pl.DataFrame, ground: Ground) -> None:
    done = decide(areas, replace(APPROVAL, changes=(_change(),)), NEWEST, ground)
    dropped = areas.row(by_predicate=pl.col("area_id") == "Eastgate-theft-2", named=True)["cells"]
    kept = areas.row(by_predicate=pl.col("area_id") == "Eastgate-theft-1", named=True)["cells"]
    outside = min(set(_unit_cells(ground, "Eastgate")) - set(areas["cells"].explode()))
    incidents = pl.DataFrame(
        {
            "forecast_date": [DAY] * 3,
            "offence_group": ["theft"] * 3,
            "cell": [dropped[0], kept[0], outside],
            "incidents": [1.0, 2.0, 5.0],
        },
        schema_overrides={"cell": pl.UInt64},
    )
    sizes = pl.DataFrame({"cell": ground.area.cells, "area_km2": ground.area.area_km2})
    found = fate_outcomes(done.model_list, done.human_list, incidents, sizes).rows_by_key(
        ["offence_group", "fate"], named=True, unique=True
    )
    assert found["theft", "dropped"]["hit_rate"] == pytest.approx(1 / 8)
    assert found["theft", "kept"]["hit_rate"] == pytest.approx(2 / 8)
    assert found["theft", "kept"]["areas"] == 2
    assert found["burglary", "kept"]["hit_rate"] is None, "no burglary, no rate"

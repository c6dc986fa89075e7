"""The play of the fictional city: marked everywhere, refused for a real place, and judged like people's decisions."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from hotspot_assets.patrol.review import ReviewError
from hotspot_assets.settings import Settings
from hotspot_assets.warehouse.review_reads import issues_side_by_side, issues_unlike_their_approval
from hotspot_assets.workflow.patrols import make_patrol_areas
from hotspot_assets.workflow.review_results import review_results
from hotspot_assets.workflow.simulated_reviews import SIMULATED, simulate_reviews

from .homes import forecast, lake_of
from .reviewable import DAY, STAMP, reviewable

FIRST, LAST = DAY - timedelta(days=16), DAY - timedelta(days=3)
UNITS = tuple(f"Strip {letter}" for letter in "ABCDEF")


@pytest.fixture(scope="module")
def fictional(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A home of a fictional place, with forecasts for two weeks that are known: in one, nobody may drop an area."""
    settings = reviewable(tmp_path_factory.mktemp("fictional") / "home", UNITS)
    settings = settings.model_copy(update={"area": settings.area.model_copy(update={"synthetic": True})})
    lake = lake_of(settings)
    forecast(settings, FIRST, LAST)
    list(make_patrol_areas(lake, settings, FIRST, LAST, STAMP))
    lake.close()
    return settings


def test_a_real_place_and_a_day_that_is_not_over_are_refused(tmp_path: Path, fictional: Settings) -> None:
    real = reviewable(tmp_path / "home")
    with pytest.raises(ReviewError, match="Only a person"):
        simulate_reviews(lake_of(real), real, FIRST, LAST, STAMP)
    with pytest.raises(ReviewError, match="wait for a person"):
        simulate_reviews(lake_of(fictional), fictional, FIRST, DAY, STAMP)
    for settings in (real, fictional):
        assert lake_of(settings).read("SELECT count(*) FROM reviews").item() == 0


def test_the_play_is_marked_everywhere_and_judged_apart(fictional: Settings) -> None:
    lake = lake_of(fictional)
    played = simulate_reviews(lake, fictional, FIRST, LAST, STAMP)
    reviews = lake.read("SELECT * FROM reviews")
    assert reviews["simulated"].all() and set(reviews["reviewer"]) == {SIMULATED}
    assert reviews.height == sum(day.decided for day in played)
    lists = lake.read(
        "SELECT DISTINCT forecast_date, unit FROM patrol_areas WHERE forecast_date <= ?", [LAST]
    )
    assert 0 < reviews.height < lists.height, "some lists nobody decided about"
    issued = lake.read("SELECT issue_id, simulated, issued_at, expires_at FROM issued_patrol_areas")
    assert issued["simulated"].all() and (issued["issued_at"] < issued["expires_at"]).all()
    approved = reviews.filter(pl.col("state") != "rejected").height
    assert issued["issue_id"].n_unique() == approved == sum(day.issued for day in played)
    facts = lake.read("SELECT facts FROM ledger WHERE kind IN ('review', 'issue')")["facts"]
    assert len(facts) == reviews.height + approved
    assert all(json.loads(each)["simulated"] for each in facts)
    assert issues_unlike_their_approval(lake.read).is_empty()
    assert issues_side_by_side(lake.read).is_empty()
    again = simulate_reviews(lake, fictional, FIRST, LAST, STAMP)
    silent = lists.height - reviews.height
    assert sum(day.decided for day in again) <= silent, "what is decided stays decided"

    results = review_results(lake, fictional)
    assert results.decisions["simulated"].to_list() == [True]
    assert set(results.fates["fate"]) >= {"kept", "dropped"}
    kept = results.fates.row(by_predicate=pl.col("fate") == "kept", named=True)
    assert kept["hits"] == pytest.approx(counted(fictional, "kept"))
    dropped = results.fates.row(by_predicate=pl.col("fate") == "dropped", named=True)
    assert dropped["hits"] == pytest.approx(counted(fictional, "dropped"))


def counted(settings: Settings, fate: str) -> float:
    """Incidents in areas that were kept or dropped, by a loop over what is stored."""
    lake = lake_of(settings)
    rows = lake.read(
        "SELECT forecast_date, unit, review_id, list, area_id, cells, origin FROM reviewed_areas"
    )
    human = {(each["review_id"], each["area_id"]) for each in rows.to_dicts() if each["list"] == "human"}
    cells: set[tuple[object, int]] = set()
    for each in rows.filter(pl.col("list") == "model").to_dicts():
        stayed = (each["review_id"], each["area_id"]) in human
        if stayed == (fate == "kept"):
            cells |= {(each["forecast_date"], cell) for cell in each["cells"]}
    weights = lake.read("SELECT day, cell, weight FROM hexagon_incidents").rows()
    return sum(weight for day, cell, weight in weights if (day, cell) in cells) / 1e6

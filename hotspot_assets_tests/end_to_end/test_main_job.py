"""The main job as a newcomer runs it: every asset, every count, every number that can be worked out another way."""

from __future__ import annotations

import csv
import random
from collections import Counter
from datetime import date, timedelta

import dagster as dg
import h3
import numpy as np
import polars as pl
import pytest

from hotspot_assets.definitions import build_definitions
from hotspot_assets.defs import operate
from hotspot_assets.hexgrid.cells import cell_to_hex
from hotspot_assets.settings import Settings
from hotspot_assets.warehouse.audits import (
    broken_weights,
    closed_but_weighing,
    deliveries_that_do_not_add_up,
    surfaces,
    unfollowed_headers,
)
from hotspot_assets.warehouse.forecasts import headers_of, scores_between
from hotspot_assets.warehouse.lake import Stamp
from hotspot_assets.workflow.bucketing import bucket_new_deliveries
from hotspot_assets.workflow.deliveries import Declaration, Taken, take_in
from hotspot_assets.workflow.fictional import drop_late_file
from hotspot_assets.workflow.forecasts import make_forecasts
from hotspot_assets.workflow.replay import explain_cells, hindsight_difference, replay

from .conftest import DAYS, ON_DEMAND, Home

STAMP = Stamp("test", "run")


def with_model(settings: Settings, model: str) -> Settings:
    return settings.model_copy(update={"forecast": settings.forecast.model_copy(update={"model": model})})


def days_of(home: Home) -> list[date]:
    return home.lake.read("SELECT DISTINCT forecast_date AS day FROM proximity_scores ORDER BY 1")[
        "day"
    ].to_list()


def test_every_asset_was_materialised_as_dagsters_event_log_says(home: Home) -> None:
    keys = build_definitions(home.settings).resolve_asset_graph().get_all_asset_keys()
    with operate.instance_of(home.settings) as instance:
        never = {
            key.to_user_string() for key in keys if instance.get_latest_materialization_event(key) is None
        }
    assert never <= ON_DEMAND


def test_every_forecast_day_has_a_check_result_of_its_own(home: Home) -> None:
    with operate.instance_of(home.settings) as instance:
        for asset, check in (
            ("proximity_scores", "surfaces_are_shares"),
            ("patrol_areas", "areas_do_not_overlap"),
            ("patrol_areas", "union_within_cap"),
        ):
            history = instance.event_log_storage.get_asset_check_execution_history(
                dg.AssetCheckKey(dg.AssetKey(asset), check), limit=100
            )
            results = {record.partition: record.status.value for record in history}
            assert {day.isoformat() for day in days_of(home)} <= set(results)
            assert set(results.values()) == {"SUCCEEDED"}  # none failed, none left planned


def test_every_forecast_day_has_facts_of_its_own(home: Home) -> None:
    with operate.instance_of(home.settings) as instance:
        for day in days_of(home):
            found = instance.fetch_materializations(
                dg.AssetRecordsFilter(dg.AssetKey("proximity_scores"), asset_partitions=[day.isoformat()]),
                limit=1,
            )
            metadata = found.records[0].asset_materialization.metadata  # type: ignore[union-attr]
            header = headers_of(home.lake, day, day).row(0, named=True)
            assert metadata["delivery_seq"].value == header["delivery_seq"]
            assert metadata["cut_off"].value == header["cut_off"].isoformat()
            assert metadata["dagster/partition_row_count"].value == scores_between(home.lake, day, day).height


def test_the_counts_of_the_delivery_equal_a_count_of_the_file(home: Home) -> None:
    row = home.lake.read("SELECT * FROM deliveries").row(0, named=True)
    (file,) = (home.settings.landing / "ingested").glob("*.csv")
    with file.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert row["rows_read"] == len(rows)
    found = Counter(fault_of(each, home.settings) for each in rows)
    sound = found.pop("")
    reasons = dict(home.lake.read("SELECT reason, count(*) FROM rejected_rows GROUP BY 1").rows())
    assert reasons == found
    references = Counter(each["reference"] for each in rows if not fault_of(each, home.settings))
    repeats = sum(count - 1 for count in references.values())
    assert row["rows_duplicate"] == repeats > 0
    assert row["rows_new"] == sound - repeats
    assert deliveries_that_do_not_add_up(home.lake).is_empty()
    assert broken_weights(home.lake).is_empty()


def fault_of(row: dict[str, str], settings: Settings) -> str:
    """What is wrong with a row of the fictional file, by plain Python; empty: nothing."""
    assert settings.area.extent is not None
    south, west, north, east = settings.area.extent
    if not row["reference"]:
        return "missing_reference"
    if "/" in row["occurred_from"]:
        return "ambiguous_date_format"
    if row["occurred_from"].startswith(("1900", "2099")):
        return "before_earliest" if row["occurred_from"].startswith("1900") else "in_future"
    if not row["offence_group"]:
        return "unknown_offence"
    if not row["latitude"] and not row["longitude"]:
        return ""
    try:
        latitude, longitude = float(row["latitude"]), float(row["longitude"])
    except ValueError:
        return "bad_coordinate"
    if latitude == longitude == 0:
        return "coordinates_zero"
    if south <= longitude <= north and west <= latitude <= east:
        return "coordinates_swapped"
    return "" if south <= latitude <= north and west <= longitude <= east else "outside_extent"


def test_surfaces_are_shares_and_agree_with_their_headers(home: Home) -> None:
    days = days_of(home)
    facts = surfaces(home.lake, days[0], days[-1])
    assert facts.height == DAYS * len(home.settings.forecast.groups)
    assert np.allclose(facts["total"], 1.0, atol=1e-9)
    assert (facts["ranks"] == facts["cells"]).all()
    assert unfollowed_headers(home.lake, days[0], days[-1]).is_empty()


def test_patrol_areas_are_contiguous_apart_and_within_budget(home: Home) -> None:
    areas = home.lake.read("SELECT * FROM patrol_areas")
    unit_km2 = dict(
        home.lake.read("SELECT unit, sum(area_km2) FROM cells WHERE unit IS NOT NULL GROUP BY 1").rows()
    )
    for (unit, *_), lists in areas.group_by("unit", "forecast_date", "offence_group"):
        assert lists["area_km2"].sum() <= home.settings.patrol.budget_share * unit_km2[unit] + 1e-12
        cells = [set(cell_to_hex(row)) for row in lists["cells"]]
        assert len(set().union(*cells)) == sum(map(len, cells))
        for each in cells:
            reached, front = set(), {next(iter(each))}
            while front:
                reached |= front
                front = {near for cell in front for near in h3.grid_ring(cell, 1)} & each - reached
            assert reached == each


@pytest.mark.parametrize("model", ["count_365", "promap"])
def test_scores_of_a_random_day_equal_a_loop_over_incidents(copy_of_home: Home, model: str) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    draw = random.Random(seed)
    settings, lake = with_model(copy_of_home.settings, model), copy_of_home.lake
    day = days_of(copy_of_home)[-1] - timedelta(days=draw.randrange(1, 300))
    group = draw.choice(settings.forecast.groups)
    (facts,) = make_forecasts(lake, settings, day, day, STAMP)
    scores = scores_between(lake, day, day).filter(pl.col("offence_group") == group)
    stored = dict(zip(cell_to_hex(scores["cell"].to_list()), scores["score"].to_list(), strict=True))
    cut_off = facts.headers["cut_off"][0]
    entries = lake.read(
        "SELECT day, cell, weight FROM hexagon_incidents WHERE offence_group = ? AND day < ? AND known_from <= ?",
        [group, day, cut_off],
    )
    naive = dict.fromkeys(stored, 0.0)
    for when, cell, weight in entries.iter_rows():
        age = (day - when).days
        home_cell = h3.int_to_str(cell)
        if model == "count_365":
            given = {home_cell: 1.0} if age <= 365 else {}
        elif age // 7 < 8:
            given = {
                near: 1 / (1 + age // 7) / (1 + ring)
                for ring in range(4)
                for near in h3.grid_ring(home_cell, ring)
            }
        else:
            given = {}
        if home_cell in naive:  # incidents outside the study area are not part of it
            for near, value in given.items():
                if near in naive:
                    naive[near] += value * weight
    total = sum(naive.values())
    assert max(abs(stored[cell] - naive[cell] / total) for cell in stored) < 1e-6 * max(stored.values())


def test_a_range_equals_its_days_one_by_one_bit_for_bit(copy_of_home: Home) -> None:
    lake, settings = copy_of_home.lake, copy_of_home.settings
    days = days_of(copy_of_home)
    whole = scores_between(lake, days[0], days[-1])
    lake.transact(
        lambda transaction: transaction.execute("DELETE FROM proximity_scores"),
        tables=["proximity_scores"],
        message="empty",
    )
    for day in reversed(days):
        list(make_forecasts(lake, settings, day, day, STAMP))
    assert scores_between(lake, days[0], days[-1]).equals(whole)


def test_a_forecast_is_replayed_byte_for_byte_whatever_came_since(copy_of_home: Home) -> None:
    lake, settings = copy_of_home.lake, copy_of_home.settings
    day = days_of(copy_of_home)[-1]
    stored = scores_between(lake, day, day).sort("offence_group", "rank")
    (path,) = drop_late_file(settings, seed=1)
    taken = take_in(lake, settings, path, Declaration(), Stamp("test", "later run"))
    assert taken.counts["rows_new"] > 0
    assert taken.counts["rows_amended"] > 0
    bucket_new_deliveries(lake, settings, STAMP)
    assert replay(lake, settings, day).sort("offence_group", "rank").equals(stored)
    found = hindsight_difference(lake, settings, day)
    assert set(found.because["delivery_seq"].to_list()) == {taken.row["delivery_seq"]}
    changed = found.because.select("cell").unique()
    assert found.cells.join(changed, on="cell", how="semi").height > 0


def test_a_replay_without_the_headers_delivery_differs(copy_of_home: Home) -> None:
    """The negative control: rows that arrive later with an earlier recording time change a careless replay."""
    lake, settings = copy_of_home.lake, copy_of_home.settings
    day = days_of(copy_of_home)[-1]
    stored = scores_between(lake, day, day).sort("offence_group", "rank")
    first = (settings.landing / "ingested").glob("*.csv")
    rows = pl.read_csv(next(first), infer_schema=False).filter(pl.col("offence_group") == "burglary").head(50)
    late = rows.with_columns(reference=pl.col("reference") + "-late")
    path = settings.landing / "late.csv"
    late.write_csv(path)
    taken = take_in(lake, settings, path, Declaration(), Stamp("test", "later run"))
    bucket_new_deliveries(lake, settings, STAMP)
    assert taken.counts["rows_new"] > 0
    assert replay(lake, settings, day).sort("offence_group", "rank").equals(stored)
    careless = replay(lake, settings, day, delivery_seq=taken.row["delivery_seq"]).sort(
        "offence_group", "rank"
    )
    assert not careless.equals(stored)


def test_an_explanation_adds_up_to_the_score(home: Home) -> None:
    day = days_of(home)[-1]
    scores = scores_between(home.lake, day, day).filter(pl.col("offence_group") == "robbery")
    cells = scores.sample(5, seed=3)
    found = explain_cells(home.lake, home.settings, day, {"robbery": cells["cell"].to_list()})["robbery"]
    sums = dict(found.contributions.group_by("cell").agg(pl.col("contribution").sum()).rows())
    for cell, score in cells.select("cell", "score").iter_rows():
        assert sums[cell] == pytest.approx(score, abs=1e-9)


def test_too_little_history_is_said_and_not_forecast(copy_of_home: Home) -> None:
    lake, settings = copy_of_home.lake, copy_of_home.settings
    (early,) = make_forecasts(
        lake,
        settings,
        settings.forecast.first_date - timedelta(days=27),
        settings.forecast.first_date - timedelta(days=27),
        STAMP,
    )
    assert early.rows == 0
    assert all("history" in reason or "no incident" in reason for reason in early.headers["not_made_because"])


def test_the_last_lines_are_three_links_and_a_command(home: Home) -> None:
    links = home.said[-4:]
    assert links[0].split()[-1].startswith("file://")
    assert "/assets/proximity_scores?partition=" in links[1]
    assert links[2].startswith("why here?")
    assert "hotspot simulate --late-file" in links[3]


def test_a_month_after_the_first_incident_a_forecast_is_made_from_what_there_is(copy_of_home: Home) -> None:
    lake, settings = copy_of_home.lake, copy_of_home.settings
    first = lake.read("SELECT min(day) AS day FROM hexagon_incidents").item()
    day = first + timedelta(days=settings.forecast.least_history_days + 5)
    (facts,) = make_forecasts(lake, settings, day, day, STAMP)
    assert facts.made.height == len(settings.forecast.groups)
    sums = scores_between(lake, day, day).group_by("offence_group").agg(pl.col("score").sum())
    assert sums["score"].to_list() == pytest.approx([1.0] * facts.made.height, abs=1e-9)


def test_closings_wait_for_a_word_and_the_same_file_brings_it(copy_of_home: Home) -> None:
    lake, settings = copy_of_home.lake, copy_of_home.settings
    (first,) = (settings.landing / "ingested").glob("*.csv")
    rows = pl.read_csv(first, infer_schema=False)
    month = rows.filter(pl.col("occurred_from").str.starts_with("2025-03"))
    content = month.head(month.height // 2).write_csv().encode()
    days = (date(2025, 3, 2), date(2025, 3, 30))

    def deliver_again(approved: bool) -> Taken:
        path = settings.landing / "half_a_month.csv"
        path.write_bytes(content)
        return take_in(
            lake, settings, path, Declaration(complete_for=days, closings_approved=approved), STAMP
        )

    waiting = deliver_again(approved=False)
    assert waiting.counts["incidents_vanished"] == 0
    assert waiting.counts["closings_waiting"] > 1000
    closed = deliver_again(approved=True)
    assert closed.counts["incidents_vanished"] == waiting.counts["closings_waiting"]
    assert deliver_again(approved=True).again
    bucket_new_deliveries(lake, settings, STAMP)
    assert closed_but_weighing(lake).is_empty()
    assert broken_weights(lake).is_empty()

"""Each benchmark at a small size: it runs, and what it compares gives the same."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from benchmarks import __main__ as command
from benchmarks import daily, fit, growth, intake, scoring, startup, storage, ticks, year
from benchmarks.measure import Comparison, Timing, alone, ratio
from benchmarks.places import START, area_of, home_in, spec_of, write_file
from hotspot_assets.definitions import build_definitions
from hotspot_assets.defs.operate import instance_of
from hotspot_assets.forecasting.kernel import DecayKernel
from hotspot_assets.hexgrid.cells import hex_to_cell
from hotspot_assets.warehouse.lake import Lake

DAY = date(2023, 3, 15)


@pytest.fixture(scope="module")
def scene() -> scoring.Scene:
    return scoring.scene_of(300, 30.0, 90)


def shares(scores: pl.DataFrame, scene: scoring.Scene) -> np.ndarray:
    """Scores by group and cell as the engine gives them: shares inside the study area."""
    found = np.zeros((len(scene.groups), scene.area.n))
    for row, group in enumerate(scene.groups):
        own = scores.filter(pl.col("offence_group") == group)
        position = scene.area.index_of(own["to"].to_numpy())
        found[row, position[position >= 0]] = own["score"].to_numpy()[position >= 0]
    return found / found.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("kernel", [scoring.DECAYED, scoring.PROMAP])
def test_all_ways_of_scoring_a_day_give_the_engines_numbers(
    scene: scoring.Scene, kernel: DecayKernel
) -> None:
    events = scoring.events_of(scene, DAY, DAY)
    engine = scoring.by_engine(scene, events, DAY, DAY, kernel)[DAY]
    looped = scoring.by_loop(scene, kernel, DAY)
    as_rows = pl.concat(
        pl.DataFrame({"to": hex_to_cell(list(cells)), "score": list(cells.values())}).with_columns(
            offence_group=pl.lit(group)
        )
        for group, cells in looped.items()
    )
    others = (
        as_rows,
        scoring.by_explode(scene, kernel, DAY),
        scoring.by_polars(scene, kernel, DAY),
        scoring.by_sql(scene, scoring.table_of(scene), kernel, DAY),
    )
    for scores in others:
        np.testing.assert_allclose(shares(scores, scene), engine, atol=1e-12)


def test_intake_takes_what_the_bare_read_takes(tmp_path: Path) -> None:
    (found,) = intake.run(tmp_path, 1_500, 1)
    assert found.ratio is not None
    assert found.facts.startswith("1,500 rows")


def test_the_backfill_is_compared_with_a_copy_of_its_own_rows(tmp_path: Path) -> None:
    found, run, alone, anew = year.run(tmp_path, 200, 20.0, 2, 1, ("count_365",))
    assert found.ratio is not None
    assert found.facts.startswith("2 days x 5 groups")
    assert run.ratio is not None and run.ratio > 1
    assert run.facts.startswith("2 days: ")
    assert alone.ratio is not None
    assert alone.facts.startswith("3 days one by one")
    assert anew.ratio is not None and anew.ratio > alone.ratio


def test_the_copy_is_of_the_rows_of_the_backfill(tmp_path: Path) -> None:
    settings = year.prepared(tmp_path, "count_365", 200, 20.0, 40)
    year.backfill(settings.home, DAY.replace(month=2, day=1), DAY.replace(month=2, day=2))
    year.bare_copy(settings.home, tmp_path / "slim.parquet")
    rows = pl.read_parquet(tmp_path / "slim.parquet")
    assert rows.height == 2 * 5 * area_of(spec_of(200, 20.0)).n


def test_every_layout_holds_the_same_scores(tmp_path: Path) -> None:
    connection, day = storage.scores_in(tmp_path, 200, 20.0, 3)
    answers = {}
    for layout in storage.LAYOUTS:
        files = storage.write(connection, layout, tmp_path / str(layout))
        asked = storage.questions(files, day).items()
        answers[layout] = {name: connection.execute(query).fetchall() for name, query in asked}
    for name in answers[storage.STORED]:
        for layout in storage.LAYOUTS:
            expected = [pytest.approx(value) for value in answers[storage.STORED][name][0]]
            assert list(answers[layout][name][0]) == expected, (layout, name)
    assert answers[storage.STORED]["top 100 of a day"] == [(500,)]


def test_the_fit_finds_the_truth() -> None:
    times = fit.events_of(1_000, 20.0)
    assert fit.fit_ours(times, 1_000) == pytest.approx(0.25, abs=0.05)


def test_the_peers_fit_agrees() -> None:
    pytest.importorskip("phawkes")
    times = fit.events_of(1_000, 20.0)
    assert fit.fit_theirs(times, 1_000) == pytest.approx(0.25, abs=0.05)


@pytest.mark.slow
def test_the_daily_run_is_held_against_an_empty_graph(tmp_path: Path) -> None:
    (found,) = daily.run(tmp_path, 200, 20.0, 60, 1)
    assert found.ratio is not None


def test_starting_up_takes_longer_than_dagster_alone(tmp_path: Path) -> None:
    found = startup.run(tmp_path, 1)
    assert len(found) == 3 and all(each.ratio is not None and each.ratio > 1 for each in found)


def test_ticks_are_held_against_as_many_that_look_at_nothing(tmp_path: Path) -> None:
    (found,) = ticks.run(tmp_path, 200, 20.0, 60, 1)
    assert found.ratio is not None
    assert found.facts.startswith("7 ticks: ")
    settings = home_in(tmp_path / "other", spec_of(200, 20.0))
    lake = Lake(settings.warehouse, settings.data_path)
    ours = build_definitions(settings).get_repository_def()
    with instance_of(settings) as instance:
        said = ticks.tick_of_all(ours, instance, lake)
        nothing = ticks.tick_of_all(ticks.that_look_at_nothing(ours), instance, lake)
    lake.close()
    assert "every started run is alive" in said and said.count("runs") >= 3
    assert nothing == ["nothing"] * len(said)


def test_growth_measures_each_work_in_a_process_of_its_own(tmp_path: Path) -> None:
    spec = spec_of(200, 20.0)
    home = home_in(tmp_path / "home", spec).home
    file = write_file(tmp_path / "file.csv", spec, 30, 1_000)
    spent = alone(growth.take_in_all, home, file)
    assert spent.result > 0
    assert 0.05 < spent.peak_gb < 2
    assert growth.bucket(home) > 0
    assert growth.slope([1, 10, 100], [2.0, 20.0, 200.0]) == pytest.approx(1.0)


def test_a_city_has_the_cells_and_the_incidents_asked_for() -> None:
    assert area_of(spec_of(9_000, 100.0)).n == pytest.approx(9_000, rel=0.05)
    days = scoring.scene_of(300, 30.0, 90).ledger
    assert days["day"].min() >= START
    assert days.height / 90 == pytest.approx(30, rel=0.25)


def test_ratios_are_medians_over_the_rounds() -> None:
    def timings(*seconds: float) -> list[Timing]:
        return [Timing(each, each) for each in seconds]

    assert ratio(timings(2, 9, 4), timings(1, 1, 4)) == 2.0


def test_the_page_keeps_the_rows_that_were_not_run_again(tmp_path: Path) -> None:
    first = Comparison("a", "one by other", 3.0, ">= 2", "said")
    command.write([first, Comparison("b", "two by other", 9.0, "<= 4")], command.SMALL, "a machine", tmp_path)
    command.write([Comparison("b", "two by other", 3.5, "<= 4")], command.SMALL, "a machine", tmp_path)
    page = (tmp_path / "README.md").read_text()
    today = datetime.now(UTC).date().isoformat()
    assert f"| a | one by other | 3.00 | >= 2 | met | said | {today} | `python -m benchmarks a` |" in page
    assert "| b | two by other | 3.50 | <= 4 | met |" in page
    assert (tmp_path / "ratios.png").stat().st_size > 0


def test_a_missed_target_is_said() -> None:
    assert Comparison("c", "x", 6.0, "<= 5").met is False
    assert Comparison("c", "x", 4.0, "<= 5").met is True
    assert Comparison("a", "x", 6.0).met is None

"""The table of explanations: parts that add up to each score, and nothing left of an erased incident."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import h3
import polars as pl
import pytest

from hotspot_assets.forecasting.explain import Explanation, OutsideStudyArea, TakenApart, explain
from hotspot_assets.settings import Settings
from hotspot_assets.warehouse.forecasts import areas_between, replace_days, replace_explanations
from hotspot_assets.warehouse.lake import Stamp
from hotspot_assets.workflow import briefings
from hotspot_assets.workflow.erasure import erase_key
from hotspot_assets.workflow.patrols import make_patrol_areas
from hotspot_assets.workflow.replay import CannotReplay, explain_areas, explain_cells

from .homes import deliver, forecast, home_in, lake_of, town

DAY = date(2020, 3, 9)
MOST = 3
ELSEWHERE = h3.str_to_int(h3.latlng_to_cell(10.0, 10.0, 10))
STAMP = Stamp("tester", "explain")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A town with patrol areas, forecast by the learned kernel."""
    made = home_in(tmp_path, "[patrol]\nbudget_km2 = 0.3\n", model="learned")
    deliver(made, "first.csv", town(400))
    forecast(made, DAY, DAY)
    list(make_patrol_areas(lake_of(made), made, DAY, DAY, STAMP))
    return made


def stored(settings: Settings) -> pl.DataFrame:
    return lake_of(settings).read("FROM explanations ORDER BY forecast_date, offence_group, cell, number")


def test_parts_add_up_to_the_stored_score_of_every_cell_of_every_area(settings: Settings) -> None:
    lake = lake_of(settings)
    replace_explanations(lake, DAY, explain_areas(lake, settings, DAY, MOST), STAMP)
    rows = stored(settings)
    cells = lake.read("SELECT DISTINCT unnest(cells) AS cell FROM patrol_areas ORDER BY ALL")["cell"]
    sums = rows.group_by("cell").agg(pl.col("contribution").sum()).sort("cell")
    assert sums["cell"].to_list() == cells.to_list()
    scores = lake.read(
        "SELECT cell, score FROM proximity_scores WHERE list_contains(?, cell) ORDER BY cell",
        [cells.to_list()],
    )
    assert (sums["contribution"] - scores["score"]).abs().max() < 1e-9
    of_one = rows.filter(pl.col("cell") == cells[0])
    assert of_one["number"].to_list() == list(range(1, of_one.height + 1))
    assert of_one["part"].to_list() == ["incident"] * MOST + ["other incidents", "background"]


def test_the_largest_are_those_of_the_whole_explanation(settings: Settings) -> None:
    lake = lake_of(settings)
    short = explain_areas(lake, settings, DAY, MOST)
    cell = int(short["cell"][0])
    found = explain_cells(lake, settings, DAY, {"burglary": [cell]})["burglary"]
    whole = found.contributions.drop_nulls("incident_key")
    own = short.filter(pl.col("cell") == cell)
    assert own["incident_key"][:MOST].to_list() == whole["incident_key"][:MOST].to_list()
    rest = own.row(MOST, named=True)
    assert rest["incidents"] == whole.height - MOST
    assert rest["contribution"] == pytest.approx(whole["contribution"][MOST:].sum(), abs=1e-15)
    assert own["contribution"][:MOST].is_sorted(descending=True)


def test_an_erased_incident_takes_its_explanations_along(settings: Settings) -> None:
    lake = lake_of(settings)
    made = explain_areas(lake, settings, DAY, MOST)
    replace_explanations(lake, DAY, made, STAMP)
    key = made["incident_key"][0]
    theirs = set(made.filter(pl.col("incident_key") == key)["cell"])
    erase_key(lake, settings, key, STAMP)
    left = stored(settings)
    assert key not in left["incident_key"].to_list()
    assert set(left["cell"]) == set(made["cell"]) - theirs
    replace_explanations(lake, DAY, made, STAMP)  # computed before, written after
    assert stored(settings).equals(left)


def test_a_model_without_exact_explanations_says_so(tmp_path: Path) -> None:
    pytest.importorskip("lightgbm", reason="the extra 'boosting' is not installed")
    settings = home_in(tmp_path, model="boosting")
    deliver(settings, "first.csv", town(400))
    forecast(settings, DAY, DAY)
    with pytest.raises(CannotReplay, match="no kernel"):
        explain_areas(lake_of(settings), settings, DAY, MOST)


def test_pages_take_a_few_cells_apart_at_a_time(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is held at a time may not grow with the number of areas, and the pages do not tell how it was cut."""
    lake = lake_of(settings)
    areas = areas_between(lake, DAY, DAY)["cells"].to_list()
    assert len(areas) > 2
    taken: list[int] = []

    def noted(apart: TakenApart, cells: list[int]) -> Explanation:
        taken.append(len(cells))
        return explain(apart, cells)

    def pages() -> dict[str, str]:
        (made,) = briefings.write_briefings(lake, settings, DAY, DAY)
        return {path.name: path.read_text() for path in made.paths if path.parent.name == "why"}

    whole = pages()
    monkeypatch.setattr(briefings, "explain", noted)
    monkeypatch.setattr(briefings, "_CELLS", 1)
    assert pages() == whole and len(whole) == len(areas)
    assert sorted(taken) == sorted(map(len, areas))


def test_a_day_whose_areas_lie_outside_its_forecast_has_a_page_without_reasons(settings: Settings) -> None:
    """Areas chosen for a forecast that was made again since, on other ground."""
    lake = lake_of(settings)
    areas = areas_between(lake, DAY, DAY)
    elsewhere = areas.head(1).with_columns(cells=pl.lit([ELSEWHERE], dtype=pl.List(pl.UInt64)))
    replace_days(lake, "patrol_areas", (DAY, DAY), elsewhere, STAMP)
    (made,) = briefings.write_briefings(lake, settings, DAY, DAY)
    assert made.paths[0].name == "index.html"
    assert not [path for path in made.paths if path.parent.name == "why"]
    with pytest.raises(OutsideStudyArea, match="1 of 1 cells lie outside the study area of the forecast for"):
        explain_cells(lake, settings, DAY, {"burglary": [ELSEWHERE]})
    with pytest.raises(OutsideStudyArea, match="have the areas of that day made again"):
        explain_areas(lake, settings, DAY, MOST)

"""A trial from the lake: its lists, lags and ages held against the forecasts themselves, and what is recorded."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from hotspot_assets.assurance.ledger import verify
from hotspot_assets.forecasting.catalogue import UnknownModelError
from hotspot_assets.settings import Settings
from hotspot_assets.warehouse.chain import export_lines
from hotspot_assets.warehouse.lake import Stamp
from hotspot_assets.workflow import outcomes
from hotspot_assets.workflow.champions import NoDecision, decide_champion, undecided
from hotspot_assets.workflow.knowledge import Knowledge
from hotspot_assets.workflow.outcomes import NotKnownYet, judge
from hotspot_assets.workflow.trial import NoTrial, Plan, Trial, plan_trial, run_trial, steps_of
from hotspot_assets.workflow.trial_lists import Stage, aged_lists

from .homes import COLUMNS, FIRST_DAY, deliver, forecast, home_in, lake_of, row, town

FIRST, LAST = date(2020, 3, 1), date(2020, 3, 9)
TODAY = date(2020, 4, 1)
MODELS = ["count_365", "count_28", "promap", "learned"]
FROM_A_DATE = f"[area]\nas_of = 2020-02-01\n[trial]\nmodels = {MODELS}\n"


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A town whose burglaries leave their old place for a new one three days before the trial ends."""
    made = home_in(tmp_path_factory.mktemp("home"), FROM_A_DATE)
    place = town(60)[0]
    start = datetime.combine(LAST - timedelta(days=4), datetime.min.time(), UTC)
    wave = [
        row(f"WAVE-{n:03}", start + timedelta(hours=n), float(place[4]), float(place[5])) for n in range(96)
    ]
    deliver(made, "first.csv", [*town(400), *wave])
    return made


def held(settings: Settings, run: str = "trial", **asked: object) -> Trial:
    lake = lake_of(settings)
    plan = plan_trial(lake, settings, TODAY, first=FIRST, last=LAST, **asked)  # type: ignore[arg-type]
    return run_trial(lake, settings, plan, Stamp("tester", run))


def kept(trial: Trial) -> pl.DataFrame:
    return pl.read_parquet(trial.folder / "outcomes.parquet")


def test_a_trial_says_of_each_day_what_the_daily_outcomes_say(settings: Settings) -> None:
    """Two ways to the same figures: the stored forecasts judged day by day, and the trial from the incidents."""
    forecast(settings, FIRST, LAST)
    lake = lake_of(settings)
    (judged,) = judge(lake, settings, FIRST, LAST, TODAY, Stamp("tester", "judge"))
    trial = kept(held(settings, "same", models=MODELS, lags=["0"]))
    keys = ["forecast_date", "model", "offence_group", "coverage"]
    daily = judged.outcomes.sort(keys)
    assert daily.height == len(MODELS) * 9 * 6
    assert trial.sort(keys).equals(daily.select(trial.columns))


def test_models_that_read_the_same_incidents_have_them_read_once(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[object] = []
    real = outcomes.events_as_known

    def counted(*given: Any) -> Any:
        read.append(given[3])
        return real(*given)

    monkeypatch.setattr(outcomes, "events_as_known", counted)
    (judged,) = judge(lake_of(settings), settings, FIRST, FIRST, TODAY, Stamp("tester", "once"))
    assert set(judged.outcomes["model"]) >= {"count_28", "promap", "learned"}
    assert read == [("burglary",)]


def test_with_a_lag_a_wave_is_seen_so_many_days_later(settings: Settings) -> None:
    """The wave of 24 a day begins on 5 March: counts of 28 days have it at once, or three days later."""
    stage = Stage(lake_of(settings), settings, 1, Stamp("tester", "lag"))
    (month,) = stage.months(FIRST, LAST)
    cell = {}
    for lag in (0, 3):
        days = month.surfaces("count_28", Knowledge(lag_days=lag))
        cell[lag] = {surface.date: float(surface.of("burglary").max()) for surface in days}
    first_seen = {lag: min(day for day, top in cell[lag].items() if top > 0.1) for lag in cell}
    assert first_seen == {0: date(2020, 3, 6), 3: date(2020, 3, 9)}


def test_an_aged_list_is_the_list_of_its_day(settings: Settings) -> None:
    stage = Stage(lake_of(settings), settings, 1, Stamp("tester", "aged"))
    (month,) = stage.months(FIRST, LAST)
    old = {each.forecast_date: each.scores for each in aged_lists(month, "count_365", 7)}
    (earlier,) = stage.months(FIRST + timedelta(days=7), LAST)
    fresh = {each.forecast_date: each.scores for each in earlier.lists("count_365")}
    for day in (date(2020, 3, 8), date(2020, 3, 9)):
        np.testing.assert_allclose(old[day], {**fresh, **_lists(stage)}[day - timedelta(days=7)], atol=1e-15)


def _lists(stage: Stage) -> dict[date, np.ndarray]:
    (month,) = stage.months(FIRST, LAST)
    return {each.forecast_date: each.scores for each in month.lists("count_365")}


def test_where_old_cells_are_missing_they_come_last(tmp_path: Path) -> None:
    """With a study area of each month, a February list has no say on cells first occupied in February."""
    settings = home_in(tmp_path)
    deliver(settings, "first.csv", town(400))
    stage = Stage(lake_of(settings), settings, 1, Stamp("tester", "aged"))
    (march,) = stage.months(FIRST, FIRST)
    (february,) = stage.months(date(2020, 2, 2), date(2020, 2, 2))
    assert february.area.n < march.area.n
    (old,) = aged_lists(march, "count_365", 28)
    new_cells = february.area.index_of(march.area.cells) < 0
    assert (old.scores[new_cells] == 0).all()
    assert old.scores.sum() == pytest.approx(1.0)
    assert sorted(old.rank) == list(range(1, march.area.n + 1))


def test_each_look_is_recorded_and_shown(settings: Settings) -> None:
    one = held(settings, "look-1", models=["count_365", "count_28"], lags=["0"], why="to see")
    again = held(settings, "look-2", models=["count_365", "count_28"], lags=["0"])
    looks = lake_of(settings).read("FROM looks WHERE run_id LIKE 'look%' ORDER BY run_id").to_dicts()
    assert [look["why"] for look in looks] == ["to see", "not stated"]
    assert looks[0]["outcomes_hash"] == looks[1]["outcomes_hash"]
    assert len(again.about.looks) == len(one.about.looks) + 1
    page = (again.folder / "index.html").read_text(encoding="utf-8")
    assert "to see (count_365, count_28)" in page
    ledger = lake_of(settings).read("SELECT facts FROM ledger WHERE subject LIKE 'model trial%'")
    assert json.loads(ledger["facts"][-1])["models"] == ["count_365", "count_28"]
    assert verify(list(export_lines(lake_of(settings)))).holds


def test_the_report_states_ground_and_knowledge(settings: Settings) -> None:
    trial = held(settings, "facts", models=["count_365", "promap"], lags=["0", "7", "recorded"])
    assert "where incidents lay before 2020-02-01" in trial.about.study_area
    assert "RECONSTRUCTED: for 100 % of the incidents" in trial.about.knowledge
    assert [lag.name for lag in trial.plan.lags] == ["0 days", "7 days"]  # the source states no times
    page = (trial.folder / "index.html").read_text(encoding="utf-8")
    assert "its own delays are not known" in page
    assert "Near repeats (Knox)" in page


def test_a_frame_that_has_seen_its_days_is_called_so(tmp_path: Path) -> None:
    settings = home_in(tmp_path, "[area]\nas_of = 2020-03-11\n")
    deliver(settings, "first.csv", town(300))
    assert (
        "HAS SEEN THE DAYS OF THE TRIAL" in held(settings, models=["count_365", "count_28"]).about.study_area
    )


def test_the_sources_own_times_of_record_are_a_lag_of_their_own(tmp_path: Path) -> None:
    """All is recorded ten days late: with the source's own times, the last ten days are not known."""
    settings = home_in(tmp_path, FROM_A_DATE)
    rows = [(*each, (datetime.fromisoformat(each[2]) + timedelta(days=10)).isoformat()) for each in town(300)]
    deliver(settings, "first.csv", rows, columns=(*COLUMNS, "recorded_at"))
    trial = held(settings, models=["count_28", "count_365"], lags=["0", "recorded", "10"])
    assert trial.results.delays is not None
    assert trial.results.delays.select("incidents", "stated", "median_days").row(0)[1:] == (
        1.0,
        pytest.approx(10.0),
    )
    stage = Stage(lake_of(settings), settings, 1, Stamp("tester", "own"))
    (month,) = stage.months(FIRST, LAST)
    recorded, late = (
        [surface.shares for surface in month.surfaces("count_28", knowledge)]
        for knowledge in (Knowledge(as_recorded=True), Knowledge(lag_days=10))
    )
    np.testing.assert_array_equal(recorded, late)


@pytest.mark.parametrize(
    ("asked", "error", "said"),
    [
        ({"first": FIRST, "last": LAST, "models": ["prophet"]}, UnknownModelError, "no model 'prophet'"),
        ({"first": FIRST, "last": LAST, "lags": ["soon"]}, NoTrial, "'soon' is no reporting lag"),
        ({"first": FIRST, "last": date(2021, 1, 1)}, NoTrial, "incidents are known for 2020-01-02"),
        ({"first": LAST, "last": FIRST}, NoTrial, "not possible"),
        ({"first": FIRST, "last": LAST, "today": LAST}, NotKnownYet, "do not count as known yet"),
    ],
)
def test_what_cannot_be_held_is_refused(
    settings: Settings, asked: dict[str, object], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        plan_trial(lake_of(settings), settings, asked.pop("today", TODAY), **asked)  # type: ignore[arg-type]


def test_without_anything_judged_the_days_must_be_named(tmp_path: Path) -> None:
    settings = home_in(tmp_path)
    deliver(settings, "first.csv", town())
    with pytest.raises(NoTrial, match="name the first and the last day"):
        plan_trial(lake_of(settings), settings, TODAY)


def test_too_little_history_is_said(tmp_path: Path) -> None:
    settings = home_in(tmp_path)
    deliver(settings, "first.csv", town())
    plan = Plan(
        FIRST_DAY + timedelta(days=1), FIRST_DAY + timedelta(days=2), ("count_28",), (Knowledge(),), ""
    )
    with pytest.raises(NoTrial, match="too little is known"):
        run_trial(lake_of(settings), settings, plan, Stamp("tester", "early"))


def test_a_champion_is_decided_by_a_named_person(tmp_path: Path) -> None:
    settings = home_in(tmp_path)
    deliver(settings, "first.csv", town())
    lake, stamp = lake_of(settings), Stamp("tester", "decision")
    assert undecided(lake, settings) == "count_365 forecasts, but nobody has recorded a decision for it"
    with pytest.raises(NoDecision, match="name of who takes it"):
        decide_champion(lake, settings, "learned", " ", "better", stamp)
    with pytest.raises(NoDecision, match="explained"):
        decide_champion(lake, settings, "boosting", "A. Reviewer", "better", stamp)
    decided = decide_champion(lake, settings, "learned", "A. Reviewer", "better in four groups", stamp)
    assert 'model = "learned" under [forecast]' in decided.still_to_do
    assert undecided(lake, settings) == "count_365 forecasts, but A. Reviewer decided on learned"
    decide_champion(lake, settings, "count_365", "B. Reviewer", "after all", Stamp("tester", "later"))
    assert undecided(lake, settings) is None
    actors = lake.read("SELECT actor FROM ledger WHERE kind = 'review' ORDER BY sequence")["actor"].to_list()
    assert actors == ["A. Reviewer", "B. Reviewer"]
    assert verify(list(export_lines(lake))).holds


def test_months_side_by_side_give_what_one_process_gives(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Results must not depend on how many cores there were: three months, with a lag and with older lists."""
    found = []
    for cores in (1, 2):
        monkeypatch.setattr("os.cpu_count", lambda cores=cores: cores)
        lake = lake_of(settings)
        span = {"first": date(2020, 1, 20), "last": LAST}
        plan = plan_trial(lake, settings, TODAY, **span, models=["count_28", "learned"], lags=["0", "3"])  # type: ignore[arg-type]
        steps: list[int] = []
        found.append(run_trial(lake, settings, plan, Stamp("tester", f"{cores} cores"), steps.append))
        assert len(steps) == steps_of(plan)
    alone, beside = (trial.results for trial in found)
    assert kept(found[0]).equals(kept(found[1]))
    for name in ("pooled", "comparisons", "shapes", "overlaps", "staleness", "lags", "calibration"):
        table, other = getattr(alone, name), getattr(beside, name)
        assert (table is None and other is None) or table.equals(other), name
    assert alone.lags is not None and alone.overlaps is not None

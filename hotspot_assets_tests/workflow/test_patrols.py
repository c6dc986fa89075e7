"""Areas by shift, unit and budget in a small home: by the tables, and with the check that guards their union."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import h3
import polars as pl
import pytest

from hotspot_assets.defs.day_checks import union_findings
from hotspot_assets.patrol.areas import Cells
from hotspot_assets.patrol.ground import Ground
from hotspot_assets.settings import Settings, SettingsError, load_settings
from hotspot_assets.warehouse.lake import Stamp
from hotspot_assets.workflow import patrols
from hotspot_assets.workflow.hours import hour_profile_of
from hotspot_assets.workflow.patrols import DayAreas, make_patrol_areas
from hotspot_assets.workflow.study_area import units_hash
from hotspot_assets_tests.workflow.homes import deliver, forecast, home_in, lake_of, town

DAY = date(2020, 3, 10)
STAMP = Stamp("tester", "patrols")
SHIFTS = """
[[patrol.shifts]]
name = "early"
start = 04:00:00
end = 12:00:00
[[patrol.shifts]]
name = "late"
start = 12:00:00
end = 20:00:00
[[patrol.shifts]]
name = "night"
start = 20:00:00
end = 04:00:00
"""


def settings_of(folder: Path, more: str) -> Settings:
    """A home with two units, west and east of the town's middle."""
    folder.mkdir(parents=True, exist_ok=True)
    features = []
    for name, west, east in (("West", -0.2, -0.1), ("East", -0.1, 0.0)):
        ring = [[west, 51.4], [east, 51.4], [east, 51.6], [west, 51.6], [west, 51.4]]
        polygon = {"type": "Polygon", "coordinates": [ring]}
        features.append({"type": "Feature", "properties": {"name": name}, "geometry": polygon})
    units = {"type": "FeatureCollection", "features": features}
    (folder / "units.geojson").write_text(json.dumps(units), encoding="utf-8")
    return home_in(folder, f'\n[area]\nunits = "units.geojson"\n{more}')


def made(settings: Settings, day: date = DAY) -> DayAreas:
    lake = lake_of(settings)
    (found,) = make_patrol_areas(lake, settings, day, day, STAMP)
    lake.close()
    return found


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home whose burglaries all happen between 13:00 and 14:00, with a forecast for one day."""
    folder = tmp_path_factory.mktemp("patrols")
    settings = settings_of(folder, "")
    at_one = [
        (name, code, f"{occurred[:10]}T13:30:00+00:00", *rest) for name, code, occurred, *rest in town(200)
    ]
    deliver(settings, "town.csv", at_one)
    forecast(settings, DAY, DAY)
    yield folder


def test_the_whole_day_where_no_shifts_are_set(home: Path) -> None:
    found = made(settings_of(home, ""))
    assert found.areas["shift"].unique().to_list() == ["day"]
    assert found.areas["shift_share"].unique().to_list() == [1.0]
    assert found.areas["begins_before_cut_off"].all(), "the day begins at midnight, the cut-off is at five"
    assert found.late_shifts == ("day",)
    assert set(found.areas["unit"]) == {"East", "West"}


def test_shifts_have_their_share_by_the_hours_known(home: Path) -> None:
    """All 200 times lie in one hour; every hour of the week gets 1 more: 8 of 168 in the early shift of a day."""
    found = made(settings_of(home, SHIFTS))
    shares = dict(found.areas.select("shift", "shift_share").unique().iter_rows())
    lake = lake_of(settings_of(home, SHIFTS))
    header = lake.read("FROM forecasts WHERE not_made_because IS NULL").row(0, named=True)
    known = lake.read(
        "SELECT count(*) FROM incidents WHERE known_from <= ? AND dayofweek(occurred_from) = 2 AND occurred_from < ?",
        [header["cut_off"], DAY],
    ).item()
    profile = hour_profile_of(lake, settings_of(home, SHIFTS), header)
    lake.close()
    assert DAY.weekday() == 1
    assert shares["early"] == pytest.approx(8 / (24 + known))
    assert shares["late"] == pytest.approx((8 + known) / (24 + known))
    assert sum(shares.values()) == pytest.approx(1.0)
    assert profile["share"].sum() == pytest.approx(1.0)
    assert found.late_shifts == ("early",), "04:00 is before the cut-off at 05:00"
    cells = found.areas.group_by("unit", "rank").agg(pl.col("cells").n_unique())["cells"]
    assert set(cells) == {1}, "shifts with one budget have the same areas"


def test_own_limits_of_a_unit_and_a_shift(home: Path) -> None:
    rules = """
[patrol]
budget_km2 = 0.1
areas = 4
[[patrol.own]]
shift = "night"
areas = 1
officer_minutes = 45
[[patrol.own]]
unit = "East"
budget_share = 0.02
visits = 3
"""
    areas = made(settings_of(home, rules + SHIFTS)).areas
    per_list = areas.group_by("shift", "unit").agg(
        pl.len(), pl.col("area_km2").sum(), pl.col("minutes").max()
    )
    by = {(row["shift"], row["unit"]): row for row in per_list.to_dicts()}
    assert by["night", "West"]["len"] == by["night", "East"]["len"] == 1
    assert by["early", "West"]["len"] > 1 and by["early", "West"]["area_km2"] <= 0.1
    assert by["early", "West"]["minutes"] == 30 and by["early", "East"]["minutes"] == 45


def test_what_is_excluded_has_no_area_and_its_cost_is_told(home: Path) -> None:
    best = made(settings_of(home, "")).areas.filter(pl.col("unit") == "West").sort("rank")["cells"][0]
    outline = [[lng, lat] for lat, lng in h3.cell_to_boundary(f"{best[0]:x}")]
    layer = {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "properties": {"reason": "park", "valid_from": "2020-03-01", "valid_to": "2020-03-10"},
                "geometry": {"type": "Polygon", "coordinates": [[*outline, outline[0]]]},
            }
        ],
    }
    (home / "shut.geojson").write_text(json.dumps(layer), encoding="utf-8")
    settings = settings_of(home, '[patrol]\nexclusions = "shut.geojson"\n')
    found = made(settings)
    lake = lake_of(settings)
    score = lake.read("SELECT score FROM proximity_scores WHERE cell = ?", [best[0]]).item()
    lake.close()
    assert best[0] not in found.areas["cells"].explode().to_list()
    assert found.effect.select("reason", "cells").rows() == [("park", 1)]
    assert found.effect["share"].item() == pytest.approx(score)
    forecast(settings, DAY + timedelta(days=1), DAY + timedelta(days=1))
    assert made(settings, DAY + timedelta(days=1)).effect.is_empty(), "valid to the day before"


def test_empty_lists_say_why(home: Path) -> None:
    everything = {
        "type": "Polygon",
        "coordinates": [[[-0.2, 51.4], [-0.1, 51.4], [-0.1, 51.6], [-0.2, 51.6], [-0.2, 51.4]]],
    }
    properties = {"reason": "already tasked", "valid_from": "", "valid_to": ""}
    layer = {
        "type": "FeatureCollection",
        "features": [{"type": "Feature", "properties": properties, "geometry": everything}],
    }
    (home / "west.geojson").write_text(json.dumps(layer), encoding="utf-8")
    found = made(settings_of(home, '[patrol]\nexclusions = "west.geojson"\n'))
    assert found.without.rows() == [("day", "West", "burglary", "all of it is excluded")]
    capped = made(settings_of(home, "[patrol]\nbudget_share = 0.5\nareas = 1\nunion_share = 0.01\n"))
    assert capped.areas.is_empty()
    assert set(capped.without["reason"]) == {"the cap on the union of all offence groups leaves no room"}


def test_the_check_of_the_union_can_fail(home: Path) -> None:
    """Areas over the cap, written past `within_cap`, are found from the tables alone."""
    settings = settings_of(home, "[patrol]\nbudget_share = 0.2\nunion_share = 0.3\nmax_radius_m = 2000\n")
    areas = made(settings).areas
    lake = lake_of(settings)
    units = units_hash(settings)
    fine = union_findings(lake, [DAY], 0.3, units)[DAY]
    over = union_findings(lake, [DAY], 0.1, units)[DAY]
    lake.close()
    assert areas.height and fine.passed and fine.metadata["over_the_cap"] == "none"
    assert not over.passed and "East (day): 1" in over.metadata["over_the_cap"]
    assert fine.metadata["largest_share"] == pytest.approx(0.2, abs=0.02)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (SHIFTS.replace("20:00:00\nend", "21:00:00\nend"), "must begin at 20:00"),
        (SHIFTS.replace('"late"', '"early"'), "all different"),
        ('[[patrol.own]]\nshift = "dusk"\nareas = 1\n', "no shift named dusk"),
        (
            '[patrol]\npooled = true\n[[patrol.own]]\nunit = "West"\nareas = 1\n',
            "no unit has limits of its own",
        ),
    ],
)
def test_settings_that_cannot_be_met_are_refused_at_once(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "settings.toml").write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match=said):
        load_settings({"HOTSPOT_HOME": str(tmp_path)})


def test_days_before_a_failure_are_written(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings, days = settings_of(home, ""), [DAY + timedelta(days=number) for number in range(1, 6)]
    forecast(settings, days[0], days[-1])
    calls = iter([patrols.chosen_cells, patrols.chosen_cells])

    def chosen_cells(surface: pl.DataFrame, ground: Ground) -> Cells:
        try:
            return next(calls)(surface, ground)
        except StopIteration:
            raise RuntimeError("on the third day") from None

    monkeypatch.setattr(patrols, "chosen_cells", chosen_cells)
    lake = lake_of(settings)
    with pytest.raises(RuntimeError, match="on the third day"):
        list(make_patrol_areas(lake, settings, days[0], days[-1], STAMP))
    there = lake.read(
        "SELECT DISTINCT forecast_date AS day FROM patrol_areas WHERE forecast_date > ? ORDER BY day", [DAY]
    )
    assert there["day"].to_list() == days[:2]

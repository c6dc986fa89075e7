"""Nothing known after a cut-off changes a study area, a fit or a score, whichever model it is.

Two homes are delivered the same history. One of them is then told more: incidents of all days, before and after
the forecast, moved and re-classified ones among them. For a past day both must say the same, byte for byte.
"""

from __future__ import annotations

import random
from datetime import date

import pytest

from hotspot_assets.forecasting.catalogue import MODELS
from hotspot_assets.settings import PROJECT_ROOT, Settings
from hotspot_assets.warehouse.lake import Stamp
from hotspot_assets.warehouse.reads import delivery_clocks, newest_delivery
from hotspot_assets.workflow.models import model_in_force
from hotspot_assets.workflow.trial_lists import Stage

from .homes import deliver, home_in, lake_of, town

DAY = date(2020, 3, 9)
LATEST = 3


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, Settings]:
    """One home that knows the history only, and one that is told more afterwards."""
    history = town(400)
    told, untold = (home_in(tmp_path_factory.mktemp(name)) for name in ("told", "untold"))
    for settings in (told, untold):
        settings.source_key()
        (settings.home / "source.key").write_text("ab" * 32, encoding="ascii")
        deliver(settings, "history.csv", history)
    draw = random.Random(11)
    later = town(200, seed=5)
    for number, each in enumerate(later):
        later[number] = (f"LATER-{number:04}", *each[1:])
    moved = [(*each[:4], "51.53", "-0.13") for each in draw.sample(history, 60)]
    changed = [(each[0], "theft", *each[2:]) for each in draw.sample(history[:100], 30) if each not in moved]
    deliver(told, "later.csv", later)
    deliver(told, "amended.csv", [*{each[0]: each for each in [*moved, *changed]}.values()])
    return told, untold


def said(settings: Settings, model: str, day: date) -> tuple[str, str | None, bytes]:
    """Study area, fit and scores of a day, as made now from what was known then."""
    lake = lake_of(settings)
    stage = Stage(lake, settings, newest_delivery(lake), Stamp("tester", "leak"))
    (month,) = stage.months(day, day)
    clocks = delivery_clocks(lake, stage.newest)
    in_force = model_in_force(lake, settings, month.area, month.month, clocks, stage.stamp, model=model)
    (surface,) = month.surfaces(model)
    return month.area.study_area_id, in_force.fitted_model_id, surface.shares.tobytes()


@pytest.mark.parametrize("name", sorted(MODELS))
def test_what_was_told_later_changes_nothing(name: str, homes: tuple[Settings, Settings]) -> None:
    if not MODELS[name].runs_here:
        pytest.skip(f"{name} needs {MODELS[name].package}, which is not installed")
    told, untold = homes
    assert newest_delivery(lake_of(told)) == LATEST
    assert said(told, name, DAY) == said(untold, name, DAY)


def test_what_was_told_later_is_there(homes: tuple[Settings, Settings]) -> None:
    """Both later deliveries stand in the ledger that the forecasts read: the test above can fail."""
    lake = lake_of(homes[0])
    entries = lake.read("SELECT delivery_seq, count(*) AS n FROM hexagon_incidents GROUP BY ALL ORDER BY ALL")
    assert entries["n"].to_list()[1] >= 200
    assert entries["n"].to_list()[2] >= 2 * 60


def test_no_place_is_known_to_the_code() -> None:
    """Cities stand in the formats of their publications and in shipped profiles, and nowhere else."""
    for path in sorted((PROJECT_ROOT / "hotspot_assets").rglob("*.py")):
        inside = path.relative_to(PROJECT_ROOT / "hotspot_assets").as_posix()
        if not inside.startswith("intake/formats/"):
            text = path.read_text(encoding="utf-8").lower()
            assert "chicago" not in text, inside
            assert "illinois" not in text, inside

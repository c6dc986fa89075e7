from __future__ import annotations

from datetime import date
from functools import partial
from pathlib import Path

from hotspot_assets.warehouse.lake import Stamp
from hotspot_assets.warehouse.reads import newest_delivery
from hotspot_assets.workflow.side_by_side import side_by_side
from hotspot_assets.workflow.trial_fits import fit_month, fits_of
from hotspot_assets.workflow.trial_lists import Stage

from .homes import deliver, home_in, lake_of, town

STAMP = Stamp("tester", "trial")


def test_all_models_are_fitted_in_the_trial_and_the_first_before_it() -> None:
    """28 days before 10 March to 2 April is from 11 February on; 364 days before, from 12 March 2019 on."""
    found = fits_of(date(2020, 3, 10), date(2020, 4, 2), ("learned", "count_28", "kde"))
    assert found == [
        (date(2020, 3, 1), ("learned", "kde")),
        (date(2020, 4, 1), ("learned", "kde")),
        (date(2020, 2, 1), ("learned",)),
        (date(2019, 3, 1), ("learned",)),
        (date(2019, 4, 1), ("learned",)),
    ]
    assert fits_of(date(2020, 3, 10), date(2020, 4, 2), ("count_28", "kde")) == [
        (date(2020, 3, 1), ("kde",)),
        (date(2020, 4, 1), ("kde",)),
    ]
    assert fits_of(date(2020, 3, 10), date(2020, 3, 12), ("count_28",)) == []


def test_fits_of_other_processes_are_those_of_this_one(tmp_path: Path) -> None:
    wanted = [(date(2020, month, 1), ("exponential", "learned")) for month in (2, 3, 4, 5)]
    kept = []
    for name in ("beside", "here"):
        settings = home_in(tmp_path / name)
        deliver(settings, "town.csv", town())
        lake = lake_of(settings)
        stage = Stage(lake, settings, newest_delivery(lake), STAMP)
        if name == "beside":
            with side_by_side(len(wanted)) as each:
                assert list(each(partial(fit_month, stage), wanted)) == [None] * 4
        else:
            for month in wanted:
                fit_month(stage, month)
        query = "SELECT model, fitted_as_of, fitted_model_id FROM fitted_models ORDER BY ALL"
        kept.append(lake.read(query))
        lake.close()
    assert kept[0].height == 8 and kept[0].equals(kept[1])

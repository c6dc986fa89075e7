"""Runs and changes of parameters stand in the ledger, in the transaction of what they record."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
from datetime import date
from pathlib import Path

import pytest

from hotspot_assets.assurance.ledger import merkle_root, verify
from hotspot_assets.settings import Settings, load_settings
from hotspot_assets.warehouse import forecasts
from hotspot_assets.warehouse.chain import export_lines

from .homes import deliver, forecast, home_in, lake_of, town

SPAWN = multiprocessing.get_context("spawn")
FIRST, LAST = date(2020, 3, 5), date(2020, 3, 7)


def entries(settings: Settings, kind: str) -> list[dict[str, object]]:
    rows = lake_of(settings).read(
        "SELECT subject, facts FROM ledger WHERE kind = ? ORDER BY sequence", [kind]
    )
    return [{"subject": subject, **json.loads(facts)} for subject, facts in rows.rows()]


def test_a_run_of_forecasts_is_an_entry_with_counts_and_a_root_of_their_ids(tmp_path: Path) -> None:
    settings = home_in(tmp_path)
    deliver(settings, "first.csv", town())
    headers = forecast(settings, FIRST, LAST)
    (run,) = entries(settings, "run")
    assert run["subject"] == "forecasts 2020-03-05..2020-03-07"
    assert (run["forecasts"], run["forecasts_made"], run["run_id"]) == (3, 3, "forecast")
    assert run["forecasts_root"] == merkle_root(each.encode() for each in sorted(headers["forecast_id"]))
    assert run["score_rows"] == lake_of(settings).read("SELECT count(*) FROM proximity_scores").item()
    assert verify(list(export_lines(lake_of(settings)))).holds


def test_where_nothing_could_be_made_the_run_says_so(tmp_path: Path) -> None:
    settings = home_in(tmp_path)
    deliver(settings, "first.csv", town())
    forecast(settings, date(2020, 1, 5), date(2020, 1, 5))
    (run,) = entries(settings, "run")
    assert (run["forecasts"], run["forecasts_made"], run["score_rows"]) == (1, 0, 0)


def test_a_change_of_settings_is_noted_once_at_the_first_write_and_kept_in_words(tmp_path: Path) -> None:
    settings = home_in(tmp_path)
    deliver(settings, "first.csv", town())
    forecast(settings, FIRST, FIRST)
    (first,) = entries(settings, "parameter_change")
    assert (first["settings_hash_before"], first["settings_hash"]) == (None, settings.settings_hash())
    changed = home_in(tmp_path, "least_history_days = 14\n[area]\nname = 'a name changes no forecast'\n")
    forecast(changed, FIRST, LAST)
    forecast(changed, FIRST, LAST)
    _, second = entries(settings, "parameter_change")
    assert (second["settings_hash_before"], second["settings_hash"]) == (
        settings.settings_hash(),
        changed.settings_hash(),
    )
    told = str(second["parameters"])
    assert json.loads(told)["forecast"]["least_history_days"] == 14
    assert hashlib.sha256(told.encode()).hexdigest()[:16] == changed.settings_hash()
    deliver(settings, "second.csv", town(5, seed=9))  # back again, at a delivery
    assert entries(settings, "parameter_change")[-1]["settings_hash"] == settings.settings_hash()


def test_no_entry_without_its_forecasts_and_no_forecasts_without_their_entry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = home_in(tmp_path)
    deliver(settings, "first.csv", town())

    def fails(*_: object) -> None:
        raise RuntimeError("after the scores, before the entry")

    monkeypatch.setattr(forecasts, "note_run", fails)
    with pytest.raises(RuntimeError):
        forecast(settings, FIRST, LAST)
    assert lake_of(settings).read("SELECT count(*) FROM forecasts").item() == 0
    assert lake_of(settings).read("SELECT count(*) FROM proximity_scores").item() == 0
    assert entries(settings, "run") == []


def forecast_in(home: str, day: date) -> None:
    forecast(load_settings({"HOTSPOT_HOME": home}), day, day)


def test_two_runs_at_once_leave_one_chain(tmp_path: Path) -> None:
    settings = home_in(tmp_path)
    deliver(settings, "first.csv", town())
    forecast(settings, FIRST, FIRST)
    runs = [SPAWN.Process(target=forecast_in, args=(str(tmp_path), day)) for day in (FIRST, LAST)]
    for run in runs:
        run.start()
    for run in runs:
        run.join(120)
    assert [run.exitcode for run in runs] == [0, 0]
    assert len(entries(settings, "run")) == 3
    assert verify(list(export_lines(lake_of(settings)))).holds

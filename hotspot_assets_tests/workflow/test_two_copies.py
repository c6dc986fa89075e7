"""Two copies of Chicago's March 2014 through a home: what a forecast knew then, and what is known now.

The truth is counted from the text of the files, with the official H3 binding.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import h3
import polars as pl
import pytest

from hotspot_assets.hexgrid.cells import cell_to_hex
from hotspot_assets.settings import Settings
from hotspot_assets.warehouse.forecasts import scores_between
from hotspot_assets.warehouse.lake import Lake, Stamp
from hotspot_assets.workflow.bucketing import bucket_new_deliveries
from hotspot_assets.workflow.deliveries import Declaration, Taken, take_in
from hotspot_assets.workflow.replay import hindsight_difference, replay

from .homes import forecast, home_in, lake_of

DAYS = date(2014, 2, 28), date(2014, 3, 15)
FORECAST = date(2014, 3, 10)
RESOLUTION = 10
SETTINGS = """
[area]
name = "Chicago"
timezone = "America/Chicago"
[grid]
resolution = 10
[intake]
excluded_groups = []
exclude_domestic = false
[intake.sources.contract]
knowledge = "recorded"
"""
DAY = pl.col("Date").str.slice(0, 10).str.to_date("%m/%d/%Y")


@dataclass(frozen=True)
class Copies:
    """A home after both copies: the files as text, what became of the second, and the forecast made between them."""

    settings: Settings
    lake: Lake
    early: pl.DataFrame
    late: pl.DataFrame
    second: Taken
    stored: pl.DataFrame


def deliver(lake: Lake, settings: Settings, name: str, rows: pl.DataFrame, declared: Declaration) -> Taken:
    settings.landing.mkdir(parents=True, exist_ok=True)
    rows.write_csv(settings.landing / name)
    stamp = Stamp("tester", name)
    taken = take_in(lake, settings, settings.landing / name, declared, stamp)
    bucket_new_deliveries(lake, settings, stamp)
    return taken


def ranked(scores: pl.DataFrame) -> pl.DataFrame:
    return scores.sort("offence_group", "rank")


@pytest.fixture(scope="module")
def copies(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Copies]:
    name = "chicago_vintages/chicago_2014_03_as_published_2014_04.csv.gz"
    early = pl.read_csv(shared_data / name, infer_schema=False)
    year = pl.read_csv(shared_data / "chicago/chicago_crimes_2014.csv.gz", infer_schema=False)
    late = year.filter(DAY.is_between(*DAYS) | pl.col("ID").is_in(early["ID"].implode()))
    settings = home_in(tmp_path_factory.mktemp("copies"), SETTINGS)
    lake = lake_of(settings)
    before = year.filter((DAYS[0] > DAY) & ~pl.col("ID").is_in(early["ID"].implode()))
    deliver(lake, settings, "before.csv", before, Declaration())
    deliver(lake, settings, "early.csv", early, Declaration(history=True))
    forecast(settings, FORECAST, FORECAST)
    stored = scores_between(lake, FORECAST, FORECAST)
    second = deliver(lake, settings, "late.csv", late, Declaration(complete_for=DAYS))
    yield Copies(settings, lake, early, late, second, ranked(stored))
    lake.close()


def test_what_the_second_copy_changed_equals_a_diff_of_the_files(copies: Copies) -> None:
    early, late = copies.early.fill_null(""), copies.late.fill_null("")
    both = early.join(late, on="ID", suffix=" later")
    gone = early.height - both.height
    changed = {name: (both[name] != both[f"{name} later"]).sum() for name in ("Primary Type", "Latitude")}
    retyped = (both["IUCR"] != both["IUCR later"]) | (both["Primary Type"] != both["Primary Type later"])
    filled = ((both["Latitude"] == "") & (both["Latitude later"] != "")).sum()
    assert (gone, changed["Primary Type"], filled) == (38, 70, 72)

    found = copies.lake.read("""
        SELECT count(*) FILTER (list_contains(now.reasons, 'vanished')) AS gone,
            count(*) FILTER (list_contains(now.reasons, 're-classified')) AS retyped,
            count(*) FILTER (list_contains(now.reasons, 're-geocoded')) AS moved,
            count(*) FILTER (old.latitude IS NULL AND now.latitude IS NOT NULL) AS filled
        FROM incidents now JOIN incidents old USING (incident_key)
        WHERE now.delivery_seq = 3 AND old.delivery_seq = 2
    """).row(0, named=True)
    assert found == {
        "gone": gone, "retyped": retyped.sum(), "moved": changed["Latitude"], "filled": filled,
    }  # fmt: skip
    assert copies.second.counts["incidents_vanished"] == gone
    assert copies.second.row["rows_read"] == late.height == sum(
        copies.second.row[f"rows_{part}"]
        for part in ("new", "amended", "unchanged", "rejected", "excluded", "duplicate", "reversed")
    )  # fmt: skip


def test_the_forecast_made_between_the_copies_is_made_again_to_the_bit(copies: Copies) -> None:
    assert copies.stored["cell"].n_unique() > 10_000
    assert ranked(replay(copies.lake, copies.settings, FORECAST)).equals(copies.stored)


def test_hindsight_names_the_cells_whose_incidents_changed(copies: Copies) -> None:
    """Cells whose count of burglaries before the forecast differs between the copies, and no others."""

    def burglaries(portal: pl.DataFrame) -> Counter[str]:
        rows = portal.filter((pl.col("Primary Type") == "BURGLARY") & (DAY < FORECAST)).drop_nulls("Latitude")
        places = rows.select(pl.col("Latitude", "Longitude").cast(pl.Float64)).rows()
        return Counter(h3.latlng_to_cell(*place, RESOLUTION) for place in places)

    then, now = burglaries(copies.early), burglaries(copies.late)
    changed = {cell for cell in then.keys() | now.keys() if then[cell] != now[cell]}
    found = hindsight_difference(copies.lake, copies.settings, FORECAST)
    net = found.because.group_by("cell").agg(pl.col("weight").sum()).filter(pl.col("weight") != 0)
    assert set(cell_to_hex(net["cell"].to_list())) == changed
    assert set(found.because["delivery_seq"]) == {3}
    studied = set(cell_to_hex(copies.stored["cell"].unique().to_list()))
    most = cell_to_hex(found.cells["cell"].head(20).to_list())
    assert set(most) <= changed & studied


def test_what_was_recorded_before_the_cut_off_but_came_later_changes_no_replay(copies: Copies) -> None:
    """Twenty burglaries at one corner, recorded on 5 March 2014; without the header's delivery they would count."""
    late_words = pl.DataFrame(
        {
            "reference": [f"LATE-{number}" for number in range(20)],
            "offence_code": "burglary",
            "occurred_from": "2014-03-04T22:00:00",
            "recorded_at": "2014-03-05T09:00:00",
            "latitude": "41.8800",
            "longitude": "-87.6500",
        }
    )
    source = deliver(copies.lake, copies.settings, "first.csv", late_words.head(1), Declaration())
    taken = deliver(copies.lake, copies.settings, "words.csv", late_words, Declaration())
    assert (source.row["rows_new"], taken.row["rows_new"]) == (1, 19)
    assert ranked(replay(copies.lake, copies.settings, FORECAST)).equals(copies.stored)
    careless = replay(copies.lake, copies.settings, FORECAST, taken.row["delivery_seq"])
    assert not ranked(careless).equals(copies.stored)

"""A year of forecasts made again from their headers alone, after deliveries that changed what they rested on."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from hotspot_assets.warehouse.forecasts import scores_between
from hotspot_assets.warehouse.lake import Lake, Stamp, Transaction
from hotspot_assets.workflow.bucketing import bucket_new_deliveries
from hotspot_assets.workflow.deliveries import Declaration, Taken, take_in
from hotspot_assets.workflow.replay import replay

from .homes import forecast, home_in, lake_of

FIRST = date(2020, 3, 1)
INCIDENTS = 1500
RECORDED = """
[area]
timezone = "UTC"
[intake.source]
knowledge = "recorded"
"""


def town() -> pl.DataFrame:
    """Burglaries of fourteen months, each recorded up to nine days after it happened."""
    draw = random.Random(11)
    start = datetime(2020, 1, 1, tzinfo=UTC)
    at = [start + timedelta(minutes=draw.randrange(425 * 1440)) for _ in range(INCIDENTS)]
    lags = [timedelta(minutes=draw.randrange(9 * 1440)) for _ in range(INCIDENTS)]
    recorded = [moment + lag for moment, lag in zip(at, lags, strict=True)]
    return pl.DataFrame(
        {
            "reference": [f"TOWN-{number:05}" for number in range(INCIDENTS)],
            "offence_code": "burglary",
            "occurred_from": [moment.isoformat() for moment in at],
            "recorded_at": [moment.isoformat() for moment in recorded],
            "modified_at": [moment.isoformat() for moment in recorded],
            "latitude": [round(draw.gauss(51.5, 0.006), 6) for _ in range(INCIDENTS)],
            "longitude": [round(draw.gauss(-0.1, 0.006), 6) for _ in range(INCIDENTS)],
        }
    )


def changed(rows: pl.DataFrame) -> pl.DataFrame:
    """A later copy: every fifth incident moved two days after its recording, and a tenth left out."""
    number = pl.int_range(pl.len())
    later = pl.col("recorded_at").str.to_datetime(time_zone="UTC") + pl.duration(days=2)
    moved = number % 5 == 0
    return rows.with_columns(
        latitude=pl.when(moved).then(pl.col("latitude") + 0.004).otherwise("latitude"),
        modified_at=pl.when(moved).then(later.dt.to_string("iso:strict")).otherwise("modified_at"),
    ).filter(number % 10 != 3)


def deliver(lake: Lake, name: str, rows: pl.DataFrame, home: Path, declared: Declaration) -> Taken:
    settings = home_in(home, RECORDED)
    settings.landing.mkdir(parents=True, exist_ok=True)
    rows.write_csv(settings.landing / name)
    stamp = Stamp("tester", name)
    taken = take_in(lake, settings, settings.landing / name, declared, stamp)
    bucket_new_deliveries(lake, settings, stamp)
    return taken


def empty_scores(lake: Lake) -> None:
    def delete(transaction: Transaction) -> None:
        transaction.execute("DELETE FROM proximity_scores")

    lake.transact(delete, tables=["proximity_scores"], message="emptied", stamp=Stamp("tester", "empty"))


@pytest.mark.parametrize(
    ("count", "least_touched"), [(20, 15), pytest.param(365, 100, marks=pytest.mark.slow)]
)
def test_every_day_is_made_again_to_the_bit_after_its_inputs_changed(
    tmp_path: Path, count: int, least_touched: int
) -> None:
    settings = home_in(tmp_path, RECORDED)
    lake, rows = lake_of(settings), town()
    deliver(lake, "first.csv", rows, tmp_path, Declaration())
    year = [FIRST + timedelta(days=number) for number in range(count)]
    forecast(settings, year[0], year[-1])
    stored = scores_between(lake, year[0], year[-1]).sort("forecast_date", "rank")
    assert stored["forecast_date"].n_unique() == count

    last_day = date(2021, 2, 28)
    declared = Declaration(complete_for=(date(2020, 1, 1), last_day), closings_approved=True)
    second = deliver(lake, "second.csv", changed(rows), tmp_path, declared)
    assert (second.row["rows_amended"], second.row["incidents_vanished"]) == (300, 150)
    empty_scores(lake)
    assert scores_between(lake, year[0], year[-1]).is_empty()

    days = stored.partition_by("forecast_date", as_dict=True)
    differ = [day for day in year if not replay(lake, settings, day).sort("rank").equals(days[(day,)])]
    assert differ == []
    newest = second.row["delivery_seq"]
    touched = [
        day for day in year if not replay(lake, settings, day, newest).sort("rank").equals(days[(day,)])
    ]
    print(f"{count} of {count} equal; the inputs of {len(touched)} had changed")
    assert len(touched) >= least_touched
    lake.close()

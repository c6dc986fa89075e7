from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from hotspot_assets.hexgrid.study_areas import StudyArea
from hotspot_assets.intake.delivery import read_delivery
from hotspot_assets.intake.validation import IntakeOptions
from hotspot_assets.simulation.city import GROUPS, CitySpec, extent
from hotspot_assets.simulation.process import City
from hotspot_assets.simulation.records import DIRT, as_of, with_dirt, write_delivery
from hotspot_assets_tests.simulation.conftest import DAYS, START

MOMENT = datetime(2024, 12, 1, 5, tzinfo=UTC)
LATER = MOMENT + timedelta(days=2)
REASONS = {
    "coordinates_zero": "coordinates_zero",
    "coordinates_swapped": "coordinates_swapped",
    "coordinate_in_words": "bad_coordinate",
    "in_future": "in_future",
    "placeholder_date": "before_earliest",
    "other_date_format": "ambiguous_date_format",
    "unknown_code": "unknown_offence",
    "no_reference": "missing_reference",
}


@pytest.fixture(scope="module")
def rows(city: City) -> pl.DataFrame:
    return as_of(city, MOMENT)


def moments(rows: pl.DataFrame, name: str) -> pl.Series:
    return rows[name].str.to_datetime("%Y-%m-%dT%H:%M:%S%:z", time_zone="UTC", time_unit="us")


def read(rows: pl.DataFrame, folder: Path):  # type: ignore[no-untyped-def]
    path = write_delivery(rows, folder / "delivery.csv")
    return read_delivery(path, IntakeOptions(now=MOMENT, key=b"0" * 64, extent=extent(CitySpec())))


def test_the_system_holds_what_was_recorded_and_nothing_later(city: City, rows: pl.DataFrame) -> None:
    for name in ("occurred_from", "reported_at", "recorded_at", "modified_at"):
        assert moments(rows, name).max() <= MOMENT
    recorded, modified = moments(rows, "recorded_at"), moments(rows, "modified_at")
    assert (moments(rows, "reported_at") <= recorded).all()
    assert (recorded <= modified).all()
    assert ((recorded < modified) == (rows["status"] == "amended")).all()
    assert rows["reference"].is_unique().all()
    happened = city.events.filter(pl.col("occurred_at") < MOMENT - timedelta(days=90)).height
    there = (
        city.events.filter(pl.col("occurred_at") < MOMENT - timedelta(days=90))
        .join(rows, on="reference")
        .height
    )
    assert there / happened > 0.9999
    assert rows.height < city.events.filter(pl.col("occurred_at") < MOMENT).height


def test_reports_come_as_late_as_they_are_said_to(rows: pl.DataFrame) -> None:
    end = moments(rows, "occurred_to").fill_null(moments(rows, "occurred_from"))
    days = ((moments(rows, "reported_at") - end).dt.total_minutes() / 1440).to_numpy()
    assert (days >= 0).all()
    assert np.median(days) == pytest.approx(0.15 * np.log(2), rel=0.15)
    assert (days > 3).mean() == pytest.approx(0.06 * np.exp(-3 / 9), rel=0.15)


def test_ranges_hold_the_incident_and_are_as_common_as_said(city: City) -> None:
    settled = as_of(city, datetime(2027, 1, 1, tzinfo=UTC)).join(
        city.events.select("reference", "occurred_at", true_group="group"), on="reference"
    )
    start, end = moments(settled, "occurred_from"), moments(settled, "occurred_to")
    known = end.is_null()
    assert (start <= settled["occurred_at"]).all()
    assert (end.filter(~known) >= settled["occurred_at"].filter(~known)).all()
    assert (start.filter(known) == settled["occurred_at"].filter(known)).all()
    assert (settled["offence_group"] == settled["true_group"]).all()
    assert settled.height == city.events.height
    for name, group in GROUPS.items():
        share = 1 - known.filter(settled["offence_group"] == name).mean()
        assert share == pytest.approx(group.interval_share, abs=0.02)


def test_amendments_put_right_what_the_first_record_had_wrong(city: City, rows: pl.DataFrame) -> None:
    late = as_of(city, LATER, changed_since=MOMENT)
    both = late.join(rows, on="reference", suffix="_before")
    assert both.height > 5
    assert (both["status"] == "amended").all()
    kinds = [
        pl.col("latitude") != pl.col("latitude_before"),
        pl.col("offence_group") != pl.col("offence_group_before"),
        pl.col("occurred_from") != pl.col("occurred_from_before"),
    ]
    assert all(both.filter(kind).height > 0 for kind in kinds)
    new = late.join(rows, on="reference", how="anti")
    assert (moments(new, "recorded_at") > MOMENT).all()
    assert (moments(new, "occurred_from") < MOMENT - timedelta(days=3)).any()


def test_two_deliveries_make_the_later_state(city: City, rows: pl.DataFrame) -> None:
    late = as_of(city, LATER, changed_since=MOMENT)
    joined = pl.concat([rows.join(late, on="reference", how="anti"), late]).sort("reference")
    assert joined.equals(as_of(city, LATER).sort("reference"))


def test_the_same_moment_in_a_longer_city_gives_the_same_rows(city: City, rows: pl.DataFrame) -> None:
    from hotspot_assets.simulation.process import simulate

    assert as_of(simulate(CitySpec(), START, DAYS + 45), MOMENT).equals(rows)


def test_intake_takes_every_clean_row_as_it_was_meant(city: City, rows: pl.DataFrame, tmp_path: Path) -> None:
    delivery = read(rows, tmp_path)
    assert delivery.format == "contract"
    assert (delivery.rows_read, delivery.rejected.height, sum(delivery.excluded.values())) == (
        rows.height,
        0,
        0,
    )
    accepted = delivery.accepted.sort("line")
    assert accepted["occurred_from"].equals(moments(rows, "occurred_from"), check_names=False)
    assert accepted["offence_group"].equals(rows["offence_group"])
    assert accepted["latitude"].equals(rows["latitude"].cast(pl.Float64))
    assert delivery.marks["unplaced"] == accepted["latitude"].null_count()
    # Four decimals that all end in zeros look like fewer: one place in a hundred thousand.
    assert (accepted["location_precision"] == rows["location_precision"].fill_null("none")).mean() > 0.9999
    assert accepted["setting"].equals(rows["setting"])
    assert set(accepted["reported_by"]) == {"public", "police"}
    unplaced = accepted["latitude"].is_null()
    assert unplaced.mean() == pytest.approx(0.01, rel=0.2)
    assert (accepted["location_precision"].filter(unplaced) == "none").all()


def test_intake_says_of_every_dirty_row_what_is_wrong_with_it(rows: pl.DataFrame, tmp_path: Path) -> None:
    dirty = with_dirt(rows, 7)
    added = dirty.height - rows.height
    assert added == int(rows.height * 0.002)
    delivery = read(dirty, tmp_path)
    reasons = dict(delivery.rejected.group_by("reason").len().iter_rows())
    kinds = [DIRT[i % len(DIRT)] for i in range(added)]
    assert reasons == {REASONS[kind]: kinds.count(kind) for kind in REASONS}
    assert delivery.accepted.height == rows.height + kinds.count("repeated")
    assert delivery.accepted["incident_key"].n_unique() == rows.height


def test_almost_all_incidents_lie_in_the_study_area(rows: pl.DataFrame, area: StudyArea) -> None:
    from hotspot_assets.hexgrid.cells import with_cells

    placed = rows.with_columns(pl.col("latitude", "longitude").cast(pl.Float64)).filter(
        pl.col("latitude").is_not_null()
    )
    assert (area.index_of(with_cells(placed, area.resolution)["cell"].to_numpy()) >= 0).all()

"""Shifts, the union over offence groups, and dosage: hand-worked cases."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hotspot_assets.patrol.areas import patrol_areas
from hotspot_assets.patrol.budgets import Budget
from hotspot_assets.patrol.dosage import VisitsError, dosage, read_visits, unmatched
from hotspot_assets.patrol.shifts import (
    Shift,
    ShiftError,
    check_shifts,
    hour_profile,
    hour_strip,
    shift_shares,
    shift_times,
)
from hotspot_assets.patrol.union import over_cap, union_cover, within_cap
from hotspot_assets_tests.patrol.towns import DAY, ground_of, halves, surface_of, town

EARLY, LATE, NIGHT = (
    Shift("early", time(7), time(15)),
    Shift("late", time(15), time(23)),
    Shift("night", time(23), time(7)),
)
DAYS_SHIFTS = (EARLY, LATE, NIGHT)


def test_shares_by_hand() -> None:
    """All thefts fall on Monday, 14:00 to 16:00: half early, half late; with a prior, the rest is even."""
    weights = pl.DataFrame({"offence_group": "theft", "hour_of_week": [14, 15], "weight": [3.0, 3.0]})
    sharp = shift_shares(hour_profile(weights, prior=1e-12), DAYS_SHIFTS, date(2014, 6, 2))
    assert sharp["share"].to_list() == pytest.approx([0.5, 0.5, 0.0], abs=1e-9)
    tuesday = shift_shares(hour_profile(weights, prior=1.0), DAYS_SHIFTS, date(2014, 6, 3))
    assert tuesday["share"].to_list() == pytest.approx([8 / 24, 8 / 24, 8 / 24])
    monday = hour_strip(hour_profile(weights, prior=1.0), "theft", date(2014, 6, 2))
    assert monday[14] == pytest.approx(4 / 30) and sum(monday) == pytest.approx(1.0)
    sunday_night = pl.DataFrame({"offence_group": "theft", "hour_of_week": [2], "weight": [1.0]})
    around = shift_shares(hour_profile(sunday_night, prior=1e-12), DAYS_SHIFTS, date(2014, 6, 8))
    assert around["share"].to_list() == pytest.approx([0, 0, 1], abs=1e-6), "Sunday's night ends on Monday"


@given(starts=st.lists(st.integers(0, 1439), min_size=1, max_size=5, unique=True), day=st.integers(0, 6))
@settings(max_examples=40)
def test_shares_sum_to_one(starts: list[int], day: int) -> None:
    times = [time(*divmod(minute, 60)) for minute in sorted(starts)]
    shifts = [
        Shift(str(at), start, end)
        for at, (start, end) in enumerate(zip(times, [*times[1:], times[0]], strict=True))
    ]
    weights = pl.DataFrame(
        {"offence_group": ["a"] * 168, "hour_of_week": range(168), "weight": np.arange(168.0)}
    )
    shares = shift_shares(hour_profile(weights), shifts, date(2014, 6, 2 + day))
    assert shares["share"].sum() == pytest.approx(1.0) and (shares["share"] > 0).all()


def test_shifts_must_make_up_a_day() -> None:
    for bad in ((), (EARLY, LATE), (EARLY, NIGHT, LATE), (EARLY, EARLY)):
        with pytest.raises(ShiftError):
            check_shifts(bad)


def test_shifts_before_the_cut_off_and_across_the_clock_change() -> None:
    """London, 30 March 2014: clocks go forward at 01:00, so the night before is 7 hours long."""
    cut_off = datetime(2014, 3, 29, 8, 0, tzinfo=UTC)
    times = shift_times(DAYS_SHIFTS, date(2014, 3, 29), "Europe/London", cut_off)
    assert times["before_cut_off"].to_list() == [True, False, False]
    lengths = (times["ends_at"] - times["starts_at"]).dt.total_hours().to_list()
    assert lengths == [8, 8, 7]
    from_midnight = (Shift("a", time(0), time(12)), Shift("b", time(12), time(0)))
    ends = shift_times(from_midnight, date(2014, 1, 1), "Europe/London", cut_off)["ends_at"].to_list()
    assert ends == [datetime(2014, 1, 1, 12, tzinfo=UTC), datetime(2014, 1, 2, tzinfo=UTC)]


def test_union_counts_ground_once_and_the_cap_holds() -> None:
    area = town(5)
    ground = ground_of(area, Budget(0.2, areas=4), halves(area))
    prizes = np.random.default_rng(0).gamma(0.3, size=area.n)
    other = np.random.default_rng(1).gamma(0.3, size=area.n)
    groups = {"theft": prizes, "robbery": prizes, "burglary": other}
    areas = pl.concat(
        patrol_areas(surface_of(area, each), ground, DAY, group) for group, each in groups.items()
    )
    cover = union_cover(areas, ground)
    for row in cover.iter_rows(named=True):
        in_unit = areas.filter(pl.col("unit") == row["unit"])
        cells = {cell for cells in in_unit["cells"] for cell in cells}
        by_hand = sum(
            float(km2) for cell, km2 in zip(area.cells, area.area_km2, strict=True) if int(cell) in cells
        )
        assert row["area_km2"] == pytest.approx(by_hand)
        assert row["area_km2"] < in_unit["area_km2"].sum(), "theft and robbery share their ground"
        assert row["share"] == pytest.approx(by_hand / row["unit_km2"])
    assert over_cap(areas, ground, 0.01).height == 2
    capped = within_cap(areas, ground, 0.3)
    assert over_cap(capped, ground, 0.3).is_empty()
    assert 0 < capped.height < areas.height
    assert within_cap(areas, ground, 1.0).equals(areas)
    ranks = capped.group_by("unit", "offence_group").agg(pl.col("rank").sort())["rank"].to_list()
    assert all(each == list(range(1, len(each) + 1)) for each in ranks)
    assert capped["area_id"].is_unique().all()
    assert all(row["area_id"].endswith(f"-{row['rank']}") for row in capped.to_dicts())
    one_each = within_cap(areas, ground_of(area, Budget(share=0.001), halves(area)), 0.001)
    assert one_each["cells"].list.len().to_list() == [1, 1], "the one cell that a unit may always take"


ISSUED = pl.DataFrame(
    {
        "unit": ["Quay", "Quay"],
        "area_id": ["a1", "a2"],
        "starts_at": [datetime(2014, 6, 2, 14, tzinfo=UTC)] * 2,
        "ends_at": [datetime(2014, 6, 2, 22, tzinfo=UTC)] * 2,
        "planned_minutes": [30.0, 30.0],
    },
    schema_overrides={"starts_at": pl.Datetime("us", "UTC"), "ends_at": pl.Datetime("us", "UTC")},
)
FILE = """unit,area,enter,leave,activity
Quay,a1,2014-06-02T15:30,2014-06-02 15:45,foot
Quay,a1,2014-06-02 22:55:00,2014-06-02 23:30:00,vehicle
Quay,a2,2014-06-02 10:00,2014-06-02 10:20,foot
Quay,a9,2014-06-02 16:00,2014-06-02 16:20,foot
Quay,,2014-06-02 16:00,2014-06-02 16:20,foot
Quay,a1,2014-06-02 16:00,later,foot
Quay,a1,2014-06-02 16:30,2014-06-02 16:20,foot
Quay,a1,2014-06-02 00:00,2014-06-02 23:00,foot
"""


def test_dosage_by_hand() -> None:
    """Local time is London's, one hour ahead of UTC in June."""
    visits = read_visits(FILE.encode("utf-8-sig"), "Europe/London")
    assert dict(visits.rejected.iter_rows()) == {6: "no_area", 7: "no_time", 8: "order", 9: "too_long"}
    found = dosage(ISSUED, visits.accepted)
    assert found["delivered_minutes"].to_list() == [20.0, 0.0], "15, and the 5 before the shift ended"
    assert found["delivered_share"].to_list() == pytest.approx([20 / 30, 0.0])
    assert found["visits"].to_list() == [2, 0]
    assert found["visits_of_advised_length"].to_list() == [1, 0]
    assert unmatched(ISSUED, visits.accepted) == 2


def test_files_with_people_in_them_are_refused() -> None:
    with pytest.raises(VisitsError, match="Not wanted: collar_number") as refused:
        read_visits(b"unit,area,enter,leave,activity,collar_number\nQ,a,x,y,z,PC1234\n", "Europe/London")
    assert "PC1234" not in str(refused.value)
    with pytest.raises(VisitsError, match="missing: activity"):
        read_visits(b"unit,area,enter,leave\n", "Europe/London")
    with pytest.raises(VisitsError):
        read_visits(b"", "Europe/London")

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta

import numpy as np
import pytest

from hotspot_assets.forecasting.events import build_events, epoch_day
from hotspot_assets.intake.offences import SETTINGS
from hotspot_assets_tests.forecasting.towns import GROUPS, at, cut_offs, ledger, random_ledger, town

PLACE = town(rings=2, max_ring=1)
CELL = int(PLACE.area.cells[3])
FIRST = date(2024, 3, 1)
LAST = date(2024, 3, 10)


def known_days(*moments_and_days: tuple[date, date, int]) -> list[date]:
    rows = [
        (day, int(PLACE.area.cells[n]), "theft", at(known, hour), 10**6)
        for n, (day, known, hour) in enumerate(moments_and_days)
    ]
    events = build_events([ledger(rows)], PLACE.area, GROUPS, FIRST, cut_offs(FIRST, LAST))
    return [date(1970, 1, 1) + timedelta(days=int(day)) for day in events.known]


def test_known_is_the_first_forecast_that_may_use_it() -> None:
    assert known_days(
        (date(2024, 3, 3), date(2024, 3, 4), 4),  # in time for the 05:00 of the fourth
        (date(2024, 3, 3), date(2024, 3, 4), 5),  # exactly at it
        (date(2024, 3, 3), date(2024, 3, 4), 6),  # too late by an hour
        (date(2024, 3, 3), date(2024, 3, 3), 1),  # known at once, still not for its own day
        (date(2024, 2, 3), date(2024, 2, 4), 1),  # known before the first date
    ) == [date(2024, 3, 4), date(2024, 3, 4), date(2024, 3, 5), date(2024, 3, 4), FIRST]


def test_what_becomes_known_after_the_last_day_is_absent() -> None:
    assert known_days((date(2024, 3, 3), LAST, 6), (LAST, LAST, 1)) == []


def test_other_cells_and_groups_are_left_out_and_equals_are_one() -> None:
    outside = int(town(rings=9, max_ring=1).area.cells[-1])
    rows = [
        (date(2024, 2, 3), CELL, "theft", at(date(2024, 2, 4)), 400_000),
        (date(2024, 2, 3), CELL, "theft", at(date(2024, 2, 9)), 600_000),
        (date(2024, 2, 3), CELL, "fraud", at(date(2024, 2, 4)), 1_000_000),
        (date(2024, 2, 3), outside, "theft", at(date(2024, 2, 4)), 1_000_000),
        (date(2024, 2, 5), CELL, "theft", at(date(2024, 2, 9)), 1_000_000),
        (date(2024, 2, 5), CELL, "theft", at(date(2024, 2, 10)), -1_000_000),
    ]
    assert outside not in PLACE.area.cells
    events = build_events([ledger(rows)], PLACE.area, GROUPS, FIRST, cut_offs(FIRST, LAST))
    assert events.weight.tolist() == [1_000_000]
    assert events.cell.tolist() == [3]


def test_parts_of_a_ledger_are_the_same_as_the_whole() -> None:
    rows = [
        (
            date(2024, 2, 1 + n % 5),
            int(PLACE.area.cells[n % 4]),
            GROUPS[n % 2],
            at(date(2024, 2, 20)),
            sign * 10**5,
        )
        for n in range(40)
        for sign in (1, 1, -1)
    ]
    days = cut_offs(FIRST, LAST)
    whole = build_events([ledger(rows)], PLACE.area, GROUPS, FIRST, days)
    parts = build_events([ledger(rows[:7]), ledger([]), ledger(rows[7:])], PLACE.area, GROUPS, FIRST, days)
    nothing = build_events([], PLACE.area, GROUPS, FIRST, days)
    assert len(whole.cell) > 0 and len(nothing.cell) == 0
    for name in ("group", "cell", "day", "known", "setting", "weight"):
        assert getattr(parts, name).tolist() == getattr(whole, name).tolist()
        assert getattr(nothing, name).dtype == getattr(whole, name).dtype


def test_without_groups_there_are_no_events() -> None:
    rows = [(FIRST - timedelta(days=1), CELL, "theft", at(FIRST), 10**6)]
    events = build_events([ledger(rows)], PLACE.area, (), FIRST, cut_offs(FIRST, LAST))
    assert len(events.cell) == len(events.weight) == 0


def test_known_at_hides_what_comes_later() -> None:
    rows = [
        (date(2024, 3, 3), CELL, "theft", at(date(2024, 3, 4)), 1),
        (date(2024, 3, 3), CELL, "theft", at(date(2024, 3, 8)), 2),
    ]
    events = build_events([ledger(rows)], PLACE.area, GROUPS, FIRST, cut_offs(FIRST, LAST))
    assert events.known_at(date(2024, 3, 7)).weight.tolist() == [1]
    assert int(events.known_at(date(2024, 3, 8)).known.max()) == epoch_day(date(2024, 3, 8))
    with pytest.raises(ValueError, match="cover"):
        events.known_at(date(2024, 3, 11))


def test_cut_offs_that_do_not_ascend_are_refused() -> None:
    with pytest.raises(ValueError, match="ascend"):
        build_events([ledger([])], PLACE.area, GROUPS, FIRST, cut_offs(FIRST, LAST).reverse())


def test_entries_stand_in_one_order_and_add_up_as_polars_adds_them() -> None:
    """Against a plain grouping of the same rows: group, cell, day, known, setting."""
    frame = random_ledger(PLACE, date(2023, 11, 1), 125, 30.0, seed=5)
    events = build_events([frame], PLACE.area, GROUPS, FIRST, cut_offs(FIRST, LAST))
    moments = cut_offs(FIRST, LAST).to_list()

    def known(day: date, moment: datetime) -> date | None:
        at_last = [FIRST + timedelta(days=n) for n, cut_off in enumerate(moments) if cut_off >= moment]
        found = max(at_last[0], day + timedelta(days=1)) if at_last else None
        return found if found and found <= LAST else None

    rows: Counter[tuple[int, int, int, int, int]] = Counter()
    for day, cell, group, known_from, weight, setting in frame.iter_rows():
        if seen := known(day, known_from):
            where = int(np.searchsorted(PLACE.area.cells, cell))
            key = (GROUPS.index(group), where, epoch_day(day), epoch_day(seen), SETTINGS.index(setting))
            rows[key] += weight
    expected = sorted((*key, weight) for key, weight in rows.items() if weight)
    columns = (events.group, events.cell, events.day, events.known, events.setting, events.weight)
    assert len(expected) > 1000
    assert list(zip(*(column.tolist() for column in columns), strict=True)) == expected


def test_days_out_of_any_calendar_are_refused() -> None:
    with pytest.raises(ValueError, match="days from 1970"):
        known_days((date(1600, 1, 1), FIRST, 1))

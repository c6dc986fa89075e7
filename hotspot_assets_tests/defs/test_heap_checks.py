"""Heaps are shown to people: which points, how many, and with a warning only where they are notable."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import h3
import pytest

from hotspot_assets.defs.heap_checks import checks
from hotspot_assets_tests.workflow.homes import deliver, home_in, lake_of, row, town

STATION = (51.5101, -0.1201)


@pytest.mark.parametrize(("at_the_station", "passes"), [(40, True), (60, False)])
def test_a_point_with_many_incidents_is_listed_and_warned_of_once_notable(
    tmp_path: Path, at_the_station: int, passes: bool
) -> None:
    settings = home_in(tmp_path)
    at = datetime(2020, 2, 3, 4, 5, tzinfo=UTC)
    heap = [row(f"HEAP-{number}", at, *STATION) for number in range(at_the_station)]
    deliver(settings, "first.csv", [*town(), *heap])
    lake = lake_of(settings)
    _, places = checks(settings)
    found = places(lake)  # type: ignore[operator]
    lake.close()
    cell = h3.latlng_to_cell(*STATION, settings.grid.resolution)
    assert found.passed is passes
    assert f"| `{cell}` | {at_the_station} | {at_the_station / (150 + at_the_station):.2%} | 1 |" in str(
        found.metadata["list"].value
    )

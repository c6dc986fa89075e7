"""A delivery read and compared in parts is the same delivery."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from hotspot_assets.intake.content import empty_versions
from hotspot_assets.intake.delivery import read_delivery
from hotspot_assets.intake.knowledge import Completeness, DeliveryFacts
from hotspot_assets.intake.parts import key_ranges, read_into_parts
from hotspot_assets.intake.validation import IntakeOptions
from hotspot_assets.intake.versions import NOTHING_YET, compare
from hotspot_assets.warehouse.deliveries import ReadFile, compare_only, record_delivery
from hotspot_assets.warehouse.lake import Lake, Stamp
from hotspot_assets.warehouse.weights import append_entries
from hotspot_assets.workflow.bucketing import entries_of_delivery

from .homes import home_in

NOW = datetime(2026, 6, 1, tzinfo=UTC)
OPTIONS = IntakeOptions(now=NOW, key=b"a secret of tests")
HEADER = "reference,offence_code,occurred_from,modified_at,latitude,longitude,reversal"
START = datetime(2026, 3, 1, 12, tzinfo=UTC)

# (incident, hour it was modified, moved, reversed): few incidents, so that rows of one fall into many batches.
ROWS = st.lists(
    st.tuples(st.integers(0, 15), st.integers(0, 5), st.booleans(), st.integers(0, 9)),
    min_size=1,
    max_size=60,
)


def written(folder: Path, name: str, rows: list[tuple[int, int, bool, int]]) -> Path:
    """A contract file with one row per tuple; a tenth of them reversals, and one that is no incident."""
    lines = [HEADER, "broken,BURGLARY,yesterday,,51.5,-0.1,"]
    for incident, hour, moved, fate in rows:
        modified = (START + timedelta(days=1, hours=hour)).isoformat()
        latitude = "51.52" if moved else "51.5"
        back = "true" if fate == 0 else ""
        lines.append(f"R{incident},BURGLARY,{START.isoformat()},{modified},{latitude},-0.1,{back}")
    path = folder / name
    path.write_text("\n".join(lines) + "\n")
    return path


def facts(seq: int, complete: bool = False) -> DeliveryFacts:
    """The delivery as a whole; `complete` for the day of all incidents."""
    period = Completeness.of_days(START.date(), START.date(), "Europe/London") if complete else None
    return DeliveryFacts(seq, "contract", NOW, "Europe/London", complete_for=period, closing_limit=0.3)


@settings(max_examples=40)
@given(ROWS, ROWS, st.integers(1, 20))
def test_slices_compared_one_by_one_are_the_delivery_compared_as_a_whole(
    first: list[tuple[int, int, bool, int]], second: list[tuple[int, int, bool, int]], slice_rows: int
) -> None:
    with TemporaryDirectory() as folder:
        earlier = read_delivery(written(Path(folder), "first.csv", first), OPTIONS)
        known = compare(earlier.accepted, empty_versions(), facts(1)).versions
        path = written(Path(folder), "second.csv", second)
        whole = read_delivery(path, OPTIONS)
        expected = compare(whole.accepted, known, facts(2))
        parts = read_into_parts(path, OPTIONS, Path(folder), piece_bytes=300, slice_rows=slice_rows)
        key = pl.col("incident_key")
        made = [
            compare(part.rows, known.filter((key >= part.low) & (key < part.high)), facts(2))
            for part in parts.slices()
        ]
        rejected = pl.concat(parts.rejected())
    versions = pl.concat([each.versions for each in made])
    assert versions.sort("incident_key").equals(expected.versions.sort("incident_key"))
    assert sum((each.counts for each in made), NOTHING_YET) == expected.counts
    assert rejected.equals(whole.rejected)
    assert (parts.rows_read, parts.rows_accepted) == (whole.rows_read, whole.accepted.height)


def recorded(
    lake: Lake, folder: Path, path: Path, seq: int, slice_rows: int, piece_bytes: int
) -> dict[str, object]:
    """The row of `deliveries` that a file makes when read and compared in parts of these sizes."""
    parts_in = folder / f"{path.stem}-{slice_rows}"
    parts_in.mkdir()
    parts = read_into_parts(path, OPTIONS, parts_in, piece_bytes, slice_rows)
    file = ReadFile(path.name, path.stem, 1, parts)
    looked = compare_only(lake, file, lambda number, _: facts(number, complete=seq > 1))
    row = record_delivery(
        lake, file, lambda number, _: facts(number, complete=seq > 1), Stamp("tester")
    ).result.row
    assert {name: row[name] for name in looked if name.startswith(("rows_", "incidents_", "closings_"))} == {
        name: value for name, value in looked.items() if name.startswith(("rows_", "incidents_", "closings_"))
    }
    return row


def test_the_lake_holds_the_same_whatever_the_size_of_the_parts(tmp_path: Path) -> None:
    kept = [(number, 0, False, 5) for number in range(60)]
    gone = [*kept[:50], (0, 3, True, 5), (1, 2, True, 5), (1, 4, False, 5), (2, 3, False, 0)]
    nearly_all_gone = kept[:5]
    files = [written(tmp_path, f"{n}.csv", rows) for n, rows in enumerate((kept, gone, nearly_all_gone))]
    homes = []
    for name, slice_rows, piece_bytes in (("whole", 10_000, 1 << 20), ("parts", 7, 400)):
        (tmp_path / name).mkdir()
        home = home_in(tmp_path / name)
        lake = Lake(home.warehouse, home.data_path)
        rows = [
            recorded(lake, tmp_path / name, file, seq, slice_rows, piece_bytes)
            for seq, file in enumerate(files, start=1)
        ]
        for seq in (1, 2, 3):
            append_entries(lake, partial(entries_of_delivery, lake, home, seq), seq, Stamp("tester"))
        homes.append((lake, rows))
    (whole, whole_rows), (parts, parts_rows) = homes
    assert parts_rows == whole_rows
    assert [row["incidents_vanished"] for row in parts_rows] == [0, 10, 0]
    assert [row["closings_waiting"] for row in parts_rows] == [0, 0, 45]
    for table in ("incidents", "rejected_rows", "hexagon_incidents"):
        query = f"SELECT * FROM {table} ORDER BY ALL"
        assert parts.read(query).equals(whole.read(query))


def test_key_ranges_share_the_keys_out_without_gap() -> None:
    assert list(key_ranges(0)) == list(key_ranges(1)) == [("", "g")]
    assert list(key_ranges(4)) == [
        ("", "40000000"), ("40000000", "80000000"), ("80000000", "c0000000"), ("c0000000", "g"),
    ]  # fmt: skip

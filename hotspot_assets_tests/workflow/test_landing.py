"""Files that wait in the landing folder, and the names they are known by."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from hotspot_assets.warehouse.lake import Stamp
from hotspot_assets.workflow.deliveries import Declaration, take_in
from hotspot_assets.workflow.landing import deliver, landed_files
from hotspot_assets_tests.workflow.homes import home_in, lake_of

LATIN = os.fsdecode(b"m_\xdcberfall.csv")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no file names that are no text")
def test_a_name_that_is_no_text_is_replaced_by_one_that_is(tmp_path: Path) -> None:
    """As unpacking an archive made under Windows leaves it."""
    (tmp_path / LATIN).write_text("x")
    (file,) = landed_files(tmp_path)
    assert file.path.name == "m_\ufffdberfall.csv" and file.path.read_text() == "x"
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / LATIN).write_text("y")
    assert deliver(tmp_path / "elsewhere" / LATIN, tmp_path).name == "m_\ufffdberfall-2.csv"
    assert [each.path.read_text() for each in landed_files(tmp_path)] == ["y", "x"]


@pytest.mark.parametrize("name", ["a." + "x" * 240, "x" * 240, "x" * 240 + ".csv"])
def test_a_long_name_is_cut_and_the_file_stays_in_sight(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("x")
    (file,) = landed_files(tmp_path)
    assert len(file.path.name) == 200 and file.path.read_text() == "x"
    assert file.path.name.startswith(name[:2]) and file.path.name.endswith(name[-4:])
    assert landed_files(tmp_path) == [file]


@pytest.mark.skipif(
    sys.platform != "linux", reason="other systems count the letters of a name, not its bytes"
)
def test_a_file_with_a_very_long_name_is_set_aside_with_its_reason(tmp_path: Path) -> None:
    settings = home_in(tmp_path)
    settings.landing.mkdir(parents=True)
    (settings.landing / ("\N{SNOWMAN}" * 82 + ".csv")).touch()
    (file,) = landed_files(settings.landing)
    assert file.path.suffix == ".csv"
    lake = lake_of(settings)
    assert take_in(lake, settings, file.path, Declaration(), Stamp("tester")).row["status"] == "set_aside"
    lake.close()
    (reason,) = (settings.landing / "set_aside").glob("*.reason.txt")
    assert "is empty" in reason.read_text(encoding="utf-8")

"""Fixtures shared by all rooms: where the real incidents lie, if they are on this machine."""

from __future__ import annotations

from pathlib import Path

import pytest

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Side by side run files, for their fixtures; those that share the home of the main job run as one."""
    for item in items:
        folder = item.path.parent.name
        group = folder if folder == "end_to_end" else str(item.path)
        item.add_marker(pytest.mark.xdist_group(group))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real public incidents; the test is skipped where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip("real incidents are not on this machine (../shared/data)")
    return SHARED_DATA

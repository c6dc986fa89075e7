"""What the tests of all rooms share: real incidents, if they are on this machine, and how tests are run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import hypothesis
import pytest
from xdist.scheduler import LoadFileScheduling

# No deadline for an example: on a machine that does other things too, it would fail what is right.
hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.load_profile("patient")

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


class ByFileAndHome(LoadFileScheduling):  # type: ignore[misc]
    """A file's tests run on one core, for their fixtures; all that share the home of the main job on one, too."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::")[0]
        return "end_to_end" if "end_to_end/" in file else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFileAndHome:
    """How pytest-xdist shares the tests out."""
    return ByFileAndHome(config, log)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real public incidents; the test is skipped where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip("real incidents are not on this machine (../shared/data)")
    return SHARED_DATA

"""(e) Start-up: importing the code location, loading its definitions, and the first asset, each in a new process."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial
from pathlib import Path

from benchmarks.measure import Comparison, in_turn, median_cpu, ratio
from benchmarks.places import home_in
from hotspot_assets.defs.operate import prepare_instance
from hotspot_assets.simulation.city import CitySpec

_BARE = "import dagster"
_IMPORT = "from hotspot_assets.definitions import defs"
_LOAD = f"{_IMPORT}; defs.get_repository_def().load_all_definitions()"
_FIRST = f"""{_IMPORT}
import dagster as dg
with dg.DagsterInstance.get() as instance:
    first = [dg.AssetKey(name) for name in ("deliveries", "incidents", "rejected_rows")]
    job = defs.resolve_job_def("take_in")
    assert job.execute_in_process(instance=instance, asset_selection=first).success
"""
_FIRST_OF_EMPTY = """
import dagster as dg
@dg.asset
def nothing() -> None: ...
defs = dg.Definitions([nothing], jobs=[dg.define_asset_job("job")], executor=dg.in_process_executor)
with dg.DagsterInstance.get() as instance:
    assert defs.resolve_job_def("job").execute_in_process(instance=instance).success
"""


def in_new_process(code: str, home: Path) -> None:
    """Run a text of Python in the home, in a process of its own."""
    env = os.environ | {"HOTSPOT_HOME": str(home)}
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True, env=env, capture_output=True)


def run(folder: Path, rounds: int) -> list[Comparison]:
    """Each against what Dagster alone takes, after one of each that does not count."""
    settings = home_in(folder / "startup", CitySpec())
    prepare_instance(settings)
    codes = {"bare": _BARE, "import": _IMPORT, "load": _LOAD, "first": _FIRST, "empty": _FIRST_OF_EMPTY}
    works = {name: partial(in_new_process, code, settings.home) for name, code in codes.items()}
    in_turn(works, 1)
    timings = in_turn(works, rounds)
    pairs = (
        ("import of the code location by a bare import of Dagster", "import", "bare"),
        ("definitions loaded by a bare import of Dagster", "load", "bare"),
        ("trigger to the first asset made by that of a graph with one empty asset", "first", "empty"),
    )
    return [
        Comparison(
            "e",
            what,
            ratio(timings[ours], timings[theirs]),
            "",
            f"processor {median_cpu(timings[ours]):.1f} s against {median_cpu(timings[theirs]):.1f} s",
        )
        for what, ours, theirs in pairs
    ]

"""What Dagster is told, held against the picture a person has reviewed; and that telling it opens nothing."""

from __future__ import annotations

import difflib
import os
import subprocess
import sys
from pathlib import Path

import dagster as dg

from hotspot_assets.settings import PROJECT_ROOT
from hotspot_assets.warehouse.tables import TABLES

from .snapshot import PICTURE, as_text, default_definitions, described


def test_the_definitions_are_those_of_the_committed_picture() -> None:
    committed, now = PICTURE.read_text(encoding="utf-8"), as_text(described(default_definitions()))
    changes = "\n".join(
        difflib.unified_diff(committed.splitlines(), now.splitlines(), "committed", "now", lineterm="", n=2)
    )
    assert committed == now, (
        f"The definitions have changed:\n{changes}\n"
        "If that is meant: python -m hotspot_assets_tests.defs.snapshot, and commit the new picture."
    )


def test_the_picture_notices_a_change() -> None:
    """The negative control: one asset with another owner, group or dependency is another picture."""
    before = dg.asset(name="areas", owners=["team:a"], group_name="g")(lambda: None)
    for changed in (
        dg.asset(name="areas", owners=["team:b"], group_name="g")(lambda: None),
        dg.asset(name="areas", owners=["team:a"], group_name="h")(lambda: None),
        dg.asset(name="areas", owners=["team:a"], group_name="g", deps=["scores"])(lambda: None),
    ):
        assert described(dg.Definitions([changed])) != described(dg.Definitions([before]))


def test_the_definitions_resolve_as_a_code_location() -> None:
    dg.Definitions.validate_loadable(default_definitions())


def test_every_asset_says_who_owns_it_what_it_is_and_where_it_stands() -> None:
    graph = default_definitions().resolve_asset_graph()
    for key in graph.get_all_asset_keys():
        node, name = graph.get(key), key.to_user_string()
        assert node.is_materializable, f"{name} is a name that nothing makes"
        assert node.owners, name
        assert node.kinds, name
        assert node.description, name
        assert node.group_name in {"intake", "forecasts", "patrols", "trial", "upkeep"}, name


def test_columns_and_lineage_speak_of_tables_and_columns_that_exist() -> None:
    graph = default_definitions().resolve_asset_graph()
    for key in graph.get_all_asset_keys():
        metadata, name = graph.get(key).metadata, key.to_user_string()
        if "dagster/table_name" not in metadata:
            continue
        table = TABLES[metadata["dagster/table_name"].removeprefix("hotspot.")]
        columns = metadata["dagster/column_schema"].columns
        assert [each.name for each in columns] == list(table.dtypes), name
        assert all(each.description for each in columns), name
        for column, sources in metadata["dagster/column_lineage"].deps_by_column.items():
            assert column in table.dtypes, f"{name}.{column}"
            for source in sources:
                upstream = source.asset_key.to_user_string()
                assert source.column_name in TABLES[upstream].dtypes, (
                    f"{name}.{column} <- {upstream}.{source.column_name}"
                )


def test_loading_the_definitions_opens_no_lake_and_writes_nothing(tmp_path: Path) -> None:
    home = tmp_path / "home"
    script = """
import sys
from hotspot_assets.definitions import defs
graph = defs.resolve_asset_graph()
jobs = [defs.resolve_job_def(job.name) for job in defs.jobs]
assert graph.get_all_asset_keys() and jobs
print("heavy:", sorted({"matplotlib", "geopandas", "lightgbm", "sklearn"} & set(sys.modules)))
"""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("HOTSPOT_", "DAGSTER_"))}
    env |= {"HOTSPOT_HOME": str(home), "PYTHONPATH": str(PROJECT_ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-W", "ignore", "-c", script]
    done = subprocess.run(
        command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "heavy: []"
    assert list(tmp_path.iterdir()) == []

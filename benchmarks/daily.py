"""(e) The daily run, to the map and to the last sheet, against a run of an empty graph of the same shape."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import dagster as dg

from benchmarks.measure import Comparison, Timing, in_turn, median_cpu, median_seconds, ratio
from benchmarks.places import START, fill, home_in, spec_of, write_file
from hotspot_assets.definitions import build_definitions
from hotspot_assets.defs.automation import DAILY_JOB
from hotspot_assets.defs.operate import instance_of
from hotspot_assets.settings import Settings

QUIET = {"loggers": {"console": {"config": {"log_level": "ERROR"}}}}


def empty_graph(definitions: dg.Definitions, job: str) -> dg.Definitions:
    """Assets and checks of a job by the same names, partitions and dependencies, that do nothing."""
    graph = definitions.resolve_asset_graph()
    chosen = definitions.resolve_job_def(job).asset_layer.executable_asset_keys
    checks_of: dict[dg.AssetKey, list[dg.AssetCheckKey]] = {key: [] for key in chosen}
    for check in graph.asset_check_keys:
        if check.asset_key in checks_of:
            checks_of[check.asset_key].append(check)
    assets = []
    for key in chosen:
        node = graph.get(key)
        specs = [dg.AssetCheckSpec(check.name, asset=key) for check in checks_of[key]]
        assets.append(
            dg.asset(
                key=key,
                deps=[parent for parent in node.parent_keys if parent in chosen],
                partitions_def=node.partitions_def,
                check_specs=specs,
            )(_nothing([spec.name for spec in specs]))
        )
    return dg.Definitions(
        assets=assets, jobs=[dg.define_asset_job(job, selection="*")], executor=dg.in_process_executor
    )


def _nothing(checks: list[str]) -> Callable[[], dg.MaterializeResult]:
    def nothing() -> dg.MaterializeResult:
        return dg.MaterializeResult(
            check_results=[dg.AssetCheckResult(check_name=name, passed=True) for name in checks]
        )

    return nothing


def without(definitions: dg.Definitions, job: str, left_out: str) -> dg.Definitions:
    """The job without one of its assets."""
    chosen = definitions.resolve_job_def(job).asset_layer.executable_asset_keys
    selection = dg.AssetSelection.assets(*(chosen - {dg.AssetKey(left_out)}))
    return dg.Definitions(
        assets=definitions.assets,
        asset_checks=definitions.asset_checks,
        jobs=[dg.define_asset_job(job, selection)],
        resources=definitions.resources,
        executor=definitions.executor,
    )


def execute(settings: Settings, definitions: dg.Definitions, partition: Iterator[str] | str) -> None:
    """The daily job for one day, recorded in the home's instance."""
    key = partition if isinstance(partition, str) else next(partition)
    with instance_of(settings) as instance:
        result: Any = definitions.resolve_job_def(DAILY_JOB).execute_in_process(
            instance=instance, partition_key=key, run_config=QUIET
        )
    if not result.success:
        raise RuntimeError("the daily run failed")


def run(folder: Path, cells: int, per_day: float, days: int, rounds: int) -> list[Comparison]:
    """The daily job, warm: a day each round, after one that does not count."""
    spec = spec_of(cells, per_day)
    settings = home_in(folder / "daily", spec)
    fill(settings, write_file(folder / "daily.csv", spec, days))
    whole = build_definitions(settings)
    to_map = without(whole, DAILY_JOB, "patrol_briefing")
    first = START + timedelta(days=days - 2 * rounds - 1)
    keys = iter([(first + timedelta(days=n)).isoformat() for n in range(2 * rounds + 1)])
    works = {}
    for name, ours in (("to map", to_map), ("to the last sheet", whole)):
        works[name] = partial(execute, settings, ours, keys)
        works[f"empty {name}"] = partial(execute, settings, empty_graph(ours, DAILY_JOB), first.isoformat())
    execute(settings, whole, keys)
    works["empty to map"](), works["empty to the last sheet"]()
    timings = in_turn(works, rounds)
    return [
        _compared(cells, timings["to map"], timings["empty to map"], "to map", " (target: 5 s at most)"),
        _compared(
            cells, timings["to the last sheet"], timings["empty to the last sheet"],
            "to the last draft sheet and page of reasons", "",
        ),
    ]  # fmt: skip


def _compared(
    cells: int, ours: Sequence[Timing], empty: Sequence[Timing], reach: str, target: str
) -> Comparison:
    mine, nothing = median_cpu(ours), median_cpu(empty)
    facts = (
        f"{cells:,} cells: {median_seconds(ours):.1f} s against {median_seconds(empty):.1f} s; processor"
        f" {mine:.1f} s against {nothing:.1f} s, {mine - 1.5 * nothing:.1f} s more than 1.5 times{target}"
    )
    what = f"daily run, delivery {reach}, by a run of an empty graph"
    return Comparison("e", what, ratio(ours, empty), "", facts)

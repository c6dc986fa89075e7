"""(a) One day, and a year, of ProMap for all offence groups: the engine, and the obvious ways to the same numbers.

All start from the incidents in memory, each in the form it reads fastest; the engine and the joins keep the
neighbours of the cells, which change with the study area only. Kernel density (scikit-learn) is compared with the
engine's own Gaussian.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial

import h3
import numpy as np
import polars as pl
from duckdb import DuckDBPyConnection

from benchmarks.measure import Comparison, connected, in_turn, median_seconds, ratio
from benchmarks.places import START, area_of, ledger_of, spec_of
from hotspot_assets.forecasting.engine import score_days
from hotspot_assets.forecasting.events import Events, build_events, month_start
from hotspot_assets.forecasting.kernel import Component, DecayKernel
from hotspot_assets.forecasting.profiles import FloatArray, Gaussian, Hyperbolic, RingHyperbolic, Window
from hotspot_assets.hexgrid.cells import cell_to_hex, centres
from hotspot_assets.hexgrid.neighbours import Neighbours, neighbours
from hotspot_assets.hexgrid.study_areas import StudyArea
from hotspot_assets.intake.calendar import cut_offs_utc
from hotspot_assets.simulation.process import simulate

_WEEKS, _RINGS = 8, 3
PROMAP = DecayKernel((Component(Hyperbolic(_WEEKS), RingHyperbolic(_RINGS)),))
_BANDWIDTH_M = 300.0
_DENSITY = DecayKernel((Component(Window(365), Gaussian(_BANDWIDTH_M)),))


@dataclass(frozen=True)
class Scene:
    """Incidents and cells, and what may be kept between days."""

    area: StudyArea
    near: Neighbours
    ledger: pl.DataFrame
    groups: tuple[str, ...]
    pairs: pl.DataFrame


def scene_of(cells: int, per_day: float, days: int) -> Scene:
    """A city of about so many cells with so many days of incidents."""
    spec = spec_of(cells, per_day)
    area = area_of(spec)
    near = neighbours(area, 10)
    ring = near.ring.tocoo()
    kept = ring.data <= _RINGS + 1
    pairs = pl.DataFrame(
        {
            "cell": area.cells[ring.col[kept]],
            "to": area.cells[ring.row[kept]],
            "share": 1.0 / ring.data[kept].astype(np.float64),
        }
    )
    ledger = ledger_of(simulate(spec, START, days))
    inside = ledger.filter(area.index_of(ledger["cell"].to_numpy()) >= 0)
    return Scene(area, near, inside, tuple(sorted(spec.groups)), pairs)


def events_of(scene: Scene, first: date, last: date) -> Events:
    """What the engine reads: the incidents as sorted arrays, as the peers have them as tables."""
    anchor = month_start(first)
    days = [anchor + timedelta(days=offset) for offset in range((last - anchor).days + 1)]
    cut_offs = cut_offs_utc(pl.Series(days, dtype=pl.Date), "UTC", datetime(2000, 1, 1, 5).time(), 0)
    return build_events([scene.ledger], scene.area, scene.groups, anchor, cut_offs)


def by_engine(
    scene: Scene, events: Events, first: date, last: date, kernel: DecayKernel
) -> dict[date, FloatArray]:
    """Shares of each day, groups by cells."""
    kernels = dict.fromkeys(scene.groups, kernel)
    return {
        each.date: each.shares for each in score_days(events, scene.area, scene.near, kernels, first, last)
    }


def _recent(scene: Scene, day: date) -> pl.DataFrame:
    """Incidents of the last eight weeks with their weight by age."""
    rows = scene.ledger.filter(pl.col("day").is_between(day - timedelta(days=7 * _WEEKS), day, closed="left"))
    ages = (pl.lit(day) - pl.col("day")).dt.total_days()
    aged = rows.with_columns(age=ages)
    return aged.with_columns(weight=pl.Series(Hyperbolic(_WEEKS).at(aged["age"].to_numpy())))


def by_loop(scene: Scene, day: date) -> dict[str, dict[str, float]]:
    """A loop over incidents and the rings around them."""
    totals: dict[str, dict[str, float]] = {group: defaultdict(float) for group in scene.groups}
    rows = _recent(scene, day)
    for cell, group, weight in zip(
        cell_to_hex(rows["cell"].to_numpy()), rows["offence_group"], rows["weight"], strict=True
    ):
        for ring in range(_RINGS + 1):
            for near in h3.grid_ring(cell, ring):
                totals[group][near] += weight / (1 + ring)
    return totals


def by_polars(scene: Scene, day: date) -> pl.DataFrame:
    """Each incident joined with its neighbours, then summed."""
    joined = _recent(scene, day).join(scene.pairs, on="cell")
    return joined.group_by("offence_group", "to").agg(score=(pl.col("weight") * pl.col("share")).sum())


def by_explode(scene: Scene, day: date) -> pl.DataFrame:
    """Each incident exploded into the cells around it by the H3 plug-in, then summed."""
    import polars_h3 as plh3

    rows, parts = _recent(scene, day), []
    for ring in range(_RINGS + 1):
        around = rows.with_columns(to=plh3.grid_ring("cell", ring)).explode("to")
        parts.append(around.with_columns(score=pl.col("weight") / (1 + ring)))
    return pl.concat(parts).group_by("offence_group", "to").agg(pl.col("score").sum())


def by_sql(scene: Scene, connection: DuckDBPyConnection, day: date) -> pl.DataFrame:
    """The same join in DuckDB, incidents of a cell, group and age summed first."""
    query = """
        SELECT offence_group, pairs."to", sum(n * share / (1 + date_diff('day', day, $day) // 7)) AS score
        FROM (SELECT offence_group, cell, day, count(*) AS n FROM incidents
              WHERE day > $day - $days AND day < $day GROUP BY ALL) JOIN pairs USING (cell)
        GROUP BY ALL
    """
    return connection.execute(query, {"day": day, "days": 7 * _WEEKS}).pl()


def by_density(scene: Scene, day: date) -> list[FloatArray]:
    """scikit-learn's kernel density of the last 365 days at the cell centres, group by group."""
    from sklearn.neighbors import KernelDensity

    rows = scene.ledger.filter(pl.col("day").is_between(day - timedelta(days=365), day, closed="left"))
    at = np.radians(np.column_stack(centres(scene.area.cells)))
    bandwidth = _BANDWIDTH_M / 6_371_007.2
    found = []
    for group in scene.groups:
        own = rows.filter(pl.col("offence_group") == group)["cell"].to_numpy()
        density = KernelDensity(bandwidth=bandwidth, metric="haversine", rtol=1e-4)
        density.fit(np.radians(np.column_stack(centres(own))))
        found.append(np.exp(density.score_samples(at)))
    return found


def table_of(scene: Scene) -> DuckDBPyConnection:
    """The scene in DuckDB."""
    connection = connected()
    connection.register("a", scene.ledger.to_arrow())
    connection.register("b", scene.pairs.to_arrow())
    connection.execute("CREATE TABLE incidents AS FROM a; CREATE TABLE pairs AS FROM b")
    return connection


def run(cells: int, per_day: float, days: int, rounds: int) -> list[Comparison]:
    """One day warm, and a year as days times the peer's day."""
    scene = scene_of(cells, per_day, days)
    day = START + timedelta(days=days - 1)
    connection = table_of(scene)
    long = min(365, days - 60)
    first = day - timedelta(days=long - 1)
    events = events_of(scene, day, day)
    for kernel in (PROMAP, _DENSITY):
        by_engine(scene, events, day, day, kernel)
    works = {
        "engine": partial(by_engine, scene, events, day, day, PROMAP),
        "loop over h3 rings": partial(by_loop, scene, day),
        "Polars explode-join": partial(by_explode, scene, day),
        "Polars join with kept neighbours": partial(by_polars, scene, day),
        "DuckDB SQL with kept neighbours": partial(by_sql, scene, connection, day),
        "engine, Gaussian": partial(by_engine, scene, events, day, day, _DENSITY),
        "scikit-learn KDE": partial(by_density, scene, day),
    }
    timings = in_turn(works, rounds)
    targets = {"loop over h3 rings": ">= 100", "Polars explode-join": ">= 20"}
    rows = []
    for name in works:
        if name.startswith("engine"):
            continue
        own = "engine, Gaussian" if "KDE" in name else "engine"
        facts = f"{median_seconds(timings[own]):.3f} s against {median_seconds(timings[name]):.3f} s"
        rows.append(
            Comparison(
                "a",
                f"one day: {name} by the engine",
                ratio(timings[name], timings[own]),
                targets.get(name, ""),
                facts,
            )
        )
    span = partial(by_engine, scene, events_of(scene, first, day), first, day, PROMAP)
    year = in_turn({"engine": span, "sql": works["DuckDB SQL with kept neighbours"]}, rounds)
    per_range = median_seconds(year["sql"]) * long / median_seconds(year["engine"])
    facts = f"{long} days in {median_seconds(year['engine']):.1f} s; the peer's day times {long}"
    rows.append(Comparison("a", f"{long} days: DuckDB SQL day by day by the engine", per_range, "", facts))
    return rows

"""(a) One day, and a year, of scores for all offence groups: the engine, and the obvious ways to the same numbers.

Two scores: one that decays exponentially over all history, as the product's own do, and ProMap, which forgets
after eight weeks. All start from the incidents in memory, each in the form it reads fastest; the engine and the
joins keep the neighbours of the cells, which change with the study area only. Kernel density (scikit-learn) is
compared with the engine's own Gaussian.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
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
from hotspot_assets.forecasting.profiles import (
    Exponential,
    FloatArray,
    Gaussian,
    Hyperbolic,
    RingHyperbolic,
    Window,
)
from hotspot_assets.hexgrid.cells import cell_to_hex, centres
from hotspot_assets.hexgrid.neighbours import Neighbours, neighbours
from hotspot_assets.hexgrid.study_areas import StudyArea
from hotspot_assets.intake.calendar import cut_offs_utc
from hotspot_assets.simulation.process import simulate

_RINGS = 3
DECAYED = DecayKernel((Component(Exponential(20.0), RingHyperbolic(_RINGS)),))
PROMAP = DecayKernel((Component(Hyperbolic(8), RingHyperbolic(_RINGS)),))
_BANDWIDTH_M = 300.0
_DENSITY = DecayKernel((Component(Window(365), Gaussian(_BANDWIDTH_M)),))


Work = Callable[[], object]


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


def weighted(scene: Scene, kernel: DecayKernel, day: date) -> pl.DataFrame:
    """Incidents that still count on a day, with their weight by age."""
    rows = scene.ledger.filter(pl.col("day") < day)
    ages = (pl.lit(day) - pl.col("day")).dt.total_days()
    weights = kernel.components[0].temporal.at(rows.select(ages).to_series().to_numpy())
    return rows.with_columns(weight=pl.Series(weights)).filter(pl.col("weight") > 0)


def by_loop(scene: Scene, kernel: DecayKernel, day: date) -> dict[str, dict[str, float]]:
    """A loop over incidents and the rings around them."""
    totals: dict[str, dict[str, float]] = {group: defaultdict(float) for group in scene.groups}
    rows = weighted(scene, kernel, day)
    for cell, group, weight in zip(
        cell_to_hex(rows["cell"].to_numpy()), rows["offence_group"], rows["weight"], strict=True
    ):
        for ring in range(_RINGS + 1):
            for near in h3.grid_ring(cell, ring):
                totals[group][near] += weight / (1 + ring)
    return totals


def by_polars(scene: Scene, kernel: DecayKernel, day: date) -> pl.DataFrame:
    """Each incident joined with its neighbours, then summed."""
    joined = weighted(scene, kernel, day).join(scene.pairs, on="cell")
    return joined.group_by("offence_group", "to").agg(score=(pl.col("weight") * pl.col("share")).sum())


def by_explode(scene: Scene, kernel: DecayKernel, day: date) -> pl.DataFrame:
    """Each incident exploded into the cells around it by the H3 plug-in, then summed."""
    import polars_h3 as plh3

    rows, parts = weighted(scene, kernel, day), []
    for ring in range(_RINGS + 1):
        around = rows.with_columns(to=plh3.grid_ring("cell", ring)).explode("to")
        parts.append(around.with_columns(score=pl.col("weight") / (1 + ring)))
    return pl.concat(parts).group_by("offence_group", "to").agg(pl.col("score").sum())


_WEIGHT_IN_SQL = {
    "exponential": "exp(-age / 20.0)",
    "hyperbolic": "CASE WHEN age < 56 THEN 1 / (1 + age // 7) ELSE 0 END",
}


def by_sql(scene: Scene, connection: DuckDBPyConnection, kernel: DecayKernel, day: date) -> pl.DataFrame:
    """The same join in DuckDB, incidents of a cell and group summed first."""
    query = f"""
        SELECT offence_group, pairs."to", sum(weight * share) AS score
        FROM (SELECT offence_group, cell, sum({_WEIGHT_IN_SQL[kernel.components[0].temporal.kind]}) AS weight
              FROM (SELECT *, date_diff('day', day, $day) AS age FROM incidents WHERE day < $day)
              GROUP BY ALL) JOIN pairs USING (cell)
        GROUP BY ALL
    """
    return connection.execute(query, {"day": day}).pl()


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
    year = min(365, days - 60)
    first = day - timedelta(days=year - 1)
    of_day, of_year = events_of(scene, day, day), events_of(scene, first, day)
    connection = table_of(scene)
    targets = {"loop over h3 rings": ">= 100", "Polars explode-join": ">= 20"}
    works = {
        "decayed score": (DECAYED, _peers(scene, connection, DECAYED, day), targets),
        "ProMap": (PROMAP, _peers(scene, connection, PROMAP, day), targets),
        "Gaussian density": (_DENSITY, {"scikit-learn KDE": partial(by_density, scene, day)}, {}),
    }
    found, years = [], []
    for name, (kernel, peers, bounds) in works.items():
        found += _one_day(name, partial(by_engine, scene, of_day, day, day, kernel), peers, bounds, rounds)
        if kernel is not PROMAP:
            engine = partial(by_engine, scene, of_year, first, day, kernel)
            years += _year(name, engine, peers, year, rounds)
    return [*found, *years]


def _peers(scene: Scene, connection: DuckDBPyConnection, kernel: DecayKernel, day: date) -> dict[str, Work]:
    return {
        "loop over h3 rings": partial(by_loop, scene, kernel, day),
        "Polars explode-join": partial(by_explode, scene, kernel, day),
        "Polars join with kept neighbours": partial(by_polars, scene, kernel, day),
        "DuckDB SQL with kept neighbours": partial(by_sql, scene, connection, kernel, day),
    }


def _one_day(
    name: str, engine: Work, peers: Mapping[str, Work], targets: Mapping[str, str], rounds: int
) -> list[Comparison]:
    timings = in_turn({"engine": engine, **peers}, rounds, warm=True)
    own = median_seconds(timings["engine"])
    return [
        Comparison(
            "a",
            f"one day, {name}: {peer} by the engine",
            ratio(timings[peer], timings["engine"]),
            targets.get(peer, ""),
            f"{own:.3f} s against {median_seconds(timings[peer]):.3f} s",
        )
        for peer in peers
    ]


def _year(name: str, engine: Work, peers: Mapping[str, Work], days: int, rounds: int) -> list[Comparison]:
    """A peer knows no range: its year is its day as often as there are days."""
    timings = in_turn({"engine": engine, **peers}, rounds)
    own = median_seconds(timings["engine"])
    return [
        Comparison(
            "a",
            f"{days} days, {name}: {peer} day by day by the engine",
            days * ratio(timings[peer], timings["engine"]),
            "",
            f"{own:.1f} s against {days} times {median_seconds(timings[peer]):.3f} s",
        )
        for peer in peers
    ]

"""(g) Layouts of the largest table: how much room scores take, and how long the usual questions to them.

The lake's files are Parquet, so files are compared; the first layout is the one the lake writes (ADR 0009).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from pathlib import Path

from duckdb import DuckDBPyConnection

from benchmarks.measure import Comparison, connected, in_turn, median_seconds
from benchmarks.places import STAMP, START
from benchmarks.year import prepared
from hotspot_assets.warehouse.lake import Lake
from hotspot_assets.workflow.forecasts import make_forecasts

_HISTORY_DAYS = 100


@dataclass(frozen=True)
class Layout:
    """Rows of a day and group in the order of rank or of cell; compression; Parquet's encoding; partitions."""

    order: str
    compression: str = "snappy"
    encoding: int = 2
    monthly: bool = False

    def __str__(self) -> str:
        pieces = "a file a month" if self.monthly else "one stream"
        return f"by {self.order}, {self.compression}, encoding {self.encoding}, {pieces}"


STORED = Layout("cell")
LAYOUTS = (
    STORED,
    Layout("cell", encoding=1),
    Layout("cell", "zstd"),
    Layout("cell", "zstd", 1),
    Layout("cell", encoding=1, monthly=True),
    Layout("rank"),
    Layout("rank", "zstd"),
)


def questions(files: str, day: date) -> dict[str, str]:
    """What people ask of the scores, as SQL."""
    scores = f"read_parquet('{files}')"
    return {
        "one day": f"SELECT sum(score) FROM {scores} WHERE forecast_date = DATE '{day}'",
        "one cell, all days": f"SELECT sum(score), min(rank) FROM {scores} WHERE cell = (SELECT cell FROM one_cell)",
        "top 100 of a day": f"SELECT count(*) FROM {scores} WHERE forecast_date = DATE '{day}' AND rank <= 100",
        "join with outcomes": f"SELECT sum(n) FROM {scores} JOIN happened USING (forecast_date, offence_group, cell)"
        " WHERE rank <= 1800",
    }


def write(connection: DuckDBPyConnection, layout: Layout, folder: Path) -> str:
    """Write the scores in a layout; returns the pattern of its files."""
    folder.mkdir()
    options = f"FORMAT parquet, COMPRESSION {layout.compression}, PARQUET_VERSION v{layout.encoding}"
    rows = f"FROM scores ORDER BY forecast_date, offence_group, {layout.order}"
    if layout.monthly:
        rows = f"SELECT *, strftime(forecast_date, '%Y-%m') AS month {rows}"
        connection.execute(f"COPY ({rows}) TO '{folder}' ({options}, PARTITION_BY (month))")
        return f"{folder}/*/*.parquet"
    connection.execute(f"COPY ({rows}) TO '{folder}/scores.parquet' ({options})")
    return f"{folder}/*.parquet"


def scores_in(folder: Path, cells: int, per_day: float, days: int) -> tuple[DuckDBPyConnection, date]:
    """So many days of scores, what happened on them, and one day in the middle."""
    settings = prepared(folder, "count_365", cells, per_day, _HISTORY_DAYS)
    first = START + timedelta(days=_HISTORY_DAYS - days)
    lake = Lake(settings.warehouse, settings.data_path)
    list(make_forecasts(lake, settings, first, first + timedelta(days=days - 1), STAMP))
    connection = connected()
    connection.register("made", lake.read("SELECT * FROM proximity_scores").to_arrow())
    connection.register(
        "ledger", lake.read("SELECT day, offence_group, cell FROM hexagon_incidents").to_arrow()
    )
    lake.close()
    connection.execute(
        "CREATE TABLE scores AS FROM made; CREATE TABLE one_cell AS SELECT cell FROM made LIMIT 1"
    )
    connection.execute(
        "CREATE TABLE happened AS SELECT day AS forecast_date, offence_group, cell, count(*) AS n"
        " FROM ledger GROUP BY ALL"
    )
    return connection, first + timedelta(days=days // 2)


def run(folder: Path, cells: int, per_day: float, days: int, rounds: int) -> list[Comparison]:
    """Each layout: room by the stored one, and the medians of each question."""
    connection, day = scores_in(folder, cells, per_day, days)
    files = {layout: write(connection, layout, folder / str(layout)) for layout in LAYOUTS}
    rooms = {layout: _room(folder / str(layout)) for layout in LAYOUTS}
    rows = connection.execute("SELECT count(*) FROM scores").fetchall()[0][0]
    works = {
        f"{layout}|{name}": partial(connection.execute, query)
        for layout in LAYOUTS
        for name, query in questions(files[layout], day).items()
    }
    in_turn(works, 1)  # the files are in memory from here on
    timings = in_turn(works, rounds)
    found = []
    for layout in LAYOUTS:
        asked = [
            f"{name} {1000 * median_seconds(timings[f'{layout}|{name}']):.0f} ms"
            for name in questions("", day)
        ]
        facts = f"{rooms[layout] / rows:.2f} bytes a row; " + ", ".join(asked)
        what = f"room of scores {layout}, by the stored layout"
        found.append(Comparison("g", what, rooms[layout] / rooms[STORED], "", facts))
    return found


def _room(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*.parquet"))

"""`python -m benchmarks [rows]`: run the benchmarks named (all without a name) and write the page."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import daily, fit, growth, intake, report, scoring, startup, storage, ticks, year
from benchmarks.measure import Comparison, machine

HERE = Path(__file__).resolve().parent
ROWS = "abcdefg"


@dataclass(frozen=True)
class Size:
    """How large everything is; `full` is what the targets speak of, `small` shows that it runs."""

    cells: int
    per_day: float
    history_days: int
    rounds: int
    file_rows: int
    year_days: int
    year_models: tuple[str, ...]
    incidents: tuple[int, ...]
    growth_cells: tuple[int, ...]

    def __str__(self) -> str:
        return (
            f"{self.cells:,} cells, {self.per_day:.0f} incidents a day, deliveries of {self.file_rows:,} rows,"
            f" {self.rounds} rounds"
        )


FULL = Size(
    36_000, 700.0, 430, 3, 1_000_000, 365, ("count_365", "learned"),
    (300_000, 1_000_000, 3_000_000, 10_000_000), (9_000, 36_000, 116_000),
)  # fmt: skip
SMALL = Size(300, 30.0, 120, 1, 2_000, 3, ("count_365",), (2_000, 4_000), (300, 600))


def works_of(size: Size, folder: Path) -> dict[str, Callable[[], list[Comparison]]]:
    """The benchmarks by row."""
    return {
        "a": lambda: scoring.run(size.cells, size.per_day, size.history_days, size.rounds),
        "b": lambda: intake.run(folder, size.file_rows, size.rounds),
        "c": lambda: year.run(
            folder, size.cells, size.per_day, size.year_days, size.rounds, size.year_models
        ),
        "d": lambda: fit.run(size.history_days, 20.0, size.rounds),
        "e": lambda: [
            *daily.run(folder, size.cells, size.per_day, size.history_days, size.rounds),
            *startup.run(folder, size.rounds),
            *ticks.run(folder, size.cells, size.per_day, size.history_days, size.rounds),
        ],
        "f": lambda: growth.run(folder, list(size.incidents), list(size.growth_cells)),
        "g": lambda: storage.run(folder, size.cells, size.per_day, min(60, size.year_days), size.rounds),
    }


def run(rows: str, size: Size, say: Callable[[str], None]) -> list[Comparison]:
    """Run the rows named, in order."""
    found: list[Comparison] = []
    for row in sorted(set(rows)):
        with TemporaryDirectory(prefix="benchmark-") as folder:
            for each in works_of(size, Path(folder))[row]():
                said = "" if each.ratio is None else f"{each.ratio:.2f}"
                say(f"{each.row}  {each.what}: {said} {each.target}  ({each.facts})")
                found.append(each)
    return found


def write(comparisons: Sequence[Comparison], size: Size, where: str, folder: Path = HERE) -> None:
    """Put new lines in the place of old ones of the same row (h: of the same home), and write page and picture."""
    kept = folder / "results.json"
    old = [Comparison(**each) for each in json.loads(kept.read_text())] if kept.exists() else []
    renewed = {_replaces(each) for each in comparisons}
    today = datetime.now(UTC).date().isoformat()
    new = [replace(each, measured_on=today) for each in comparisons]
    lines = sorted([each for each in old if _replaces(each) not in renewed] + new, key=lambda each: each.row)
    kept.write_text(json.dumps([asdict(each) for each in lines], indent=1) + "\n", encoding="utf-8")
    (folder / "README.md").write_text(report.page(lines, where, str(size)), encoding="utf-8")
    report.picture(lines, folder / "ratios.png")


def _replaces(comparison: Comparison) -> str:
    return comparison.what if comparison.row == "h" else comparison.row


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("rows", nargs="*", choices=[*ROWS, []], help="which of a to g; without: all")
    parser.add_argument("--small", action="store_true", help="small sizes; nothing is written")
    parser.add_argument(
        "--year-of", metavar="DATE", type=date.fromisoformat,
        help="row h instead: the home of HOTSPOT_HOME, with its own model and groups, the year from this date",
    )  # fmt: skip
    chosen = parser.parse_args()
    size, where = (SMALL if chosen.small else FULL), machine()
    print(where, flush=True)
    if chosen.year_of:
        found = year.of_home(chosen.year_of, size.rounds)
    else:
        found = run("".join(chosen.rows) or ROWS, size, lambda line: print(line, flush=True))
    if not chosen.small:
        write(found, size, where)


if __name__ == "__main__":
    main()

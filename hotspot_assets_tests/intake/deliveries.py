"""Files for tests of the reading path: contract rows in which one thing is said otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hotspot_assets.intake.delivery import Delivery, read_delivery
from hotspot_assets.intake.validation import IntakeOptions

KEY = b"a secret of tests"
NOW = datetime(2015, 6, 1, 12, tzinfo=UTC)
LONDON = (51.2, -0.6, 51.8, 0.4)

COLUMNS = ("reference", "offence_code", "occurred_from", "latitude", "longitude")
GOOD = {
    "reference": "R{n}",
    "offence_code": "BURGLARY",
    "occurred_from": "2015-03-02T10:30:00+00:00",
    "latitude": "51.501234",
    "longitude": "-0.104321",
}


def options(**values: Any) -> IntakeOptions:
    """Options of a home in London, five months after the incidents."""
    return IntakeOptions(**{"now": NOW, "key": KEY, "extent": LONDON, **values})


def line(n: int, **values: str) -> str:
    """One contract row; `n` makes its reference."""
    return ",".join({**GOOD, **values}[name] for name in COLUMNS).replace("{n}", str(n))


def table(*lines: str, header: str = ",".join(COLUMNS)) -> bytes:
    """A CSV of lines."""
    return ("\n".join((header, *lines)) + "\n").encode()


def rows_with(**values: str) -> bytes:
    """Three good rows, the one in the middle (line 3) with other values."""
    return table(line(1), line(2, **values), line(3))


def read(folder: Path, content: bytes, name: str = "delivery.csv", **values: Any) -> Delivery:
    """Write a file, read it, and see that its rows add up and that every line is told of at most once."""
    path = folder / name
    path.write_bytes(content)
    delivery = read_delivery(path, options(**values))
    assert delivery.rows_read == delivery.accepted.height + delivery.rejected.height + delivery.rows_excluded
    lines = [*delivery.accepted["line"], *delivery.rejected["line"]]
    assert len(lines) == len(set(lines))
    return delivery


def reasons(delivery: Delivery) -> Sequence[tuple[int, str]]:
    """Line and reason code of every rejected row."""
    return delivery.rejected.select("line", "reason").rows()

"""Files for tests of the reading path: contract rows in which one thing is said otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hotspot_assets.intake.content import ACCEPTED_SCHEMA
from hotspot_assets.intake.delivery import Delivery, read_delivery
from hotspot_assets.intake.reasons import MARKS, REASONS
from hotspot_assets.intake.validation import REJECTED_SCHEMA, IntakeOptions

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


def read(folder: Path, content: bytes, name: str = "delivery.csv", **values: Any) -> Delivery:
    """Write a file and read it; its rows must be accounted for."""
    path = folder / name
    path.write_bytes(content)
    return accounted_for(read_delivery(path, options(**values)))


def accounted_for(delivery: Delivery) -> Delivery:
    """The delivery, if every row is accounted for and the frames are what they should be."""
    assert delivery.rows_read == delivery.accepted.height + delivery.rejected.height + delivery.rows_excluded
    assert dict(delivery.accepted.schema) == ACCEPTED_SCHEMA
    assert dict(delivery.rejected.schema) == REJECTED_SCHEMA
    lines = [*delivery.accepted["line"], *delivery.rejected["line"]]
    assert len(set(lines)) == len(lines)
    assert delivery.accepted["line"].is_sorted()
    assert delivery.rejected["line"].is_sorted()
    assert set(delivery.rejected["reason"]) <= set(REASONS)
    assert set(delivery.marks) <= set(MARKS)
    required = ("incident_key", "offence_code", "offence_group", "occurred_from", "time_precision")
    assert sum(delivery.accepted.select(required).null_count().row(0)) == 0
    return delivery


def reasons(delivery: Delivery) -> Sequence[tuple[int, str]]:
    """Line and reason code of every rejected row."""
    return delivery.rejected.select("line", "reason").rows()

"""One delivered file, from bytes to accepted and rejected rows.

Belongs here: recognising the format and going through the file once. Not here: comparing with what is known
(`versions`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from hotspot_assets.intake.content import ACCEPTED_SCHEMA
from hotspot_assets.intake.contract import check_columns, check_values
from hotspot_assets.intake.formats import Format, all_formats
from hotspot_assets.intake.formats.contract import OPTIONAL
from hotspot_assets.intake.reading import UnreadableDelivery, header_of, read_chunks
from hotspot_assets.intake.validation import REJECTED_SCHEMA, IntakeOptions, judge, malformed


@dataclass(frozen=True)
class Delivery:
    """A file as read: rows_read = accepted + rejected + excluded."""

    format: str
    source: str
    zone: str
    rows_read: int
    accepted: pl.DataFrame
    rejected: pl.DataFrame
    excluded: Mapping[str, int]


def recognise(header: Sequence[str], mappings: Sequence[Format] = ()) -> tuple[Format, Mapping[str, str]] | None:
    """The format of a header, with field -> column of the layout in use; an operator's mappings go first."""
    for kind in (*mappings, *all_formats()):
        layout = kind.layout(header)
        if layout is not None:
            return kind, layout
    return None


def read_delivery(path: Path, options: IntakeOptions) -> Delivery:
    """Read a delivered file.

    Raises
    ------
    UnreadableDelivery
        When the file as a whole cannot be taken: empty, damaged, of no known format, or with columns that the
        data contract forbids.
    """
    header = header_of(path)
    known = recognise(header, options.mappings)
    if known is None:
        names = ", ".join(name for name in header[:12]) or "none"
        raise UnreadableDelivery(
            f"{path.name}: no format has these columns ({names}); describe the file in a mapping (see the operators'"
            " guide), or export it by the delivery contract."
        )
    kind, layout = known
    columns = {name.strip().lower(): name for name in header}
    wanted = {field: columns[name.lower()] for field, name in layout.items()}
    if not kind.known_public:
        wanted |= {name: columns[name] for name in OPTIONAL if name in columns and name not in wanted}
        check_columns(path.name, header)
    rows_read, accepted, rejected, excluded = 0, [], [], dict.fromkeys(("domestic", "offence_group"), 0)
    for chunk in read_chunks(path):
        rows = chunk.rows.select("line", *(pl.col(column).alias(field) for field, column in wanted.items()))
        check_values(path.name, rows)
        judged = judge(rows, kind, options)
        rows_read += chunk.rows.height + chunk.malformed.height
        accepted.append(judged.accepted)
        rejected += [judged.rejected, malformed(chunk.malformed).cast(dict(REJECTED_SCHEMA))]
        excluded = {reason: excluded[reason] + count for reason, count in judged.excluded.items()}
    return Delivery(
        kind.name,
        kind.source,
        kind.zone or options.zone,
        rows_read,
        pl.concat(accepted) if accepted else pl.DataFrame(schema=ACCEPTED_SCHEMA),
        pl.concat(rejected).sort("line") if rejected else pl.DataFrame(schema=REJECTED_SCHEMA),
        excluded,
    )

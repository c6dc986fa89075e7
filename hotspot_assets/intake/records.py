"""From a piece of text to rows of columns, every record accounted for.

Belongs here: what a record is, and which lines are none. Not here: bytes and files (`reading`), what a column
means (`formats`).

A record is one line, or several where a quoted field holds line ends. Where every line of a piece is a record
of the header's width, Polars reads it as it is. Otherwise each record is judged by itself, so that one with
too many fields, too few or a stray quote is reported with its line, and never shifts or swallows its
neighbours. A record that stands as a whole in one more pair of quotes is unwrapped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from hotspot_assets.intake.reading import LONGEST_RECORD_BYTES, Piece, UnreadableDelivery

_QUOTE, _LINE_END, _RETURN = ord('"'), ord("\n"), ord("\r")


@dataclass(frozen=True)
class Columns:
    """Unique names of all columns of a file in order, their separator, and which of them to give out."""

    names: tuple[str, ...]
    separator: str
    wanted: tuple[str, ...]


@dataclass(frozen=True)
class Chunk:
    """Rows (`line` and the wanted columns, all text), and lines that are no rows (`line`, `detail`)."""

    rows: pl.DataFrame
    malformed: pl.DataFrame

    @property
    def rows_read(self) -> int:
        """All rows, good or bad."""
        return self.rows.height + self.malformed.height


def split_records(piece: Piece, columns: Columns) -> Chunk:
    """Split a piece into rows.

    Raises
    ------
    UnreadableDelivery
        When records that look right cannot be read all the same.
    """
    text = piece.text.rstrip(b"\r\n")
    if not text:
        return Chunk(_no_rows(columns), no_malformed())
    rows = _regular_rows(text, columns)
    if rows is not None:
        lines = pl.int_range(piece.first_line, piece.first_line + rows.height, dtype=pl.Int64, eager=True)
        return Chunk(rows.select(lines.alias("line"), pl.all()), no_malformed())
    return _one_by_one(text, piece.first_line, columns)


def no_malformed() -> pl.DataFrame:
    """No line that is no row."""
    return pl.DataFrame(schema={"line": pl.Int64(), "detail": pl.String()})


def _no_rows(columns: Columns) -> pl.DataFrame:
    return pl.DataFrame(schema={"line": pl.Int64(), **dict.fromkeys(columns.wanted, pl.String())})


def _regular_rows(text: bytes, columns: Columns) -> pl.DataFrame | None:
    """The rows of a piece in which every line is a record of the right width, else None."""
    codes = np.frombuffer(text, np.uint8)
    ends = np.append(np.flatnonzero(codes == _LINE_END), codes.size)
    starts = np.concatenate(([0], ends[:-1] + 1))
    lengths = ends - starts
    if lengths.max() > LONGEST_RECORD_BYTES or (lengths == 0).any() or (codes[starts] == _RETURN).any():
        return None
    separators = codes == ord(columns.separator)
    if b'"' in text:
        inside = _inside_quotes(codes, columns.separator)
        if inside is None:
            return None
        separators &= ~inside
    at = np.flatnonzero(separators)
    per_line = np.diff(np.searchsorted(at, np.append(starts, codes.size)))
    if (per_line != len(columns.names) - 1).any():
        return None
    try:
        rows = _parsed(text, columns, quote='"')
    except pl.exceptions.PolarsError:
        return None
    return rows if rows.height == starts.size else None


def _inside_quotes(codes: npt.NDArray[np.uint8], separator: str) -> npt.NDArray[np.bool_] | None:
    """Which bytes stand in quotes, or None where quotes are not in order or hold line ends."""
    quotes = codes == _QUOTE
    inside = np.cumsum(quotes, dtype=np.uint8) % 2 == 1
    at = np.flatnonzero(quotes)
    if at.size % 2 or (inside & (codes == _LINE_END)).any():
        return None
    edges = [_QUOTE, ord(separator), _LINE_END]
    opening, closing = at[::2], at[1::2]
    before = codes[opening[opening > 0] - 1]
    after = codes[closing[closing < codes.size - 1] + 1]
    in_order = np.isin(before, edges).all() and np.isin(after, [*edges, _RETURN]).all()
    return inside if in_order else None


def _parsed(text: bytes, columns: Columns, quote: str | None) -> pl.DataFrame:
    return (
        pl.scan_csv(
            text,
            has_header=False,
            schema=dict.fromkeys(columns.names, pl.String()),
            separator=columns.separator,
            quote_char=quote,
            infer_schema=False,
        )
        .select(columns.wanted)
        .collect()
    )


def _one_by_one(text: bytes, first_line: int, columns: Columns) -> Chunk:
    lines = pl.Series("text", [text.decode()]).str.split("\n").explode(empty_as_null=False).to_frame()
    lines = lines.select(
        pl.int_range(first_line, first_line + pl.len(), dtype=pl.Int64).alias("line"),
        pl.col("text").str.strip_suffix("\r"),
    ).filter(pl.col("text").str.strip_chars() != "")
    records = _unwrapped(_judged(lines, columns), columns)
    records = _joined(records, columns)
    good = records.filter("good")
    bad = records.filter(~pl.col("good")).select("line", detail=_detail(len(columns.names)))
    parts = [_rows_of(good.filter(pl.col("quoted") == quoted), columns, quoted) for quoted in (False, True)]
    return Chunk(pl.concat(parts).sort("line"), bad.sort("line"))


def _judged(records: pl.DataFrame, columns: Columns) -> pl.DataFrame:
    """Add `quotes`, `quoted`, `fields`, `closed`, `good` to records (`line`, `text`).

    Quotes mean something only where a field begins with one; elsewhere they are letters.
    """
    mark = _escaped(columns.separator)
    field = f'(?:"(?:[^"]|"")*"|[^"{mark}\\n][^{mark}\\n]*|)'
    begins_quoted = f'(?:^|{mark})"'
    record = f"^{field}(?:{mark}{field})*$"
    text = pl.col("text")
    bare = pl.when("quoted").then(text.str.replace_all(r'"(?:[^"]|"")*"', "")).otherwise(text)
    return (
        records.with_columns(quotes=text.str.count_matches('"', literal=True).cast(pl.Int64))
        .with_columns(quoted=(pl.col("quotes") > 0) & text.str.contains(begins_quoted))
        .with_columns(
            fields=bare.str.count_matches(columns.separator, literal=True).cast(pl.Int64) + 1,
            closed=pl.when("quoted").then(text.str.contains(record)).otherwise(~text.str.contains("\n")),
        )
        .with_columns(
            good=pl.col("closed")
            & (pl.col("fields") == len(columns.names))
            & (text.str.len_bytes() <= LONGEST_RECORD_BYTES)
        )
    )


def _escaped(separator: str) -> str:
    return {"|": r"\|", "\t": r"\t"}.get(separator, separator)


def _unwrapped(records: pl.DataFrame, columns: Columns) -> pl.DataFrame:
    """Replace records that become good by taking one pair of quotes off the whole."""
    text = pl.col("text").str.strip_chars()
    wrapped = ~pl.col("good") & text.str.contains(r'^"(?:[^"]|"")*"$')
    if not records.select(wrapped.any()).item():
        return records
    inner = text.str.slice(1, text.str.len_chars() - 2).str.replace_all('""', '"', literal=True)
    candidates = _judged(records.filter(wrapped).select("line", inner), columns).filter("good")
    return pl.concat([records.join(candidates, on="line", how="anti"), candidates]).sort("line")


def _joined(records: pl.DataFrame, columns: Columns) -> pl.DataFrame:
    """Put lines together where a quoted field holds line ends.

    Such a record starts in a line with an odd number of quotes and ends in the next such line. It is taken
    only if it is good as a whole and no line within it is a good row by itself: a stray quote must not
    swallow rows.
    """
    runs = records.with_columns(run=(pl.col("quotes") % 2).cum_sum())
    if runs["run"].max() in (0, 1, None):
        return records
    candidates = (
        runs.filter(pl.col("run") > 0)
        .group_by("run", maintain_order=True)
        .agg(
            pl.col("line").first(),
            pl.col("text").str.len_bytes().sum().alias("bytes"),
            pl.col("good").any().alias("holds_rows"),
        )
        .with_columns(next_line=pl.col("line").shift(-1))
        .filter(~pl.col("holds_rows") & pl.col("next_line").is_not_null())
        .filter(pl.col("bytes") <= LONGEST_RECORD_BYTES)
    )
    closing = runs.select(next_line="line", closing_text="text")
    joined = (
        runs.join(candidates.select("run", "next_line"), on="run", how="semi")
        .group_by("run", maintain_order=True)
        .agg(pl.col("line").first(), pl.col("text").str.join("\n"))
        .join(candidates.select("run", "next_line"), on="run")
        .join(closing, on="next_line")
        .select("run", "line", "next_line", text=pl.concat_str("text", "closing_text", separator="\n"))
    )
    whole = (
        _judged(joined.select("line", "text"), columns).join(joined.drop("text"), on="line").filter("good")
    )
    taken = _every_other_of_neighbours(whole.sort("run"))
    covered = taken.select(pl.int_ranges("line", pl.col("next_line") + 1).alias("line")).explode("line")
    apart = records.join(covered, on="line", how="anti")
    return pl.concat([apart, taken.select(apart.columns)]).sort("line")


def _every_other_of_neighbours(whole: pl.DataFrame) -> pl.DataFrame:
    """Of overlapping candidates (consecutive `run`s share a line) the first, the third, ..."""
    chain = (pl.col("run").diff().fill_null(0) != 1).cum_sum()
    return whole.with_columns(chain=chain).filter(pl.int_range(pl.len()).over("chain") % 2 == 0).drop("chain")


def _detail(width: int) -> pl.Expr:
    return (
        pl.when(pl.col("text").str.len_bytes() > LONGEST_RECORD_BYTES)
        .then(pl.lit(f"a record longer than {LONGEST_RECORD_BYTES >> 20} MB"))
        .when(~pl.col("closed"))
        .then(pl.lit("a quote is not closed, or stands within a field"))
        .otherwise(pl.format("{} fields where the header has {}", "fields", pl.lit(width)))
    )


def _rows_of(records: pl.DataFrame, columns: Columns, quoted: bool) -> pl.DataFrame:
    if records.is_empty():
        return _no_rows(columns)
    body = "\n".join(records["text"].to_list()).encode()
    try:
        rows = _parsed(body, columns, quote='"' if quoted else None)
    except pl.exceptions.PolarsError as error:
        raise UnreadableDelivery(
            "The file holds records that cannot be split; export it as plain CSV."
        ) from error
    if rows.height != records.height:
        raise UnreadableDelivery("The file holds records that cannot be told apart; export it as plain CSV.")
    return rows.select(records["line"], pl.all())


def unique_names(names: Sequence[str]) -> tuple[str, ...]:
    """Column names, told apart where a name is empty or stands twice."""
    taken: set[str] = set()
    unique = []
    for position, name in enumerate(names):
        free = name if name and name not in taken else f"{name}#{position + 1}"
        taken.add(free)
        unique.append(free)
    return tuple(unique)

"""Written times to moments in UTC, with how exactly they were written.

Belongs here: patterns, precision, clock changes, and the evidence that day and month stand in another order
than stated. Not here: which moments are acceptable (`validation`), zones as such (`calendar`).

A wall time that a clock change skipped or doubled is resolved as `calendar` says and marked as known to the
hour only: the true moment may lie an hour off.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import polars as pl

from hotspot_assets.intake.calendar import local_to_utc, utc_to_local
from hotspot_assets.intake.content import MOMENT

_TO_THE_SECOND = "%Y-%m-%dT%H:%M:%S"
_WITH_OFFSET = f"{_TO_THE_SECOND}%:z"
_OFFSETS = {"Z": timedelta(0)} | {
    f"{sign}{hours:02}:{minutes:02}": timedelta(hours=hours, minutes=minutes) * (-1 if sign == "-" else 1)
    for sign in "+-"
    for hours in range(15)
    for minutes in (0, 15, 30, 45)
}

ISO_PATTERNS = (
    _WITH_OFFSET,
    *("%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%dT%H:%M%#z", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M"),
    *("%Y-%m-%d %H:%M:%S%.f%#z", "%Y-%m-%d %H:%M%#z", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M"),
    *("%Y-%m-%d", "%Y-%m"),
)
"""ISO 8601 means the same everywhere, so it is understood in every format."""

_YEAR_1000 = (
    round((datetime(1000, 1, 1, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()) * 10**6
)

MIXED_SHARE = 0.01
"""Share of rows with day and month exchanged from which on neither order is trusted in a file."""

_SHAPES = {"Y": r"\d{4}", "y": r"\d{2}", "b": r"[A-Za-z]{3}", "B": r"[A-Za-z]{3,9}", "p": r"[AaPp]\.?[Mm]\.?"}
_DATE = "|".join(
    (
        r"^\d{1,4}[-/. ]\d{1,2}[-/. ]\d{1,4}",
        r"^\d{1,2}[- ]?[A-Za-z]{3,9}[-, ]+\d{2,4}",
        r"^[A-Za-z]{3,9} \d{1,2},? \d{4}",
    )
)


def read_times(texts: pl.Series, patterns: Sequence[str], zone: str, home: str) -> pl.DataFrame:
    """Read a column of written times.

    Parameters
    ----------
    texts
        Trimmed; null where nothing is written.
    patterns
        strptime patterns in the order in which they are tried, before `ISO_PATTERNS`.
    zone
        Zone of times without an offset.
    home
        Zone of days and months: a date stays the date it is, wherever the clock of the file stands.

    Returns
    -------
    pl.DataFrame
        Per text: `moment` (null where none could be read), `time_precision` (minute, hour, day, month),
        `skipped` and `doubled` (a clock change made the wall time impossible or twofold).
    """
    result = pl.DataFrame({"text": texts}).with_columns(
        wall=pl.lit(None, pl.Datetime("us")),
        moment=pl.lit(None, MOMENT),
        time_precision=pl.lit(None, pl.String),
    )
    for pattern in dict.fromkeys((*patterns, *ISO_PATTERNS)):
        left = result["wall"].is_null() & result["moment"].is_null() & result["text"].is_not_null()
        if not left.any():
            break
        result = _with_pattern(result, pattern)
    return _on_the_clock(result, zone, home)


def _with_pattern(result: pl.DataFrame, pattern: str) -> pl.DataFrame:
    is_left = pl.col("wall").is_null() & pl.col("moment").is_null()
    target = "moment" if carries_offset(pattern) else "wall"
    left = result.with_columns(left=pl.when(is_left).then("text"))
    read = left.with_columns(read=strptime("left", pattern))
    return read.with_columns(
        pl.coalesce(target, "read").alias(target),
        time_precision=pl.when(pl.col("read").is_not_null())
        .then(pl.lit(precision_of(pattern)))
        .otherwise("time_precision"),
    ).drop("left", "read")


def strptime(name: str, pattern: str) -> pl.Expr:
    """The column read by a pattern, null where it does not fit; a missing day is the first, a missing minute 0."""
    text, full = pl.col(name), pattern
    if pattern == _WITH_OFFSET:
        return _by_place(text)
    if precision_of(pattern) == "month":
        text, full = text + " 01", f"{full} %d"
    elif precision_of(pattern) == "hour":
        text, full = text + " 00", f"{full} %M"
    zone = "UTC" if carries_offset(pattern) else None
    read = text.str.to_datetime(full, time_unit="us", time_zone=zone, strict=False)
    if (digits := _digits_run_together(pattern)) is not None:
        read = pl.when(pl.col(name).str.len_bytes() == digits).then(read)
    if "%Y" in pattern and pattern not in ISO_PATTERNS:
        # The library takes 25 for the year 25, also where another pattern of the format would read 2025.
        read = pl.when(read.to_physical() >= _YEAR_1000).then(read)
    return read


def _digits_run_together(pattern: str) -> int | None:
    """How many digits a pattern of nothing but digits stands for: the library would take 2025065 for 5 June."""
    parts = re.findall(r"%[YymdHMS]", pattern)
    return sum(4 if part == "%Y" else 2 for part in parts) if "".join(parts) == pattern else None


def _by_place(text: pl.Expr) -> pl.Expr:
    """What `_WITH_OFFSET` reads of usual offsets, several times as fast; null elsewhere."""
    length = len("2014-06-02T12:30:15")
    wall = text.str.head(length).str.to_datetime(_TO_THE_SECOND, time_unit="us", strict=False, cache=False)
    offset = text.str.slice(length).replace_strict(_OFFSETS, default=None, return_dtype=pl.Duration("us"))
    return (wall - offset).dt.replace_time_zone("UTC")


def carries_offset(pattern: str) -> bool:
    """Whether times of a pattern carry their offset from UTC."""
    return re.search(r"%[:#]*z", pattern) is not None


def precision_of(pattern: str) -> str:
    """How exactly a pattern says when."""
    if any(mark in pattern for mark in ("%M", "%T", "%R", "%X")):
        return "minute"
    if any(mark in pattern for mark in ("%H", "%I")):
        return "hour"
    return "day" if any(mark in pattern for mark in ("%d", "%e", "%D", "%F")) else "month"


def _on_the_clock(result: pl.DataFrame, zone: str, home: str) -> pl.DataFrame:
    if result["wall"].null_count() == result.height:
        return result.select("moment", "time_precision", skipped=pl.lit(False), doubled=pl.lit(False))
    local = local_to_utc(result["wall"], zone)
    back = utc_to_local(local, zone)
    result = result.with_columns(
        moment=pl.coalesce(
            "moment",
            pl.when(pl.col("time_precision").is_in(["day", "month"]))
            .then(local_to_utc(result["wall"], home))
            .otherwise(local),
        ),
        skipped=(back != result["wall"]).fill_null(False),
        doubled=_later_reading(result["wall"], zone).is_not_null(),
    )
    clock = pl.col("time_precision") == "minute"
    result = result.with_columns(skipped=pl.col("skipped") & clock, doubled=pl.col("doubled") & clock)
    return result.select(
        "moment",
        pl.when(pl.col("skipped") | pl.col("doubled"))
        .then(pl.lit("hour"))
        .otherwise("time_precision")
        .alias("time_precision"),
        "skipped",
        "doubled",
    )


def range_ends(starts: pl.DataFrame, ends: pl.DataFrame, zone: str, home: str) -> pl.Series:
    """Ends of from/to ranges, both as read by `read_times` with these zones.

    An end written as a day or month, of a range that starts by the clock, is the end of that day or month.
    An end that seems to lie before its start because its wall time occurred twice is the second of the two.
    """
    by_the_clock = ~starts["time_precision"].is_in(["day", "month"])
    moments = pl.DataFrame(
        {
            "start": starts["moment"],
            "end": ends["moment"],
            "to": ends["time_precision"],
            "clock": by_the_clock,
        }
    )
    end = pl.col("end")
    coarse = pl.col("clock") & pl.col("to").is_in(["day", "month"])
    at = moments.select((coarse | (end < pl.col("start"))).arg_true()).to_series()
    odd = moments[at]
    date = utc_to_local(odd["end"], home)
    mended = odd.with_columns(
        later=_later_reading(utc_to_local(odd["end"], zone), zone),
        after_day=local_to_utc(date.dt.offset_by("1d"), home),
        after_month=local_to_utc(date.dt.offset_by("1mo"), home),
    ).select(
        pl.when(pl.col("clock") & (pl.col("to") == "day"))
        .then("after_day")
        .when(pl.col("clock") & (pl.col("to") == "month"))
        .then("after_month")
        .when((end < pl.col("start")) & pl.col("later").is_not_null())
        .then("later")
        .otherwise(end)
    )
    return moments["end"].scatter(at, mended.to_series())


def _later_reading(wall: pl.Series, zone: str) -> pl.Series:
    """The second of the two moments that a doubled wall time may mean; null elsewhere."""
    first, second = (
        wall.dt.replace_time_zone(zone, ambiguous=which, non_existent="null").dt.convert_time_zone("UTC")
        for which in ("earliest", "latest")
    )
    return pl.select(pl.when(first != second).then(second)).to_series()


def swapped_order(patterns: Sequence[str]) -> list[str]:
    """The patterns in which day and month could be taken for each other, with the two exchanged."""
    numeric = [pattern for pattern in patterns if re.match(r"%[dm]\W%[dm]", pattern)]
    return [pattern.translate(str.maketrans("dm", "md")) for pattern in numeric]


def fits_swapped(texts: pl.Series, patterns: Sequence[str]) -> pl.Series:
    """Whether each text could be read with day and month exchanged."""
    readings = [strptime("text", pattern).is_not_null() for pattern in swapped_order(patterns)]
    if not readings:
        return pl.repeat(False, texts.len(), eager=True)
    return pl.DataFrame({"text": texts}).select(pl.any_horizontal(readings)).to_series().fill_null(False)


def same_in_both_orders(texts: pl.Series) -> pl.Series:
    """Whether day and month are the same number (03/03/2014), so that their order does not matter."""
    parts = texts.str.extract_groups(r"^0?(\d{1,2})\W0?(\d{1,2})\W").struct
    return (parts.field("1") == parts.field("2")).fill_null(False)


def written_otherwise(texts: pl.Series, patterns: Sequence[str]) -> pl.Series:
    """Whether each text is a date written in a way that none of the patterns knows."""
    known = "|".join(_shape(pattern) for pattern in (*patterns, *ISO_PATTERNS))
    return (texts.str.contains(_DATE) & ~texts.str.contains(f"^(?:{known})$")).fill_null(False)


def _shape(pattern: str) -> str:
    """A regular expression of texts that look like a pattern."""
    parts = re.split(r"(%\.?[:#]*[A-Za-z])", pattern)
    return "".join(
        _SHAPES.get(part[-1], r"[-+:.Zz\d]*") if part[:1] == "%" else re.escape(part) for part in parts
    )

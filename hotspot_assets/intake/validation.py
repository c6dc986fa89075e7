"""Rows of text to accepted incidents and rejected rows, each with a reason code.

Belongs here: the same rules for every format, on columns. Not here: what the columns are called (`formats`),
whether a file may be read at all (`contract`), what a code means (`reasons`).

Rows to be left out are left out first, so that nothing of them is stored, not even as a rejected row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import polars as pl

from hotspot_assets.intake.content import ACCEPTED_SCHEMA, MOMENT
from hotspot_assets.intake.formats import FIELDS, PLACE_FIELDS, TIME_FIELDS, Format
from hotspot_assets.intake.keys import OccurrenceNumbers, content_references, incident_keys
from hotspot_assets.intake.offences import GROUPS, SETTINGS
from hotspot_assets.intake.places import Extent, coarser, with_places
from hotspot_assets.intake.reasons import EXCLUDED_BY_FLAG, MARKS, REASONS
from hotspot_assets.intake.times import (
    fits_swapped,
    range_ends,
    read_times,
    same_in_both_orders,
    written_otherwise,
)

_DAY = timedelta(days=1)
_NO = ("false", "f", "no", "n", "0")
_TAKEN_BACK = ("-1", "true", "t", "yes", "y")
_NOTHING = ("null", "none", "nan", "n/a", "na", r"\n")
_LONGEST_NOTHING = max(len(word.encode()) for word in _NOTHING)
_WORDS = {
    "location_precision": (("point", "snapped", "area"), "area"),
    "reported_by": (("public", "police", "unknown"), "unknown"),
    "setting": (SETTINGS, "unknown"),
}
_LONGEST_SHOWN_CODE = 40

REJECTED_SCHEMA: dict[str, pl.DataType] = {
    "line": pl.Int64(),
    "reason": pl.String(),
    "detail": pl.String(),
    "offence_code": pl.String(),
    "occurred_from": MOMENT,
    "latitude": pl.Float64(),
    "longitude": pl.Float64(),
}


NOT_TAKEN_SCHEMA: dict[str, pl.DataType] = {"incident_key": pl.String(), "excluded": pl.Boolean()}
"""Rows that name an incident and bring no version of it: left out by the contract (`excluded`), or rejected."""


@dataclass(frozen=True)
class IntakeOptions:
    """What a home takes in.

    Attributes
    ----------
    now
        Moment of delivery (UTC): what lies more than a day after it is in the future.
    key
        Secret of the incident keys, in ASCII.
    zone
        Zone of local times where the format names none.
    extent
        South, west, north, east in degrees; none: anywhere on Earth.
    excluded_groups, exclude_domestic
        What is left out and only counted.
    earliest
        First day of occurrence taken.
    mappings
        Formats an operator has described (`mapping`), tried before those shipped.
    """

    now: datetime
    key: bytes
    zone: str = "Europe/London"
    extent: Extent | None = None
    excluded_groups: frozenset[str] = frozenset()
    exclude_domestic: bool = True
    earliest: date = date(1990, 1, 1)
    mappings: tuple[Format, ...] = ()

    def __post_init__(self) -> None:
        if len(self.key) < 16 or not self.key.isascii():
            raise ValueError("the key of the incident keys must be ASCII, 16 bytes or more")
        if self.now.tzinfo is None:
            raise ValueError("now needs a time zone")


@dataclass(frozen=True)
class Judged:
    """A chunk's accepted (ACCEPTED_SCHEMA) and rejected rows (REJECTED_SCHEMA), and counts by code.

    `not_taken` (NOT_TAKEN_SCHEMA) names the incidents of the rows that were not accepted.
    """

    accepted: pl.DataFrame
    rejected: pl.DataFrame
    not_taken: pl.DataFrame
    excluded: Mapping[str, int]
    marks: Mapping[str, int]


class Judge:
    """Judges the rows of one file, chunk by chunk in order.

    Parameters
    ----------
    kind, options
        How the file is read, and what is taken.
    order_is_mixed
        Day-first and month-first dates were found in the file: dates that could be either are rejected.
    """

    def __init__(self, kind: Format, options: IntakeOptions, order_is_mixed: bool = False) -> None:
        self._kind = kind
        self._options = options
        self._zone = kind.zone or options.zone
        self._order_is_mixed = order_is_mixed
        self._numbers = OccurrenceNumbers()

    def judge(self, rows: pl.DataFrame) -> Judged:
        """Judge rows of text (`line` and fields of the format): each is accepted, rejected or left out."""
        texts = _with_references(
            _offences(_complete(self._kind.prepare(_trimmed(rows))), self._kind), self._kind, self._numbers
        )
        kept, excluded = _left_out(texts, self._options)
        counts = dict(excluded.group_by("excluded").len().sort("excluded").rows())
        read = with_places(self._with_times(kept), self._kind, self._options.extent)
        judged = read.with_columns(reason=self._reason())
        accepted, marks = self._accepted(judged.filter(pl.col("reason").is_null()))
        refused = judged.filter(pl.col("reason").is_not_null())
        not_taken = pl.concat([self._named(excluded, True), self._named(refused, False)])
        return Judged(accepted, _rejected(refused), not_taken, counts, marks)

    def _named(self, rows: pl.DataFrame, excluded: bool) -> pl.DataFrame:
        references = rows["reference"].drop_nulls()
        keys = incident_keys(references, self._kind.source, self._options.key)
        return pl.DataFrame(
            {"incident_key": keys, "excluded": [excluded] * len(keys)}, schema=NOT_TAKEN_SCHEMA
        )

    def _with_times(self, rows: pl.DataFrame) -> pl.DataFrame:
        patterns = self._kind.times
        written = rows["occurred_from"]

        def read(name: str) -> pl.DataFrame:
            return read_times(rows[name], patterns, self._zone, self._options.zone)

        start = read("occurred_from")
        unread = start["moment"].is_null() & written.is_not_null()
        ambiguous = unread
        if unread.any():
            ambiguous &= fits_swapped(written, patterns) | written_otherwise(written, patterns)
        if self._order_is_mixed:
            ambiguous |= fits_swapped(written, patterns) & ~same_in_both_orders(written)
        ends = read("occurred_to")
        others = {name: read(name)["moment"] for name in TIME_FIELDS[2:]}
        return rows.with_columns(
            *(rows[name].is_not_null().alias(f"{name}_written") for name in TIME_FIELDS[1:]),
            *(start.get_column(name) for name in ("time_precision", "skipped", "doubled")),
            occurred_from=start["moment"],
            occurred_to=range_ends(start, ends, self._zone, self._options.zone),
            ambiguous=ambiguous,
            **others,
        )

    def _reason(self) -> pl.Expr:
        """The first rule a row breaks, or null."""
        moment = pl.col("occurred_from")
        earliest = pl.lit(datetime.combine(self._options.earliest, datetime.min.time()))
        local = moment.dt.convert_time_zone(self._zone).dt.replace_time_zone(None)
        rules = {
            "missing_reference": pl.col("reference").is_null(),
            "ambiguous_date_format": pl.col("ambiguous"),
            "bad_time": moment.is_null(),
            "before_earliest": local < earliest,
            "in_future": moment > pl.lit(self._options.now + _DAY),
            "unknown_offence": pl.col("offence_group").is_null(),
            "bad_coordinate": pl.col("no_number"),
            "coordinates_zero": pl.col("zero"),
            "coordinates_swapped": pl.col("swapped"),
            "outside_extent": pl.col("outside"),
        }
        return pl.coalesce(pl.when(broken).then(pl.lit(reason)) for reason, broken in rules.items())

    def _accepted(self, rows: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, int]]:
        marked = _words(_usable_times(rows, self._options.now), self._kind)
        marked = marked.with_columns(
            unplaced=pl.col("latitude").is_null(),
            coordinates_truncated=coarser("location_precision", "decimals_precision")
            != pl.col("location_precision"),
            location_precision=pl.when(pl.col("latitude").is_null())
            .then(pl.lit("none"))
            .otherwise(coarser("location_precision", "decimals_precision")),
        ).rename({"skipped": "clock_skipped", "doubled": "clock_doubled"})
        marked = marked.with_columns(pl.col("coordinates_truncated") & ~pl.col("unplaced"))
        keys = incident_keys(marked["reference"], self._kind.source, self._options.key)
        accepted = marked.with_columns(keys).select(
            pl.col(name).cast(kind) for name, kind in ACCEPTED_SCHEMA.items()
        )
        counts = marked.select(pl.col(name).sum() for name in MARKS).row(0, named=True)
        return accepted, {name: int(count) for name, count in counts.items()}


def malformed(lines: pl.DataFrame) -> pl.DataFrame:
    """Rejected rows for lines that are no rows (`line`, `detail`)."""
    return lines.select(
        "line",
        pl.lit("malformed_row").alias("reason"),
        "detail",
        *(pl.lit(None, kind).alias(name) for name, kind in list(REJECTED_SCHEMA.items())[3:]),
    )


def _trimmed(rows: pl.DataFrame) -> pl.DataFrame:
    """Trimmed; empty text, and a word for nothing where a time or place should be, as null."""
    trimmed = rows.with_columns(pl.exclude("line").str.strip_chars())

    def is_absent(name: str) -> pl.Expr:
        if name in (*TIME_FIELDS, *PLACE_FIELDS):
            short = pl.when(pl.col(name).str.len_bytes() <= _LONGEST_NOTHING).then(name)
            return short.str.to_lowercase().is_in(("", *_NOTHING)).fill_null(False)
        return pl.col(name) == ""

    return trimmed.select(
        "line",
        *(
            pl.when(~is_absent(name)).then(pl.col(name)).alias(name)
            for name in rows.columns
            if name != "line"
        ),
    )


def _complete(rows: pl.DataFrame) -> pl.DataFrame:
    """All fields, those that the format does not fill as null."""
    unfilled = [pl.lit(None, pl.String).alias(name) for name in FIELDS if name not in rows.columns]
    return rows.with_columns(unfilled).select("line", *FIELDS)


def _offences(rows: pl.DataFrame, kind: Format) -> pl.DataFrame:
    stated = pl.col("offence_group").str.to_lowercase().str.replace_all(r"[\s-]+", "_")
    spoken = pl.coalesce("offence_type", "offence_code").str.to_uppercase()
    by_code = spoken.replace_strict(dict(kind.offences), default=None, return_dtype=pl.String)
    group = pl.coalesce(pl.when(stated.is_in(sorted(GROUPS))).then(stated), by_code)
    flag = pl.col("domestic").str.to_lowercase()
    spelt = rows.lazy().with_columns(  # lazily, so that what the columns share is worked out once
        offence_group=group,
        offence_code=pl.coalesce("offence_code", "offence_type", group),
        # A flag that says neither yes nor no keeps the row out: what may be domestic is not taken in.
        domestic=(flag.is_not_null() & ~flag.is_in(_NO)),
        reversal=pl.col("reversal").str.to_lowercase().is_in(_TAKEN_BACK).fill_null(False),
    )
    return spelt.collect()


def _with_references(rows: pl.DataFrame, kind: Format, numbers: OccurrenceNumbers) -> pl.DataFrame:
    if not kind.content_key or rows["reference"].null_count() == 0:
        return rows
    nameless = rows["reference"].is_null()
    made = content_references(rows.filter(nameless).cast({"reversal": pl.String}), kind.content_key, numbers)
    positions = nameless.arg_true()
    return rows.with_columns(reference=rows["reference"].scatter(positions, made))


def _left_out(rows: pl.DataFrame, options: IntakeOptions) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows that are taken, and those left out with the reason in `excluded`."""
    flagged = pl.col("domestic") & options.exclude_domestic
    by_group = pl.when(pl.col("offence_group").is_in(sorted(options.excluded_groups))).then("offence_group")
    labelled = rows.with_columns(excluded=pl.when(flagged).then(pl.lit(EXCLUDED_BY_FLAG)).otherwise(by_group))
    is_kept = pl.col("excluded").is_null()
    return labelled.filter(is_kept).drop("excluded"), labelled.filter(~is_kept)


def _usable_times(rows: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """Empty what no record can have known, and mark it."""
    latest = pl.lit(now + _DAY)
    end = pl.col("occurred_to")
    end_usable = (end <= latest).fill_null(False)
    usable = {
        name: (pl.col(name).is_between(pl.col("occurred_from") - _DAY, latest)).fill_null(False)
        for name in TIME_FIELDS[2:]
    }
    return rows.with_columns(
        occurred_to_unusable=pl.col("occurred_to_written") & ~end_usable,
        to_before_from=end_usable & (end < pl.col("occurred_from")).fill_null(False),
        record_time_unusable=pl.any_horizontal(
            pl.col(f"{name}_written") & ~ok for name, ok in usable.items()
        ),
        occurred_to=pl.when(end_usable).then(end),
        **{name: pl.when(ok).then(pl.col(name)) for name, ok in usable.items()},
    )


def _words(rows: pl.DataFrame, kind: Format) -> pl.DataFrame:
    lowered = rows.with_columns(pl.col(name).str.to_lowercase() for name in _WORDS)
    known = {name: pl.col(name).is_in(words) for name, (words, _) in _WORDS.items()}
    silent = {"location_precision": kind.location_precision}
    return lowered.with_columns(
        word_unknown=pl.any_horizontal((~known[name]).fill_null(False) for name in _WORDS),
        **{
            name: pl.when(known[name])
            .then(name)
            .when(pl.col(name).is_null())
            .then(pl.lit(silent.get(name, otherwise)))
            .otherwise(pl.lit(otherwise))
            for name, (_, otherwise) in _WORDS.items()
        },
    )


def _rejected(rows: pl.DataFrame) -> pl.DataFrame:
    details = pl.col("reason").replace_strict(REASONS, return_dtype=pl.String)
    code = pl.col("offence_code")
    return rows.with_columns(
        detail=details, offence_code=pl.when(code.str.len_chars() <= _LONGEST_SHOWN_CODE).then(code)
    ).select(pl.col(name).cast(kind) for name, kind in REJECTED_SCHEMA.items())

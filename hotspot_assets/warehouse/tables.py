"""The dictionary: every table and column of the lake, once.

Belongs here: names, types, keys and meanings. The DDL, the checks at writing, the column schemas in Dagster
and `docs/data_dictionary.md` all come from here. Not here: SQL, and rules that need more than one table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import dataframely as dy
import polars as pl

from hotspot_assets.errors import UserError


def _moment(description: str, **options: Any) -> dy.Datetime:
    return dy.Datetime(time_unit="us", time_zone="UTC", description=description, **options)


def _delivery_seq(**options: Any) -> dy.Int64:
    return dy.Int64(
        description="Number of a delivery, strictly increasing: the clock of what we knew.", **options
    )


def _incident_key(**options: Any) -> dy.String:
    return dy.String(
        description="Keyed hash (HMAC-SHA256, 32 hex digits) of source and crime reference; the key is not in the lake.",
        **options,
    )


def _offence_group(**options: Any) -> dy.String:
    return dy.String(description="Offence group, in the common vocabulary.", **options)


def _forecast_date(**options: Any) -> dy.Date:
    return dy.Date(description="The local operational day a forecast is for.", **options)


def _cell(**options: Any) -> dy.UInt64:
    return dy.UInt64(description="H3 cell; written as hexadecimal text outside the lake.", **options)


def _run_id(**options: Any) -> dy.String:
    return dy.String(description="Dagster run that wrote the row.", **options)


class Deliveries(dy.Schema):
    """A file received, and what became of its rows."""

    delivery_seq = _delivery_seq(primary_key=True)
    status = dy.String(
        description="ingested; set_aside: unreadable as a whole, see reason; erasure: no file, incidents were erased."
    )
    reason = dy.String(nullable=True, description="Why the file was set aside.")
    source = dy.String(description="The records system or publication a file comes from.")
    format = dy.String(description="Format by which it was read.")
    file_name = dy.String(description="Name of the file as it arrived.")
    sha256 = dy.String(description="Hash of the file's bytes; the same bytes twice are one delivery.")
    bytes = dy.Int64(description="Size of the file.")
    rows_read = dy.Int64(description="Rows in the file: the sum of the seven counts that follow.")
    rows_new = dy.Int64(description="Incidents not known before.")
    rows_amended = dy.Int64(description="Rows that changed a known incident.")
    rows_unchanged = dy.Int64(description="Rows that said what was known.")
    rows_rejected = dy.Int64(description="Rows not accepted; each stands in rejected_rows with its reason.")
    rows_excluded = dy.Int64(
        description="Rows left out by the data contract (offence groups, domestic flag)."
    )
    rows_duplicate = dy.Int64(description="Rows repeated within the file.")
    rows_reversed = dy.Int64(description="Rows that take back an earlier one.")
    incidents_vanished = dy.Int64(
        description="Known incidents that a complete delivery no longer holds; closed."
    )
    closings_waiting = dy.Int64(description="Closings held back until an operator approves them.")
    reversals_unmatched = dy.Int64(description="Reversing rows whose original is not known (yet).")
    occurred_from = dy.Date(nullable=True, description="First day of occurrence among accepted rows.")
    occurred_to = dy.Date(nullable=True, description="Last day of occurrence among accepted rows.")
    complete_from = dy.Date(
        nullable=True, description="The delivery declares itself complete from this day ..."
    )
    complete_to = dy.Date(nullable=True, description="... to this day; null: nothing declared.")
    first_load = dy.Bool(description="First delivery of its source: knowledge time is assumed.")
    delivered_at = _moment("When the file was taken in.")
    run_id = _run_id()


class Incidents(dy.Schema):
    """A version of an incident: place, time and offence. Append-only; the latest known version counts."""

    incident_key = _incident_key(primary_key=True)
    delivery_seq = _delivery_seq(primary_key=True)
    line = dy.Int64(description="Record number in the delivered file; the header is 1.")
    source = dy.String(description="The records system or publication it comes from.")
    offence_code = dy.String(description="Offence as the source codes it.")
    offence_group = _offence_group()
    occurred_from = _moment("Earliest moment of occurrence.")
    occurred_to = _moment("Latest moment of occurrence; null: a moment, or open-ended.", nullable=True)
    time_precision = dy.String(description="How finely the time is known: minute, hour, day or month.")
    reported_at = _moment("When it was reported to the police.", nullable=True)
    recorded_at = _moment("When the source recorded it.", nullable=True)
    modified_at = _moment("When the source last changed it.", nullable=True)
    status = dy.String(nullable=True, description="Status in the source.")
    latitude = dy.Float64(nullable=True, description="Degrees north (WGS 84); null: unplaced.")
    longitude = dy.Float64(nullable=True, description="Degrees east (WGS 84); null: unplaced.")
    location_precision = dy.String(description="How finely the place is known: point, snapped, area or none.")
    reported_by = dy.String(description="public, police (found by police activity) or unknown.")
    setting = dy.String(description="street, indoor or unknown.")
    known_from = _moment("From when the source knew this version: the clock of cut-offs.")
    known_assumed = dy.Bool(description="known_from is assumed (first load), not recorded.")
    closed = dy.Bool(description="The incident ends with this version: reversed, vanished or erased.")
    reasons = dy.List(
        dy.String(),
        description="Why this version exists: new, amended, re-geocoded, re-classified, reversed, vanished, erased.",
    )
    content_hash = dy.UInt64(description="Hash of the content, to recognise unchanged rows.")


class RejectedRows(dy.Schema):
    """A row not accepted, with its reason; only fields of the data contract are kept."""

    delivery_seq = _delivery_seq(primary_key=True)
    line = dy.Int64(primary_key=True, description="Record number in the delivered file; the header is 1.")
    reason = dy.String(description="Reason code; see the list in the operators' guide.")
    detail = dy.String(description="What was wrong, naming the column and never a value.")
    offence_code = dy.String(nullable=True, description="Offence as the source codes it.")
    occurred_from = _moment("Earliest moment of occurrence, where it could be read.", nullable=True)
    latitude = dy.Float64(nullable=True, description="Degrees north, where it could be read.")
    longitude = dy.Float64(nullable=True, description="Degrees east, where it could be read.")


class HexagonIncidents(dy.Schema):
    """A version's share of a day in a cell, as an entry in a signed ledger of weights.

    A version adds its weights and takes back those of the version it replaces, so what was known at a
    cut-off is a filter and a sum.
    """

    day = dy.Date(primary_key=True, description="Local operational day of occurrence.")
    cell = _cell(primary_key=True)
    offence_group = _offence_group(primary_key=True)
    incident_key = _incident_key(primary_key=True)
    delivery_seq = _delivery_seq(primary_key=True)
    known_from = _moment("From when the source knew this entry.")
    weight = dy.Int32(description="Millionths of an incident; negative: taken back.")


class StudyAreas(dy.Schema):
    """A study area: the cells a forecast covers, as found from a boundary or from incidents before a date."""

    study_area_id = dy.String(primary_key=True, description="Hash of resolution and cells.")
    resolution = dy.Int16(description="H3 resolution.")
    method = dy.String(description="Where the cells come from.")
    as_of = dy.Date(nullable=True, description="Incidents before this day were used; null: a boundary.")
    cells = dy.Int64(description="Number of cells.")
    area_km2 = dy.Float64(description="Sum of the true cell areas.")
    run_id = _run_id()


class Cells(dy.Schema):
    """A cell of a study area, with its true area and its patrol unit."""

    study_area_id = dy.String(primary_key=True, description="Study area it belongs to.")
    units_hash = dy.String(
        primary_key=True, description="Hash of the units file by which cells were assigned."
    )
    cell = _cell(primary_key=True)
    area_km2 = dy.Float64(description="True area of the cell.")
    unit = dy.String(nullable=True, description="Patrol unit with the largest share of the cell; null: none.")


class FittedModels(dy.Schema):
    """A fitted model; the id is the hash of its content, so the same fit has the same id."""

    fitted_model_id = dy.String(primary_key=True, description="Hash of model, date and artefact.")
    model = dy.String(description="Name in the catalogue.")
    fitted_as_of = dy.Date(description="Nothing known after the cut-off of this day was used.")
    study_area_id = dy.String(description="Study area it was fitted on.")
    delivery_seq = _delivery_seq(primary_key=True)
    settings_hash = dy.String(description="Hash of the settings in force at the fit.")
    artefact = dy.String(
        description="The model itself, as JSON: components and weights, backgrounds or trees."
    )
    run_id = _run_id()


class Forecasts(dy.Schema):
    """The header of a forecast: everything it used. Replaying it gives the same scores, byte for byte."""

    forecast_id = dy.String(primary_key=True, description="Hash of all that follows up to settings and code.")
    forecast_date = _forecast_date()
    model = dy.String(description="Model in the catalogue.")
    offence_group = _offence_group()
    cut_off = _moment("Nothing known after this moment was used.")
    delivery_seq = _delivery_seq()
    fitted_model_id = dy.String(
        nullable=True, description="Fitted model used; null: the model has nothing to fit."
    )
    study_area_id = dy.String(nullable=True, description="Study area used; null: none could be found.")
    settings_hash = dy.String(description="Hash of the settings that can change a forecast.")
    code_version = dy.String(description="Version of the scoring code.")
    expected_total = dy.Float64(
        nullable=True, description="Expected incidents of the day; null: model not fitted."
    )
    memory_from = dy.Date(nullable=True, description="First day of occurrence used.")
    memory_to = dy.Date(nullable=True, description="Last day of occurrence used.")
    incidents_known = dy.Float64(description="Incidents of the offence group known in the study area.")
    not_made_because = dy.String(nullable=True, description="Why no forecast was made; null: it was made.")
    reconstructed = dy.Bool(
        description="Rests on assumed knowledge times, or was made after the day: a back-test."
    )
    made_at = _moment("When the forecast was first computed.")
    run_id = _run_id()


class ProximityScores(dy.Schema):
    """The score of a cell for a day: the share of the offence group's incidents expected there."""

    forecast_date = _forecast_date(primary_key=True)
    offence_group = _offence_group(primary_key=True)
    cell = _cell(primary_key=True)
    score = dy.Float64(description="Share of the day's expected incidents; a surface sums to 1.")
    rank = dy.Int32(description="1 is the highest score; ties in a seeded random order.")


class PatrolAreas(dy.Schema):
    """A ranked patrol area: contiguous cells within the unit's budget."""

    forecast_date = _forecast_date(primary_key=True)
    shift = dy.String(primary_key=True, description="Shift of the day.")
    unit = dy.String(primary_key=True, description="Patrol unit.")
    offence_group = _offence_group(primary_key=True)
    rank = dy.Int32(
        primary_key=True, description="1 expects most; within date, shift, unit and offence group."
    )
    area_id = dy.String(description="Short name, unique within the day.")
    name = dy.String(description="Name a person can use.")
    cells = dy.List(dy.UInt64(), description="Its H3 cells.")
    geometry = dy.String(description="Outline as WKT (WGS 84).")
    area_km2 = dy.Float64(description="True area.")
    share = dy.Float64(description="Share of the offence group's expected incidents in the study area.")
    tied = dy.Int32(description="Cells whose order inside the tie at its edge is random; 0: none.")
    why = dy.String(description="Why here, in one sentence with numbers.")
    forecast_id = dy.String(description="Forecast it was made from.")


class ForecastOutcomes(dy.Schema):
    """How a forecast did, once the day is known."""

    forecast_date = _forecast_date(primary_key=True)
    model = dy.String(primary_key=True, description="Model in the catalogue.")
    offence_group = _offence_group(primary_key=True)
    coverage = dy.Float64(primary_key=True, description="Flagged share of the study area's km2.")
    incidents = dy.Float64(description="Incidents of the day in the study area.")
    hits = dy.Float64(description="Incidents in flagged cells.")
    hit_rate = dy.Float64(nullable=True, description="hits / incidents; null on a day without incidents.")
    pai = dy.Float64(
        nullable=True, description="Hit rate / coverage (Chainey 2008). Never compare across grids."
    )
    pei = dy.Float64(nullable=True, description="hits / the most that any choice of equal area could catch.")
    log_score = dy.Float64(
        nullable=True, description="Nats per incident over a uniform forecast, floor 1e-6."
    )
    best_hits = dy.Float64(
        description="The most that any choice of equal area could catch; pei = hits / best_hits."
    )
    expected_hit_rate = dy.Float64(description="The forecast's own share in the flagged area.")
    delivery_seq = _delivery_seq()


class StaleDays(dy.Schema):
    """A past day whose incidents changed after its outcomes were computed, and why."""

    day = dy.Date(primary_key=True, description="Local operational day.")
    delivery_seq = _delivery_seq(primary_key=True)
    reason = dy.String(description="What the delivery did to the day.")
    since = _moment("When the delivery was taken in.")


class UnreplayableForecasts(dy.Schema):
    """A forecast that rests on incidents erased since: its scores stand, but cannot be made again."""

    forecast_id = dy.String(primary_key=True, description="Forecast.")
    forecast_date = _forecast_date()
    delivery_seq = _delivery_seq(primary_key=True)


class LedgerEntries(dy.Schema):
    """One entry of the hash-chained ledger, written in the transaction of what it records."""

    sequence = dy.Int64(primary_key=True, description="Position in the chain, from 1.")
    kind = dy.String(description="What happened: collection, alteration, erasure, run, parameter change, ...")
    happened_at = dy.String(description="When, as ISO 8601 in UTC.")
    actor = dy.String(description="Who or what did it.")
    subject = dy.String(description="What it was done to.")
    facts = dy.String(description="Counts and hashes, as canonical JSON; never row content.")
    previous_hash = dy.String(description="Hash of the entry before; zeros for the first.")
    hash = dy.String(description="SHA-256 over this entry and previous_hash.")


class WriteLocks(dy.Schema):
    """One row per table: the row that every writer of it touches first, and how far the table has read."""

    table_name = dy.String(primary_key=True, description="Table.")
    taken = dy.Int64(description="How often it was written.")
    through_delivery_seq = dy.Int64(
        description="Last delivery the table has taken in, where it follows deliveries."
    )


@dataclass(frozen=True)
class Table:
    """One table: its schema, and how it is laid out on disk."""

    name: str
    schema: type[dy.Schema]
    partitioned_by: str | None = None
    sorted_by: tuple[str, ...] = ()

    @property
    def meaning(self) -> str:
        """One sentence: what a row is."""
        return (self.schema.__doc__ or "").strip().split("\n\n")[0].replace("\n    ", " ")

    @property
    def key(self) -> tuple[str, ...]:
        """Names of the key columns."""
        return tuple(name for name, column in self.schema.columns().items() if column.primary_key)

    @property
    def dtypes(self) -> dict[str, pl.DataType]:
        """Column names and Polars types, in order."""
        return {name: column.dtype for name, column in self.schema.columns().items()}

    def conform(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The frame with exactly the table's columns and types, sorted as stored.

        Raises
        ------
        MalformedRows
            When a column is missing, unknown, of another type, or null where it must not be.
        """
        columns = self.schema.columns()
        if set(frame.columns) != set(columns):
            odd = sorted(set(frame.columns) ^ set(columns))
            raise MalformedRows(f"Table {self.name}: columns missing or not known: {', '.join(odd)}.")
        shaped = frame.select(pl.col(name).cast(column.dtype) for name, column in columns.items())
        counts = shaped.null_count().row(0, named=True)
        empty = [name for name, column in columns.items() if counts[name] and not column.nullable]
        if empty:
            raise MalformedRows(f"Table {self.name}: no value where one is needed: {', '.join(empty)}.")
        return shaped.sort(self.sorted_by) if self.sorted_by else shaped

    def empty(self) -> pl.DataFrame:
        """A frame of this table without rows."""
        return pl.DataFrame(schema=self.dtypes)


class MalformedRows(UserError):
    """Rows that do not fit the table they were meant for; nothing was written."""


TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        Table("deliveries", Deliveries),
        Table("incidents", Incidents, sorted_by=("incident_key",)),
        Table("rejected_rows", RejectedRows, sorted_by=("line",)),
        Table(
            "hexagon_incidents",
            HexagonIncidents,
            partitioned_by="year(day), month(day)",
            sorted_by=("day", "offence_group", "cell", "incident_key"),
        ),
        Table("study_areas", StudyAreas),
        Table("cells", Cells, sorted_by=("cell",)),
        Table("fitted_models", FittedModels),
        Table("forecasts", Forecasts),
        Table(
            "proximity_scores",
            ProximityScores,
            partitioned_by="year(forecast_date), month(forecast_date)",
            sorted_by=("forecast_date", "offence_group", "rank"),
        ),
        Table(
            "patrol_areas", PatrolAreas, sorted_by=("forecast_date", "shift", "unit", "offence_group", "rank")
        ),
        Table(
            "forecast_outcomes",
            ForecastOutcomes,
            sorted_by=("forecast_date", "model", "offence_group", "coverage"),
        ),
        Table("stale_days", StaleDays),
        Table("unreplayable_forecasts", UnreplayableForecasts),
        Table("ledger", LedgerEntries, sorted_by=("sequence",)),
        Table("write_locks", WriteLocks),
    )
}

_SQL_TYPES: dict[pl.datatypes.DataTypeClass, str] = {
    pl.Int16: "SMALLINT",
    pl.Int32: "INTEGER",
    pl.Int64: "BIGINT",
    pl.UInt64: "UBIGINT",
    pl.Float64: "DOUBLE",
    pl.String: "VARCHAR",
    pl.Boolean: "BOOLEAN",
    pl.Date: "DATE",
    pl.Datetime: "TIMESTAMPTZ",
}


def sql_type(dtype: pl.DataType | pl.datatypes.DataTypeClass) -> str:
    """DuckDB's name of a Polars type."""
    if isinstance(dtype, pl.List):
        return f"{sql_type(dtype.inner)}[]"
    return _SQL_TYPES[dtype.base_type()]

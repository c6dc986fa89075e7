"""What was known when: every read of incidents takes both clocks.

Belongs here: point-in-time reads. `cut_off` fixes what the source knew, `delivery_seq` what we had
received. Not here: how scores are computed from what comes back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime

import polars as pl

from hotspot_assets.intake.offences import SETTINGS
from hotspot_assets.warehouse.lake import Lake, LakeError


def incidents_as_known(lake: Lake, cut_off: datetime, delivery_seq: int) -> pl.LazyFrame:
    """The open incidents as known at both clocks: the last version of each, closed ones dropped."""
    query = """
        SELECT * FROM incidents
        WHERE delivery_seq <= $seq AND known_from <= $cut_off
        QUALIFY row_number() OVER (PARTITION BY incident_key ORDER BY delivery_seq DESC) = 1
    """
    versions = lake.read(query, {"seq": delivery_seq, "cut_off": cut_off})
    return versions.lazy().filter(~pl.col("closed"))


def times_as_known(
    lake: Lake, groups: Sequence[str], since: date, before: date, cut_off: datetime, delivery_seq: int
) -> pl.DataFrame:
    """Times of the open incidents that began in days since <= day < before (UTC), as known at both clocks.

    Returns `offence_group, occurred_from, occurred_to, time_precision`, in no order.
    """
    query = """
        WITH known AS (
            SELECT incident_key, offence_group, occurred_from, occurred_to, time_precision, closed FROM incidents
            WHERE delivery_seq <= $seq AND known_from <= $cut_off
            QUALIFY row_number() OVER (PARTITION BY incident_key ORDER BY delivery_seq DESC) = 1)
        SELECT offence_group, occurred_from, occurred_to, time_precision FROM known
        WHERE NOT closed AND list_contains($groups, offence_group)
            AND occurred_from >= $since::TIMESTAMP AND occurred_from < $before::TIMESTAMP
    """
    parameters = {"since": since, "before": before, "cut_off": cut_off, "seq": delivery_seq}
    return lake.read(query, {**parameters, "groups": list(groups)})


def weights_as_known(
    lake: Lake, groups: Sequence[str], before: date, cut_off: datetime, delivery_seq: int
) -> Iterator[pl.DataFrame]:
    """Entries of the ledger of weights that a forecast up to `cut_off` for days up to `before` may use.

    Part by part; columns `day, cell, offence_group, setting, known_from, weight`, for occurrence days before `before`;
    group and setting are of Enum types.
    """
    query = f"""
        SELECT day, cell, {_NUMBERED}, known_from, weight FROM hexagon_incidents h
        WHERE day < $before AND known_from <= $cut_off AND delivery_seq <= $seq AND list_contains($groups, offence_group)
    """
    return _weights(lake, query, groups, {"before": before, "cut_off": cut_off, "seq": delivery_seq})


def weights_as_recorded(
    lake: Lake, groups: Sequence[str], before: date, cut_off: datetime, delivery_seq: int
) -> Iterator[pl.DataFrame]:
    """As `weights_as_known`, but where knowledge is assumed, an incident counts from its own record on.

    The time of record stands for it, else that of the report; where the source states neither, the assumption
    stays.
    """
    query = f"""
        SELECT day, cell, {_NUMBERED}, weight, CASE WHEN known_assumed
            THEN greatest(h.known_from, coalesce(recorded_at, reported_at, h.known_from))
            ELSE h.known_from END AS known_from
        FROM (SELECT * FROM hexagon_incidents WHERE day < $before AND known_from <= $cut_off
            AND delivery_seq <= $seq AND list_contains($groups, offence_group)) h
        JOIN (SELECT incident_key, delivery_seq, known_assumed, recorded_at, reported_at FROM incidents)
            USING (incident_key, delivery_seq)
        WHERE CASE WHEN known_assumed THEN coalesce(recorded_at, reported_at, h.known_from)
            ELSE h.known_from END <= $cut_off
    """
    return _weights(lake, query, groups, {"before": before, "cut_off": cut_off, "seq": delivery_seq})


_NUMBERED = """
    (list_position($groups, h.offence_group) - 1)::UTINYINT AS offence_group,
    (list_position($settings, h.setting) - 1)::UTINYINT AS setting"""
"""Numbers in place of words: a million words take longer to hand over than all else of their rows."""


def _weights(
    lake: Lake, query: str, groups: Sequence[str], point: Mapping[str, object]
) -> Iterator[pl.DataFrame]:
    names = sorted(set(groups))
    words = (pl.col("offence_group").cat.to(pl.Enum(names)), pl.col("setting").cat.to(pl.Enum(SETTINGS)))
    for part in lake.stream(query, {**point, "groups": names, "settings": list(SETTINGS)}):
        yield part.with_columns(words)


def groups_known(lake: Lake, cut_off: datetime, delivery_seq: int) -> list[str]:
    """Offence groups of which any incident was known at both clocks, sorted."""
    query = """
        SELECT DISTINCT offence_group FROM hexagon_incidents
        WHERE known_from <= $cut_off AND delivery_seq <= $seq ORDER BY ALL
    """
    return lake.read(query, {"cut_off": cut_off, "seq": delivery_seq})["offence_group"].to_list()


def entries_as_known(
    lake: Lake, groups: Sequence[str], before: date, cut_off: datetime, delivery_seq: int
) -> pl.DataFrame:
    """As `weights_as_known`, with the `incident_key` of each entry."""
    query = """
        SELECT incident_key, day, cell, offence_group, setting, known_from, weight FROM hexagon_incidents
        WHERE day < $before AND known_from <= $cut_off AND delivery_seq <= $seq AND list_contains($groups, offence_group)
    """
    parameters = {"before": before, "cut_off": cut_off, "seq": delivery_seq, "groups": list(groups)}
    return lake.read(query, parameters)


def occupied_cells(lake: Lake, before: date, cut_off: datetime, delivery_seq: int) -> pl.Series:
    """Cells with at least one incident before a day, as known then (UInt64, ascending)."""
    query = """
        SELECT cell FROM hexagon_incidents
        WHERE day < $before AND known_from <= $cut_off AND delivery_seq <= $seq
        GROUP BY cell HAVING sum(weight) > 0 ORDER BY cell
    """
    return lake.read(query, {"before": before, "cut_off": cut_off, "seq": delivery_seq})["cell"]


def day_counts(lake: Lake, days: tuple[date, date], groups: Sequence[str], delivery_seq: int) -> pl.DataFrame:
    """Incidents per day, group and cell with the knowledge of a delivery: `day, offence_group, cell, incidents`."""
    query = """
        SELECT day, offence_group, cell, sum(weight) / 1e6 AS incidents FROM hexagon_incidents
        WHERE day BETWEEN $first AND $last AND delivery_seq <= $seq AND list_contains($groups, offence_group)
        GROUP BY ALL HAVING sum(weight) <> 0 ORDER BY ALL
    """
    return lake.read(query, {"first": days[0], "last": days[1], "seq": delivery_seq, "groups": list(groups)})


def cell_counts(
    lake: Lake, groups: Sequence[str], since: date, before: date, cut_off: datetime, delivery_seq: int
) -> pl.DataFrame:
    """Incidents per group and cell in days since <= day < before, as known at both clocks.

    Returns `offence_group, cell, incidents`.
    """
    query = """
        SELECT offence_group, cell, sum(weight) / 1e6 AS incidents FROM hexagon_incidents
        WHERE list_contains($groups, offence_group) AND day >= $since AND day < $before
            AND known_from <= $cut_off AND delivery_seq <= $seq
        GROUP BY ALL HAVING sum(weight) > 0 ORDER BY ALL
    """
    parameters = {"since": since, "before": before, "cut_off": cut_off, "seq": delivery_seq}
    return lake.read(query, {**parameters, "groups": list(groups)})


_THROUGH = "SELECT through_delivery_seq FROM write_locks WHERE table_name = 'hexagon_incidents'"


def ledger_mark(lake: Lake) -> tuple[object, ...]:
    """How often the ledger of weights has been written, erasures included, and by which lake.

    While it stays the same, so does what is read of the ledger. A lake begun anew is told by when its last file came.
    """
    query = """
        SELECT taken, (SELECT max(delivered_at) FROM deliveries) FROM write_locks
        WHERE table_name = 'hexagon_incidents'
    """
    return lake.attach, *lake.read(query).row(0)


def newest_delivery(lake: Lake) -> int:
    """Number of the last delivery that stands in the ledger of weights; 0: none."""
    rows = lake.read(_THROUGH)
    return int(rows.item()) if rows.height else 0


def stored_model(
    lake: Lake, model: str, fitted_as_of: date, study_area_id: str, delivery_seq: int, settings_hash: str
) -> tuple[str, str] | None:
    """Id and artefact of a model fitted on exactly this point in time, if there is one."""
    # DuckLake asks its catalog once for each condition on a table, to know which files to open: one is enough.
    query = """
        SELECT min(fitted_model_id) FILTER (same), min_by(artefact, fitted_model_id) FILTER (same) FROM (
            SELECT *, model = ? AND study_area_id = ? AND delivery_seq = ? AND settings_hash = ? AS same
            FROM fitted_models WHERE fitted_as_of = ?)
    """
    found = lake.read(query, [model, study_area_id, delivery_seq, settings_hash, fitted_as_of]).row(0)
    return None if found[0] is None else found


def delivery_clocks(lake: Lake, delivery_seq: int | None = None) -> pl.DataFrame:
    """Both clocks of each delivery in the ledger of weights: `delivery_seq, delivered_at, known_from` (its first).

    Up to a delivery, or all of them. An erasure counts as a delivery that is readable at any cut-off, as what it took
    away is gone for all of them: so a forecast made after it has another id than one made before.
    """
    query = f"""
        SELECT delivery_seq, delivered_at,
            CASE status WHEN 'erasure' THEN TIMESTAMPTZ '1970-01-01 00:00:00+00' ELSE known_from END AS known_from
        FROM deliveries LEFT JOIN (
            SELECT delivery_seq, min(known_from) AS known_from FROM hexagon_incidents GROUP BY delivery_seq)
            USING (delivery_seq)
        WHERE delivery_seq <= coalesce($seq, ({_THROUGH})) AND (status = 'erasure' OR known_from IS NOT NULL)
        ORDER BY delivery_seq
    """
    return lake.read(query, {"seq": delivery_seq})


def artefact_of(lake: Lake, fitted_model_id: str) -> str:
    """The artefact of a fitted model by its id. Raises LakeError if it is not there."""
    rows = lake.read(
        "SELECT artefact FROM fitted_models WHERE fitted_model_id = ? LIMIT 1", [fitted_model_id]
    )
    if rows.is_empty():
        raise LakeError(f"The fitted model {fitted_model_id} is not in the lake any more.")
    return str(rows.item())


def later_entries(
    lake: Lake, day: date, cut_off: datetime, delivery_seq: int, groups: Sequence[str]
) -> pl.DataFrame:
    """Entries before `day` that were not known at both clocks, with the reasons of their versions."""
    query = """
        SELECT h.offence_group, h.cell, h.day, h.incident_key, h.delivery_seq, h.known_from, h.weight, i.reasons
        FROM hexagon_incidents h JOIN incidents i USING (incident_key, delivery_seq)
        WHERE h.day < $day AND (h.known_from > $cut_off OR h.delivery_seq > $seq)
            AND list_contains($groups, h.offence_group)
        ORDER BY h.delivery_seq, h.offence_group, h.cell, h.day
    """
    return lake.read(query, {"day": day, "cut_off": cut_off, "seq": delivery_seq, "groups": list(groups)})


def lines_of_incidents(lake: Lake, keys: pl.Series, delivery_seq: int) -> pl.DataFrame:
    """Where incidents came from, as known at a delivery: `incident_key, file_name, line`."""
    query = """
        SELECT incident_key, file_name, line FROM incidents JOIN deliveries USING (delivery_seq)
        WHERE delivery_seq <= $seq AND incident_key IN (SELECT unnest($keys))
        QUALIFY row_number() OVER (PARTITION BY incident_key ORDER BY delivery_seq DESC) = 1
    """
    return lake.read(query, {"seq": delivery_seq, "keys": keys.to_list()})


def caught_by_rank(
    lake: Lake, since: date, until: date, cut_off: datetime, delivery_seq: int
) -> pl.DataFrame:
    """How areas of each rank fared in days since..until, with what was known at both clocks.

    Returns `offence_group, rank, hit_rate, average_hit_rate, days`: the share of the study area's incidents that
    lay in areas of the rank, in all units together, and the share that average ground of their size holds. A
    cell that several shifts have at one rank counts once.
    """
    query = """
        WITH flagged AS (
            SELECT DISTINCT forecast_date, offence_group, rank, study_area_id, cell FROM (
                SELECT a.forecast_date, a.offence_group, a.rank, f.study_area_id, unnest(a.cells) AS cell
                FROM patrol_areas a JOIN forecasts f USING (forecast_id)
                WHERE a.forecast_date BETWEEN $since AND $until)),
        days AS (SELECT DISTINCT forecast_date, offence_group, study_area_id FROM flagged),
        ground AS (SELECT DISTINCT study_area_id, cell, area_km2 FROM cells),
        happened AS (
            SELECT h.day AS forecast_date, h.offence_group, h.cell, sum(h.weight) / 1e6 AS incidents
            FROM hexagon_incidents h
            WHERE h.day BETWEEN $since AND $until AND h.known_from <= $cut_off AND h.delivery_seq <= $seq
            GROUP BY ALL),
        totals AS (
            SELECT d.offence_group, sum(h.incidents) AS incidents FROM days d
            JOIN happened h USING (forecast_date, offence_group) JOIN ground USING (study_area_id, cell) GROUP BY ALL),
        sizes AS (SELECT study_area_id, sum(area_km2) AS km2 FROM ground GROUP BY ALL),
        whole AS (
            SELECT offence_group, count(*) AS days, sum(km2) AS km2 FROM days JOIN sizes USING (study_area_id)
            GROUP BY ALL)
        SELECT f.offence_group, f.rank,
            coalesce(sum(h.incidents), 0) / any_value(t.incidents) AS hit_rate,
            sum(g.area_km2) / any_value(w.km2) AS average_hit_rate, any_value(w.days) AS days
        FROM flagged f JOIN ground g USING (study_area_id, cell) JOIN whole w USING (offence_group)
            JOIN totals t USING (offence_group) LEFT JOIN happened h USING (forecast_date, offence_group, cell)
        WHERE t.incidents > 0 GROUP BY ALL ORDER BY ALL
    """
    return lake.read(query, {"since": since, "until": until, "cut_off": cut_off, "seq": delivery_seq})


def has_issued_areas(lake: Lake, day: date) -> bool:
    """Whether any area of a forecast date was issued: a tenth of the work of asking which, as mostly none was."""
    return lake.read("SELECT 1 FROM issued_patrol_areas WHERE forecast_date = ? LIMIT 1", [day]).height > 0


def issued_areas(lake: Lake, day: date) -> pl.DataFrame:
    """Issued areas of a forecast date, with who approved them and when they were taken back.

    Rows of `issued_patrol_areas` with reviewer, role, identity, decided_at and withdrawn_at (null: it stands).
    """
    query = """
        SELECT i.*, r.reviewer, r.role, r.identity, r.decided_at, w.withdrawn_at
        FROM issued_patrol_areas i JOIN reviews r USING (review_id) LEFT JOIN withdrawals w USING (issue_id)
        WHERE i.forecast_date = ? ORDER BY i.issue_id, i.offence_group, i.rank
    """
    return lake.read(query, [day])

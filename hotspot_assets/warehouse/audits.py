"""Questions that checks ask of the tables; an empty answer is a good one.

Belongs here: queries that look for what must not be. Not here: whether an answer is an error or a warning.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from hotspot_assets.warehouse.lake import Lake


def deliveries_that_do_not_add_up(lake: Lake) -> pl.DataFrame:
    """Deliveries whose rows read differ from what became of them."""
    return lake.read("""
        SELECT delivery_seq, file_name, rows_read, rows_new + rows_amended + rows_unchanged + rows_rejected
            + rows_excluded + rows_duplicate + rows_reversed AS accounted
        FROM deliveries WHERE rows_read <> accounted ORDER BY delivery_seq
    """)


def doubled_versions(lake: Lake) -> pl.DataFrame:
    """Versions that stand twice."""
    return lake.read(
        "SELECT incident_key, delivery_seq FROM incidents GROUP BY ALL HAVING count(*) > 1 LIMIT 100"
    )


def rejected_rows_missing(lake: Lake) -> pl.DataFrame:
    """Deliveries whose rejected rows are not all kept."""
    return lake.read("""
        SELECT delivery_seq, rows_rejected, count(r.line) AS kept
        FROM deliveries d LEFT JOIN rejected_rows r USING (delivery_seq) GROUP BY ALL HAVING kept <> rows_rejected
    """)


def broken_weights(lake: Lake) -> pl.DataFrame:
    """Incidents whose entries do not sum to one incident or to none."""
    return lake.read("""
        SELECT incident_key, sum(weight) AS weight FROM hexagon_incidents
        GROUP BY incident_key HAVING sum(weight) NOT IN (0, 1000000) LIMIT 100
    """)


def closed_but_weighing(lake: Lake) -> pl.DataFrame:
    """Incidents closed by their last bucketed version that still weigh something."""
    return lake.read("""
        WITH bucketed AS (
            SELECT incident_key, delivery_seq, closed FROM incidents WHERE delivery_seq <=
                (SELECT through_delivery_seq FROM write_locks WHERE table_name = 'hexagon_incidents')),
        ever_closed AS (SELECT DISTINCT incident_key FROM bucketed WHERE closed),
        last AS (
            SELECT incident_key, arg_max(closed, delivery_seq) AS closed
            FROM bucketed SEMI JOIN ever_closed USING (incident_key) GROUP BY incident_key)
        SELECT incident_key FROM hexagon_incidents SEMI JOIN (FROM last WHERE closed) USING (incident_key)
        GROUP BY ALL HAVING sum(weight) <> 0 LIMIT 100
    """)


def set_aside(lake: Lake) -> pl.DataFrame:
    """Files set aside and not followed by a readable one of the same name."""
    return lake.read("""
        SELECT file_name, reason, delivered_at FROM deliveries s WHERE status = 'set_aside' AND NOT EXISTS (
            SELECT 1 FROM deliveries d WHERE d.file_name = s.file_name AND d.delivery_seq > s.delivery_seq
                AND d.status = 'ingested') ORDER BY delivery_seq
    """)


def last_deliveries(lake: Lake) -> pl.DataFrame:
    """Last delivery of each source, and the last day of occurrence it ever delivered."""
    return lake.read("""
        SELECT source, max(delivered_at) AS delivered_at, max(occurred_to) AS occurred_to FROM deliveries
        WHERE status = 'ingested' GROUP BY source ORDER BY source
    """)


def times_of_sources(lake: Lake) -> pl.DataFrame:
    """Times of occurrence of open and closed versions: `source, occurred_from, time_precision`."""
    return lake.read("SELECT source, occurred_from, time_precision FROM incidents WHERE 'new' IN reasons")


def places_of_incidents(lake: Lake) -> pl.DataFrame:
    """Places of the open incidents, by their last version: `latitude, longitude, offence_group`."""
    return lake.read("""
        SELECT latitude, longitude, offence_group FROM (
            SELECT latitude, longitude, offence_group, closed FROM incidents
            QUALIFY row_number() OVER (PARTITION BY incident_key ORDER BY delivery_seq DESC) = 1)
        WHERE NOT closed AND latitude IS NOT NULL
    """)


def surfaces(lake: Lake, first: date, last: date) -> pl.DataFrame:
    """Of each forecast date and offence group: cells, sum of scores, lowest score, distinct and highest rank.

    Ranks below 1, or above the most cells of any surface, are not among the distinct ones.
    """
    days, scores = [first, last], "FROM proximity_scores WHERE forecast_date BETWEEN ? AND ? GROUP BY ALL"
    facts = lake.read(
        "SELECT forecast_date, offence_group, count(*) AS cells, sum(score) AS total, min(score) AS lowest,"
        f" max(rank) AS last_rank {scores} ORDER BY ALL",
        days,
    )
    most = max(facts["cells"].to_list(), default=1)
    # A bit for each rank: to tell all rows apart takes twice the time and three times the memory.
    ranks = lake.read(
        f"""
        SELECT forecast_date, offence_group,
            bit_count(bitstring_agg(CASE WHEN rank BETWEEN 1 AND {most} THEN rank END, 1, {most})) AS ranks
        {scores}
        """,
        days,
    )
    keys = ["forecast_date", "offence_group"]
    return facts.join(ranks, on=keys, how="left", maintain_order="left").with_columns(
        pl.col("ranks").fill_null(0)
    )


def unfollowed_headers(lake: Lake, first: date, last: date) -> pl.DataFrame:
    """Forecast dates and groups whose newest header says made, but where no surface stands, or the reverse."""
    query = """
        WITH newest AS (
            SELECT forecast_date, offence_group, not_made_because IS NULL AS made FROM forecasts
            WHERE forecast_date BETWEEN $first AND $last
            QUALIFY row_number() OVER (PARTITION BY forecast_date, offence_group ORDER BY made_at DESC) = 1),
        there AS (SELECT DISTINCT forecast_date, offence_group FROM proximity_scores
            WHERE forecast_date BETWEEN $first AND $last)
        SELECT forecast_date, offence_group FROM newest FULL JOIN there USING (forecast_date, offence_group)
        WHERE coalesce(made, false) <> (there.forecast_date IS NOT NULL) ORDER BY ALL
    """
    return lake.read(query, {"first": first, "last": last})


def patrol_area_sums(lake: Lake, first: date, last: date) -> pl.DataFrame:
    """Of each forecast date, shift, unit and offence group: number of areas, km2, share, cells and distinct cells."""
    query = """
        SELECT forecast_date, shift, unit, offence_group, count(DISTINCT rank) AS areas, sum(km2) AS area_km2,
            sum(cells) AS cells, sum(different) AS different
        FROM (SELECT forecast_date, shift, unit, offence_group, rank, any_value(area_km2) AS km2,
                count(*) AS cells, count(DISTINCT cell) AS different
              FROM (SELECT *, unnest(cells) AS cell FROM patrol_areas WHERE forecast_date BETWEEN ? AND ?)
              GROUP BY ALL)
        GROUP BY ALL ORDER BY ALL
    """
    return lake.read(query, [first, last])


def union_of_areas(lake: Lake, first: date, last: date, units_hash: str) -> pl.DataFrame:
    """Of each forecast date, shift and unit: km2 of all its areas together, of the unit, and of a cell at most.

    Computed from the tables alone: `forecast_date, shift, unit, area_km2, unit_km2, cell_km2`.
    """
    query = """
        WITH taken AS (
            SELECT DISTINCT forecast_date, shift, unit, study_area_id, cell FROM (
                SELECT a.forecast_date, a.shift, a.unit, f.study_area_id, unnest(a.cells) AS cell
                FROM patrol_areas a JOIN forecasts f USING (forecast_id)
                WHERE a.forecast_date BETWEEN $first AND $last)),
        units AS (
            SELECT study_area_id, unit, sum(area_km2) AS unit_km2 FROM cells WHERE units_hash = $units GROUP BY ALL),
        largest AS (SELECT study_area_id, max(area_km2) AS cell_km2 FROM cells WHERE units_hash = $units GROUP BY ALL)
        SELECT forecast_date, shift, unit, sum(c.area_km2) AS area_km2, any_value(unit_km2) AS unit_km2,
            any_value(cell_km2) AS cell_km2
        FROM taken JOIN cells c USING (study_area_id, cell, unit) JOIN units USING (study_area_id, unit)
            JOIN largest USING (study_area_id)
        WHERE c.units_hash = $units GROUP BY ALL ORDER BY ALL
    """
    return lake.read(query, {"first": first, "last": last, "units": units_hash})


def stale(lake: Lake) -> pl.DataFrame:
    """Past days whose incidents changed after their outcomes were computed: `day, reason, since, delivery_seq`."""
    return lake.read("SELECT day, delivery_seq, reason, since FROM stale_days ORDER BY day, delivery_seq")

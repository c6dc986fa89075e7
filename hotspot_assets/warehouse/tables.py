"""The dictionary: every table of the lake, once.

The DDL, the checks at writing, the column schemas in Dagster and `docs/data_dictionary.md` all come from here.
Their schemas stand beside it by subject (`incident_tables`, `forecast_tables`, ...). Not here: SQL, and rules that
need more than one table.
"""

from __future__ import annotations

from hotspot_assets.warehouse.evidence_tables import LedgerEntries, WriteLocks
from hotspot_assets.warehouse.forecast_tables import (
    Cells,
    Explanations,
    FittedModels,
    ForecastOutcomes,
    Forecasts,
    ProximityScores,
    StudyAreaBases,
    StudyAreas,
    UnreplayableForecasts,
)
from hotspot_assets.warehouse.incident_tables import (
    Deliveries,
    HexagonIncidents,
    Incidents,
    RejectedRows,
    StaleDays,
)
from hotspot_assets.warehouse.patrol_tables import PatrolAreas, PatrolDosage, VisitFiles, Visits
from hotspot_assets.warehouse.review_tables import (
    IssuedPatrolAreas,
    ReviewChanges,
    ReviewedAreas,
    Reviews,
    Withdrawals,
)
from hotspot_assets.warehouse.table import Table
from hotspot_assets.warehouse.trial_tables import ChampionDecisions, Looks

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        Table("deliveries", Deliveries),
        Table("incidents", Incidents, sorted_by=("incident_key",)),
        Table("rejected_rows", RejectedRows, sorted_by=("line",)),
        Table(
            "hexagon_incidents",
            HexagonIncidents,
            sorted_by=("day", "offence_group", "cell", "incident_key"),
        ),
        Table("study_areas", StudyAreas),
        Table("study_area_bases", StudyAreaBases),
        Table("cells", Cells, sorted_by=("cell",)),
        Table("fitted_models", FittedModels),
        Table("forecasts", Forecasts),
        Table(
            "proximity_scores",
            ProximityScores,
            sorted_by=("forecast_date", "offence_group", "cell"),
        ),
        Table(
            "patrol_areas", PatrolAreas, sorted_by=("forecast_date", "shift", "unit", "offence_group", "rank")
        ),
        Table(
            "forecast_outcomes",
            ForecastOutcomes,
            sorted_by=("forecast_date", "model", "offence_group", "coverage"),
        ),
        Table("explanations", Explanations, sorted_by=("forecast_date", "offence_group", "cell", "number")),
        Table("looks", Looks),
        Table("champion_decisions", ChampionDecisions),
        Table("stale_days", StaleDays),
        Table("unreplayable_forecasts", UnreplayableForecasts),
        Table("reviews", Reviews),
        Table("review_changes", ReviewChanges, sorted_by=("review_id", "position")),
        Table("reviewed_areas", ReviewedAreas, sorted_by=("review_id", "list", "offence_group", "rank")),
        Table("issued_patrol_areas", IssuedPatrolAreas, sorted_by=("issue_id", "offence_group", "rank")),
        Table("withdrawals", Withdrawals),
        Table("visit_files", VisitFiles),
        Table("visits", Visits, sorted_by=("sha256", "line")),
        Table("patrol_dosage", PatrolDosage, sorted_by=("forecast_date", "shift", "unit", "area_id")),
        Table("ledger", LedgerEntries, sorted_by=("sequence",)),
        Table("write_locks", WriteLocks),
    )
}

"""What is kept of trials: who looked, and who decided."""

from __future__ import annotations

import dataframely as dy

from hotspot_assets.warehouse.columns import moment


class Looks(dy.Schema):
    """A look at the results of a trial's period: each one makes later choices a little less blind."""

    run_id = dy.String(primary_key=True, description="Dagster run that looked.")
    looked_at = moment("When the trial was computed.")
    first_date = dy.Date(description="First forecast date of the period.")
    last_date = dy.Date(description="Last forecast date of the period.")
    models = dy.List(dy.String(), description="Models that were measured.")
    lags = dy.List(dy.String(), description="Reporting lags at which they were measured.")
    author = dy.String(description="Who looked: the operator named by the run's tags, else the machine.")
    why = dy.String(description="The reason given for looking.")
    outcomes_hash = dy.String(
        description="SHA-256 of the outcomes seen: the same results have the same hash."
    )


class ChampionDecisions(dy.Schema):
    """A person's decision on which model forecasts; the newest one stands."""

    run_id = dy.String(primary_key=True, description="Dagster run that recorded it.")
    decided_at = moment("When it was recorded.")
    model = dy.String(description="Model that shall forecast.")
    model_before = dy.String(description="Model in the settings when it was decided.")
    reviewer = dy.String(description="Who decided.")
    reason = dy.String(description="Why.")

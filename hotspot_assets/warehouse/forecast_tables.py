"""Forecasts and all they rest on: study areas, fits, headers, scores, and how they did."""

from __future__ import annotations

import dataframely as dy

from hotspot_assets.warehouse import columns


class StudyAreas(dy.Schema):
    """A study area: the cells a forecast covers, as found from a boundary or from incidents before a date."""

    study_area_id = dy.String(primary_key=True, description="Hash of resolution and cells.")
    resolution = dy.Int16(description="H3 resolution.")
    method = dy.String(description="Where the cells come from.")
    as_of = dy.Date(nullable=True, description="Incidents before this day were used; null: a boundary.")
    cells = dy.Int64(description="Number of cells.")
    area_km2 = dy.Float64(description="Sum of the true cell areas.")
    run_id = columns.run_id()


class StudyAreaBases(dy.Schema):
    """What a study area was found from: found on the same basis again, it is the same."""

    basis = dy.String(
        primary_key=True,
        description="The boundary file, or the incidents with both clocks; the resolution; the units file.",
    )
    study_area_id = dy.String(description="Study area that was found.")
    run_id = columns.run_id()


class Cells(dy.Schema):
    """A cell of a study area, with its true area and its patrol unit."""

    study_area_id = dy.String(primary_key=True, description="Study area it belongs to.")
    units_hash = dy.String(
        primary_key=True, description="Hash of the units file by which cells were assigned."
    )
    cell = columns.cell(primary_key=True)
    area_km2 = dy.Float64(description="True area of the cell.")
    unit = dy.String(nullable=True, description="Patrol unit with the largest share of the cell; null: none.")
    at_edge = dy.Bool(
        nullable=True,
        description="It touches a cell outside the study area, where nothing counts; null: not looked at.",
    )


class FittedModels(dy.Schema):
    """A fitted model; the id is the hash of its content, so the same fit has the same id."""

    fitted_model_id = dy.String(primary_key=True, description="Hash of model, date and artefact.")
    model = dy.String(description="Name in the catalogue.")
    fitted_as_of = dy.Date(description="Nothing known after the cut-off of this day was used.")
    study_area_id = dy.String(description="Study area it was fitted on.")
    delivery_seq = columns.delivery_seq(primary_key=True)
    settings_hash = dy.String(description="Hash of the settings in force at the fit.")
    artefact = dy.String(
        description="The model itself, as JSON: components and weights, backgrounds or trees."
    )
    run_id = columns.run_id()


class Forecasts(dy.Schema):
    """The header of a forecast: everything it used. Replaying it gives the same scores, byte for byte."""

    forecast_id = dy.String(primary_key=True, description="Hash of all that follows up to settings and code.")
    forecast_date = columns.forecast_date()
    model = dy.String(description="Model in the catalogue.")
    offence_group = columns.offence_group()
    cut_off = columns.moment("Nothing known after this moment was used.")
    delivery_seq = columns.delivery_seq()
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
    made_at = columns.moment("When the forecast was first computed.")
    run_id = columns.run_id()


class ProximityScores(dy.Schema):
    """The score of a cell for a day: the share of the offence group's incidents expected there."""

    forecast_date = columns.forecast_date(primary_key=True)
    offence_group = columns.offence_group(primary_key=True)
    cell = columns.cell(primary_key=True)
    score = dy.Float64(description="Share of the day's expected incidents; a surface sums to 1.")
    rank = dy.Int32(description="1 is the highest score; ties in a seeded random order.")


class ForecastOutcomes(dy.Schema):
    """How a forecast did, once the day is known."""

    forecast_date = columns.forecast_date(primary_key=True)
    model = dy.String(primary_key=True, description="Model in the catalogue.")
    offence_group = columns.offence_group(primary_key=True)
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
    delivery_seq = columns.delivery_seq()


class UnreplayableForecasts(dy.Schema):
    """A forecast that rests on incidents erased since: its scores stand, but cannot be made again."""

    forecast_id = dy.String(primary_key=True, description="Forecast.")
    forecast_date = columns.forecast_date()
    delivery_seq = columns.delivery_seq(primary_key=True)


class Explanations(dy.Schema):
    """A part of the score of a cell inside a patrol area: an incident, the other incidents, or the background.

    The parts of a cell add up to its score.
    """

    forecast_date = columns.forecast_date(primary_key=True)
    offence_group = columns.offence_group(primary_key=True)
    cell = columns.cell(primary_key=True)
    number = dy.Int32(primary_key=True, description="Place in the explanation: the largest part is 1.")
    part = dy.String(
        description="incident; other incidents: all smaller ones together; background: no incident."
    )
    incident_key = dy.String(nullable=True, description="Incident; null: not one incident.")
    source_group = dy.String(nullable=True, description="Offence group of the incident.")
    day = dy.Date(nullable=True, description="Day of the incident, or of its part on that day.")
    age_days = dy.Int32(nullable=True, description="Days from the incident to the forecast date.")
    ring = dy.Int32(nullable=True, description="Rings of cells between incident and cell; 0: the same cell.")
    distance_m = dy.Float64(nullable=True, description="Metres between the centres of both cells.")
    incidents = dy.Int64(description="Incidents, or their parts on a day, that make this part.")
    contribution = dy.Float64(description="What it gives to the score, in the unit of the score.")

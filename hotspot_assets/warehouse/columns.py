"""Columns that stand in several tables: one name, one type, one meaning.

Belongs here: what a column is wherever it stands. Not here: the tables.
"""

from __future__ import annotations

from typing import Any

import dataframely as dy


def moment(description: str, **options: Any) -> dy.Datetime:
    """A moment, in UTC."""
    return dy.Datetime(time_unit="us", time_zone="UTC", description=description, **options)


def delivery_seq(**options: Any) -> dy.Int64:
    """The clock of what was known."""
    return dy.Int64(
        description="Number of a delivery, strictly increasing: the clock of what we knew.", **options
    )


def incident_key(**options: Any) -> dy.String:
    """The incident, without its reference."""
    return dy.String(
        description="Keyed hash (HMAC-SHA256, 32 hex digits) of source and crime reference; the key is not in the lake.",
        **options,
    )


def offence_group(**options: Any) -> dy.String:
    """What kind of offence."""
    return dy.String(description="Offence group, in the common vocabulary.", **options)


def setting(**options: Any) -> dy.String:
    """Where it happened, in a word."""
    return dy.String(
        description="Where it happened: street, dwelling (a home), indoor (any other building) or unknown.",
        **options,
    )


def forecast_date(**options: Any) -> dy.Date:
    """The day a forecast is for."""
    return dy.Date(description="The local operational day a forecast is for.", **options)


def cell(**options: Any) -> dy.UInt64:
    """Where, as a cell."""
    return dy.UInt64(description="H3 cell; written as hexadecimal text outside the lake.", **options)


def run_id(**options: Any) -> dy.String:
    """Where the row comes from."""
    return dy.String(description="Dagster run that wrote the row.", **options)

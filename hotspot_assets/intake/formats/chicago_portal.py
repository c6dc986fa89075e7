"""Chicago's open-data export of reported crimes, in both of its header layouts.

Times are local, on a 12-hour clock. Rows are keyed by `ID`: the case number is shared by the victims of one
event. `Updated On` is stamped anew in bulk, so it tells no report date and is not read. `Domestic` is read to
exclude, and not stored; `Location Description` is read for the setting, and not stored.
"""

from __future__ import annotations

import polars as pl

from hotspot_assets.intake.formats import Format

_GROUPS = {
    "BURGLARY": "burglary",
    "ROBBERY": "robbery",
    "THEFT": "theft",
    "MOTOR VEHICLE THEFT": "vehicle_theft",
    "BATTERY": "battery",
    "ASSAULT": "assault",
    "CRIMINAL DAMAGE": "criminal_damage",
    "ARSON": "arson",
    "CRIMINAL TRESPASS": "trespass",
    "DECEPTIVE PRACTICE": "fraud",
    "HOMICIDE": "homicide",
    "KIDNAPPING": "kidnapping",
    "NARCOTICS": "drugs",
    "OTHER NARCOTIC VIOLATION": "drugs",
    "WEAPONS VIOLATION": "weapons",
    "CONCEALED CARRY LICENSE VIOLATION": "weapons",
    "PUBLIC PEACE VIOLATION": "public_order",
    "INTERFERENCE WITH PUBLIC OFFICER": "public_order",
    "LIQUOR LAW VIOLATION": "public_order",
    "GAMBLING": "gambling",
    "PROSTITUTION": "prostitution",
    "CRIM SEXUAL ASSAULT": "sexual",
    "CRIMINAL SEXUAL ASSAULT": "sexual",
    "SEX OFFENSE": "sexual",
    "OBSCENITY": "sexual",
    "PUBLIC INDECENCY": "sexual",
    "STALKING": "stalking",
    "INTIMIDATION": "stalking",
    "HUMAN TRAFFICKING": "modern_slavery",
    "OFFENSE INVOLVING CHILDREN": "children",
    "DOMESTIC VIOLENCE": "domestic",
    "RITUALISM": "other",
    "OTHER OFFENSE": "other",
    "NON-CRIMINAL": "other",
    "NON - CRIMINAL": "other",
    "NON-CRIMINAL (SUBJECT SPECIFIED)": "other",
}


_OPEN = (
    "STREET|SIDEWALK|ALLEY|PARKING|VEHICLE|CTA|PARK PROPERTY|GAS STATION|LOT|PLATFORM|BRIDGE|HIGHWAY|VACANT|YARD|LAKE|"
    "RIVER|DRIVEWAY|TAXI|BUS"
)
_HOME = "RESIDENCE|APARTMENT|RESIDENTIAL|CHA "
"""Words of a location description; those of open places go first, as in RESIDENTIAL YARD."""


def _prepared(rows: pl.DataFrame) -> pl.DataFrame:
    """Spreadsheets take the leading zero off a code; the place's description tells the setting."""
    rows = rows.with_columns(pl.col("offence_code").str.zfill(4))
    if "place" not in rows.columns:
        return rows
    place = pl.col("place").fill_null("").str.to_uppercase()
    return rows.with_columns(
        setting=pl.when(place == "")
        .then(pl.lit("unknown"))
        .when(place.str.contains(_OPEN))
        .then(pl.lit("street"))
        .when(place.str.contains(_HOME))
        .then(pl.lit("dwelling"))
        .otherwise(pl.lit("indoor"))
    )


FORMAT = Format(
    name="chicago_portal",
    source="chicago_portal",
    layouts=[
        {
            "reference": "ID",
            "offence_code": "IUCR",
            "offence_type": "Primary Type",
            "occurred_from": "Date",
            "latitude": "Latitude",
            "longitude": "Longitude",
            "domestic": "Domestic",
        }
    ],
    optional={"place": "Location Description"},
    times=["%m/%d/%Y %I:%M:%S %p"],
    zone="America/Chicago",
    offences=_GROUPS,
    location_precision="snapped",
    unplaced_at=[(36.619446395, -91.686565684)],  # where the State Plane grid has its origin, in Missouri
    prepare=_prepared,
)

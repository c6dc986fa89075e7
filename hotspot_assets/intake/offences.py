"""The common vocabulary of offences: groups, which of them are off by default, and settings.

Belongs here: the names of groups and settings, and the codes common to all. Which code of a source means which group
stands in that source's format or mapping.
"""

from __future__ import annotations

GROUPS = frozenset(
    {
        *(
            "burglary",
            "robbery",
            "theft",
            "shoplifting",
            "theft_from_person",
            "bicycle_theft",
            "vehicle_theft",
        ),
        *("theft_from_vehicle", "vehicle_crime", "violence", "battery", "assault", "homicide", "kidnapping"),
        *("criminal_damage", "arson", "trespass", "fraud", "weapons", "drugs", "public_order"),
        *("anti_social_behaviour", "gambling", "prostitution", "sexual", "violence_and_sexual", "domestic"),
        *("stalking", "modern_slavery", "children", "other"),
    }
)

UNFIT = frozenset(
    {
        *("sexual", "violence_and_sexual", "domestic", "stalking", "modern_slavery", "children"),
        *("kidnapping", "homicide", "fraud"),
    }
)
"""Not fit for place patrol, or telling of a person: off by default."""

POLICE_GENERATED = frozenset({"drugs", "weapons", "public_order", "gambling", "prostitution"})
"""Recorded where police look: off by default, because they feed loops."""

DEFAULT_EXCLUDED_GROUPS = UNFIT | POLICE_GENERATED
"""What a home leaves out unless its settings say otherwise."""

SETTINGS = ("dwelling", "indoor", "street", "unknown")
"""Where an incident happened, as the data contract says it: a home, another building, the open, or not said."""

_PLAIN_WORDS = {
    "BURGLARY RESIDENTIAL": "burglary",
    "BURGLARY DWELLING": "burglary",
    "BURGLARY NON DWELLING": "burglary",
    "BURGLARY BUSINESS AND COMMUNITY": "burglary",
    "ROBBERY PERSONAL": "robbery",
    "ROBBERY BUSINESS": "robbery",
    "MOTOR VEHICLE THEFT": "vehicle_theft",
    "THEFT OF MOTOR VEHICLE": "vehicle_theft",
    "THEFT FROM MOTOR VEHICLE": "theft_from_vehicle",
    "THEFT FROM THE PERSON": "theft_from_person",
    "ANTI SOCIAL BEHAVIOUR": "anti_social_behaviour",
}

COMMON_CODES = {**{group.replace("_", " ").upper(): group for group in GROUPS}, **_PLAIN_WORDS}
"""Offence codes in plain words, understood of any file of the delivery contract."""

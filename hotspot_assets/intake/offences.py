"""The common vocabulary of offence groups, and which of them are off by default.

Belongs here: names of groups. Which code of a source means which group stands in that source's format.
"""

from __future__ import annotations

GROUPS = frozenset(
    {
        "burglary", "robbery", "theft", "shoplifting", "theft_from_person", "bicycle_theft", "vehicle_theft",
        "theft_from_vehicle", "vehicle_crime", "violence", "battery", "assault", "homicide", "kidnapping",
        "criminal_damage", "arson", "trespass", "fraud", "weapons", "drugs", "public_order",
        "anti_social_behaviour", "gambling", "prostitution", "sexual", "violence_and_sexual", "domestic",
        "stalking", "modern_slavery", "children", "other",
    }
)  # fmt: skip

UNFIT = frozenset(
    {"sexual", "violence_and_sexual", "domestic", "stalking", "modern_slavery", "children", "kidnapping", "homicide", "fraud"}
)
"""Not fit for place patrol, or telling of a person: off by default."""

POLICE_GENERATED = frozenset({"drugs", "weapons", "public_order", "gambling", "prostitution"})
"""Recorded where police look: off by default, because they feed loops."""

DEFAULT_EXCLUDED_GROUPS = UNFIT | POLICE_GENERATED

"""Why a row is rejected, left out or marked: every code, with what to do about it.

Belongs here: codes and their meaning, once. Not here: the rules themselves (`validation`).
"""

from __future__ import annotations

REASONS: dict[str, str] = {
    "malformed_row": "Another number of fields than the header, or a stray quote: correct the export.",
    "missing_reference": "No crime reference, so that an amendment could not be told from a new incident:"
    " fill it in.",
    "ambiguous_date_format": "A date written another way than the rest, so that day and month might be"
    " swapped: export all dates the same way.",
    "bad_time": "No time of occurrence, or one that does not exist: correct it at the source.",
    "before_earliest": "Before the first day taken (1990-01-01), often a placeholder:"
    " give the real time, or leave the row out.",
    "in_future": "More than a day after the delivery: correct it at the source.",
    "unknown_offence": "An offence code without a group: add it to the mapping or the format.",
    "bad_coordinate": "A coordinate that is no number, or only one of the two: correct the export.",
    "coordinates_zero": "Coordinates 0,0, a placeholder: leave them empty where the place is not known.",
    "coordinates_swapped": "Latitude and longitude (or easting and northing) in each other's column:"
    " exchange them.",
    "outside_extent": "Outside the extent of the settings, or off the Earth, or degrees in `easting` and `northing`:"
    " check projection and extent.",
}
"""Reasons for which a row is rejected, in the order in which the rules are applied."""

MARKS: dict[str, str] = {
    "unplaced": "Without a place: kept and counted, but in no cell.",
    "coordinates_truncated": "Too few decimals for a point: precision set to snapped (100 m) or area (1 km).",
    "clock_skipped": "A wall time that the change of clocks left out: read as much later, known to the hour.",
    "clock_doubled": "A wall time that occurred twice: the first is taken, known to the hour.",
    "to_before_from": "The range ends before it begins: kept as delivered, counted at its start.",
    "occurred_to_unusable": "An end that cannot be read or lies in the future: emptied.",
    "record_time_unusable": "A time of report, recording or change that cannot be read, lies in the future,"
    " or lies more than a day before the occurrence: emptied.",
    "word_unknown": "A precision, reporter or setting not among the contract's words: area, or unknown.",
}
"""What is noted of accepted rows: none is lost, but a part of the row is not what was delivered."""

EXCLUDED_BY_FLAG = "domestic_flag"
"""Left out because a flag says domestic; rows left out by group are counted under the group's name."""

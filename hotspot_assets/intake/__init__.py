"""Intake: from the bytes of a delivered file to versions of incidents.

Belongs here: reading files (`delivery`, `reading`, `records`, `parquet`), formats and mappings, the data
contract, judging rows, comparing them with what is known (`versions`), time and place (`calendar`,
`aoristic`, `hexagons`). Not here: storage, settings, clocks and Dagster; what is known comes in and goes out
as frames.
"""

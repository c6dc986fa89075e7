"""The trial: models side by side on the same cells and the same days.

Belongs here: what a forecast caught (metrics), what it could have caught (ceilings), whether its shares
are believable (calibration), what its flagged set looks like (stability), whether a difference between
two models is more than chance (comparisons), the proposed champion and the report. Arrays and frames in,
frames and text out. Not here: making a forecast, reading tables, choosing what is issued.
"""

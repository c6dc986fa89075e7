"""From known incidents to a score per cell: kernels, the engine that sums them, models and reasons.

Belongs here: profiles and kernels, the scoring engine, the catalogue of models with their fits, explanations,
and the near-repeat diagnostic. Not here: reading and writing tables, settings, clocks, and judging forecasts
(`trial`). The room takes frames and arrays, and gives frames and arrays back.
"""

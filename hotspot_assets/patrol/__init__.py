"""Patrol: from a surface of scores to areas that people walk, and the human decision about them.

Belongs here: budgets, the construction of areas, exclusions, maps, exports, briefing sheets, review and the
import of visits. Not here: how a score comes about (`forecasting`), and who may read or store what
(`warehouse`, `workflow`).
"""

"""Dagster and nothing else, in the order in which data flows: thin assets over `workflow`.

Belongs here: asset keys, partitions, jobs, schedules, sensors, checks, and what the UI shows. Not here: SQL,
formulas, or a computation that could be wanted without Dagster.
"""

import warnings

# The few features in preview that are used are pinned and tested (see `checks` and the characterization tests).
warnings.filterwarnings("ignore", message=".*is currently in (preview|beta).*")

"""Where the warehouse and the science meet: each use of the system as one plain function.

Belongs here: reading what a computation needs, calling the science, writing the result, and saying what
happened. Dagster's assets and the command line call these and add nothing. Not here: SQL (warehouse),
formulas (the science rooms), Dagster.
"""

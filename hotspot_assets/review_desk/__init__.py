"""The review desk: a small page on this machine on which people decide about lists of patrol areas.

Belongs here: the web. Not here: rules, transactions and runs: every act on the page is a run of the jobs in
`defs.reviews`, as it would be from Dagster's launchpad.
"""

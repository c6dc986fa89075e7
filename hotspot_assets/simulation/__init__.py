"""A fictional city with a known truth: for newcomers to try, and for tests to hold the science against.

Belongs here: places, processes and files that are invented. Everything is seeded; nothing here reads a real
incident. Not here: anything that a real home would run on.
"""

"""Benchmarks: how near the floor the system runs, and how far ahead of the obvious ways of doing the same.

`python -m benchmarks` runs them all on the fictional city and writes `README.md` here. They live outside the
package: peers are no dependencies of the system.
"""

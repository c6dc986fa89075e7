"""The ground: hexagonal cells, the study areas they make up, their neighbours and the units they lie in.

Belongs here: H3 and boundaries. Every other room may use it. Not here: anything about incidents or scores.
"""

"""Evidence: what outputs must be able to prove.

Belongs here: the ledger's format and its stand-alone verifier. Not here: writing to it (warehouse).
"""

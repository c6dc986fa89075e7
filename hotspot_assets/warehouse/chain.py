"""Writing to the ledger: inside the transaction of what an entry records, or not at all."""

from __future__ import annotations

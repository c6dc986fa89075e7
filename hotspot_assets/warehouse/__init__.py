"""The only rooms that know DuckDB: connection, tables, transactions, point-in-time reads, ledger writes."""

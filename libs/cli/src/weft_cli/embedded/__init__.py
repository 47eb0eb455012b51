"""Everything in one process: lock, PostgreSQL, in-process infrastructure, one port."""

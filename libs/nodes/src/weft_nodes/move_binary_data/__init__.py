"""Move Binary Data."""

"""Microsoft SQL."""

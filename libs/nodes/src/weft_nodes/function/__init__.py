"""Function."""

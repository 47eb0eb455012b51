"""Data Table."""

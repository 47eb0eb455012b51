"""Rename Keys."""

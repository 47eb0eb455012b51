"""Execution Data."""

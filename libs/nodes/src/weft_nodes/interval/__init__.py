"""Interval."""

"""Limit."""

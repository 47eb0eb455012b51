"""Summarize."""

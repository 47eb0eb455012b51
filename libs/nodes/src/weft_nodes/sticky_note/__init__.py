"""Sticky Note."""

"""Function Item."""

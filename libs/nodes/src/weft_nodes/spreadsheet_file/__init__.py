"""Spreadsheet File."""

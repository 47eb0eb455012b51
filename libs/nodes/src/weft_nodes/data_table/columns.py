"""Columns that every data table has."""

from typing import Final

SYSTEM: Final = {"id": "number", "createdAt": "date", "updatedAt": "date"}
"""Set by the table itself."""

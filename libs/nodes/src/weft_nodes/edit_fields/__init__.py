"""Edit Fields."""

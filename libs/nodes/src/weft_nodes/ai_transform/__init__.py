"""AI Transform."""

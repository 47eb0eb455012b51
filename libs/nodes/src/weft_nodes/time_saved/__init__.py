"""Time Saved."""

"""Debug Helper."""

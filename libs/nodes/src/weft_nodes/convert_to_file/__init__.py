"""Convert to File."""

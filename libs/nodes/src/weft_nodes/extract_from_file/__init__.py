"""Extract from File."""

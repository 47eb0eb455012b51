"""HTML Extract."""

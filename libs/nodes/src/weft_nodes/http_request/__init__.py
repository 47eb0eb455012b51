"""HTTP Request."""

"""n8n's public API."""

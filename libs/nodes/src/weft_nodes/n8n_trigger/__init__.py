"""n8n Trigger."""

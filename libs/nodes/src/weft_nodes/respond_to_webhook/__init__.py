"""Respond to Webhook."""

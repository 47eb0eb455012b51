"""Starts whole installations and speaks to them as users do: REST, webhooks, WebSocket."""

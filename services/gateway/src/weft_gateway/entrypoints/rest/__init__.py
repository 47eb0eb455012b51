"""The REST API `/api/v1`, one module a group of endpoints."""

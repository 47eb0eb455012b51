"""n8n's public API, version 1, for scripts and nodes that speak it: what comes with `X-N8N-API-KEY`."""

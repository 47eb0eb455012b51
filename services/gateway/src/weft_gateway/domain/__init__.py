"""The gateway decides nothing about workflows or executions; it has no domain of its own."""

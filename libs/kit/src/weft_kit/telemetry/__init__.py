"""Logs, metrics, traces. Each costs nothing until it is asked for."""

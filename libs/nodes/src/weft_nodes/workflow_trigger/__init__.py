"""Workflow Trigger."""

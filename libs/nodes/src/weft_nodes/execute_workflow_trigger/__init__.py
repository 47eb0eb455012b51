"""When Called by Another Workflow."""

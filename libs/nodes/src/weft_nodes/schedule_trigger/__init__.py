"""Schedule Trigger."""

"""Manual Trigger."""

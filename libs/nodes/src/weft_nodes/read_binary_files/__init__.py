"""Read Binary Files."""

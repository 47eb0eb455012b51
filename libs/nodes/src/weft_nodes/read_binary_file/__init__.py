"""Read Binary File."""

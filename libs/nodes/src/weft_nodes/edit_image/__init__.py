"""Edit Image."""

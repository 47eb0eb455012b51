"""Stop and Error."""

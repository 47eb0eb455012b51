"""What changes something: one handler for each command."""

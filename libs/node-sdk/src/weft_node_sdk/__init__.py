"""What a node author needs, and nothing else."""

"""The `weft` command, and the composition of all eight services in one process."""

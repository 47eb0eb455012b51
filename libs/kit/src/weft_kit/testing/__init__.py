"""Real servers for tests and for the distributed form on one machine."""

"""For tests of nodes: a run context without a runner, and the standards that every node must meet."""

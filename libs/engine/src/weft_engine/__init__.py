"""The workflow graph and the execution state machine, as pure code."""

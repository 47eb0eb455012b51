"""`python -m weft_node_runner`: this service as a process of its own."""

from weft_kit.runtime import main

main("node-runner")

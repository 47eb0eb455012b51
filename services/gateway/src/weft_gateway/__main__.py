"""`python -m weft_gateway`: the gateway as a process of its own."""

from weft_kit.runtime import main

main("gateway")

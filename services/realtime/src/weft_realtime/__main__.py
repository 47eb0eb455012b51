"""`python -m weft_realtime`: this service as a process of its own."""

from weft_kit.runtime import main

main("realtime")

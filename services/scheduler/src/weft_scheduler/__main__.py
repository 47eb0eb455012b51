"""`python -m weft_scheduler`: this service as a process of its own."""

from weft_kit.runtime import main

main("scheduler")

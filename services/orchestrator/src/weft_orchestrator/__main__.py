"""`python -m weft_orchestrator`: this service as a process of its own."""

from weft_kit.runtime import main

main("orchestrator")

"""`python -m weft_workflow_store`: this service as a process of its own."""

from weft_kit.runtime import main

main("workflow-store")

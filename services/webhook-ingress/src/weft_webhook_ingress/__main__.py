"""`python -m weft_webhook_ingress`: this service as a process of its own."""

from weft_kit.runtime import main

main("webhook-ingress")

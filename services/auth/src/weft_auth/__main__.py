"""`python -m weft_auth`: auth as a process of its own."""

from weft_kit.runtime import main

main("auth")

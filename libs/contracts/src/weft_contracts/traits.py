"""What engine and orchestrator need to know of a node's type; derived from its definition, never from its code."""

from typing import Literal

import msgspec


class Traits(msgspec.Struct, frozen=True, omit_defaults=True):
    """Scheduling facts of one node in one workflow (they may depend on its parameters).

    `idempotency`: safe (may run again freely), keyed (again with the same idempotency key), unsafe (never twice).
    `suspends`: it may give up its slot (Wait, sub-workflow), so it only ever starts a segment.
    `inputs`: number of main inputs; a node with more than one waits for all that can still bring data.
    `waits_for_all`: it does not run at all unless every connected input brought data.
    """

    known: bool = True
    trigger: bool = False
    pool: str = "default"
    idempotency: Literal["safe", "keyed", "unsafe"] = "safe"
    suspends: bool = False
    inputs: int = 1
    outputs: int = 1
    waits_for_all: bool = False
    loops: bool = False
    """Loop Over Items: a connection back to it continues its state instead of starting anew."""
    responds: bool = False
    """It may answer the webhook's caller (Respond to Webhook)."""


UNKNOWN = Traits(known=False)

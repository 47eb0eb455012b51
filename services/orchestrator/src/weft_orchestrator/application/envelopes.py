"""Messages of the orchestrator's own."""

from weft_contracts.ids import new_id
from weft_contracts.messages import Envelope, Message

from weft_orchestrator.application.clock import now_us


def envelope(body: Message, key: str, tenant: str = "") -> Envelope:
    return Envelope(new_id(), body, key, tenant, now_us())

"""Auth's events, in the transaction that they tell of."""

from collections.abc import Callable

from sqlalchemy.ext.asyncio import AsyncConnection
from weft_contracts import topics
from weft_contracts.ids import new_id
from weft_contracts.messages import AuditRecorded, Envelope, IdentityChanged
from weft_kit.outbox import Outbox as Relay


class BoundOutbox:
    """Implements Outbox of the ports, for one transaction."""

    def __init__(self, relay: Relay, connection: AsyncConnection) -> None:
        self._relay = relay
        self._connection = connection

    async def identity(self, event: IdentityChanged) -> None:
        envelope = Envelope(new_id(), event, event.user_id, event.project_id)
        await self._relay.stage(self._connection, topics.IDENTITY_EVENTS, envelope)

    async def audit(self, event: AuditRecorded) -> None:
        envelope = Envelope(new_id(), event, event.object_id, event.project_id)
        await self._relay.stage(self._connection, topics.AUDIT_EVENTS, envelope)


def bound(relay: Relay) -> Callable[[AsyncConnection], BoundOutbox]:
    return lambda connection: BoundOutbox(relay, connection)

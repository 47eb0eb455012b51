"""The durable bus: two verbs, and two ways to listen.

`submit` is for what comes from outside a run: its future is done when the message cannot be lost any more
(Kafka: acknowledged by all replicas; in one process: the receiver has committed its effect, or for event
subscribers: every group's handler has returned). Back-pressure acts here alone: a full bus makes it wait, then
raise UNAVAILABLE. `send` is for tasks, results and events: buffered, never refused, repaired by its owner from
tables. No handler may await `submit`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple, Protocol

from weft_contracts.messages import Envelope


class Received(NamedTuple):
    """One message of a partition. `envelope` is None where its bytes could not be decoded: `error` says why
    and names the letter as which the adapter has put it on the dead-letter topic, `key` still names what it was
    about. `size`: bytes that it takes in memory, roughly."""

    topic: str
    partition: int
    offset: int
    key: str
    envelope: Envelope | None
    error: str = ""
    size: int = 0


Handler = Callable[[Envelope], Awaitable[None]]


class PartitionReader(Protocol):
    """Reads partitions by assignment. The reader's owner keeps the positions, in its own transaction."""

    async def assign(self, positions: Mapping[tuple[str, int], int | None]) -> None:
        """Replaces the assignment. Keys are (topic, partition); a position is the next offset to read, None the end
        of the partition as it is now. Partitions that stay keep what the reader already had of them."""

    async def fetch(self, limit: int = 1000) -> list[Received]:
        """Waits for at least one message; at most `limit`, in order within each partition."""

    def commit(self, topic: str, partition: int, position: int) -> None:
        """Everything before `position` has taken effect durably. Releases submitters and memory; lag metrics."""

    async def end(self, topic: str, partition: int) -> int:
        """The offset that the next message of the partition will get."""

    async def close(self) -> None: ...


class EventBus(Protocol):
    """The durable port. Partition: explicit, else hashed from the envelope's key."""

    def submit(self, topic: str, envelope: Envelope, partition: int | None = None) -> asyncio.Future[None]:
        """See the module. The future raises WeftError UNAVAILABLE where the bus is full or out of reach."""

    def send(self, topic: str, envelope: Envelope, partition: int | None = None) -> None:
        """Buffers and returns at once."""

    def reader(self) -> PartitionReader: ...

    def subscribe(self, topic: str, handler: Handler, group: str | None) -> None:
        """Before `start`. With a group each message goes to one member, at least once, retried five times with
        back-off and then dead-lettered. Without: to every instance, from now on, at most once."""

    async def dead_letter(self, topic: str, envelope: Envelope, error: str) -> str:
        """Puts a message that cannot be handled on the dead-letter topic; returns the letter's id."""

    async def start(self) -> None: ...

    async def stop(self) -> None:
        """Flushes what was sent."""

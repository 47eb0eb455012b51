"""Partitions read by assignment; who reads keeps the positions."""

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import Mapping
from itertools import islice
from typing import Any, Final

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError
from weft_contracts import wire
from weft_contracts.errors import ErrorCode, WeftError

from weft_kit.bus import Received
from weft_kit.bus.kafka_link import Key, Link
from weft_kit.bus.kafka_logs import close
from weft_kit.tasks import end
from weft_kit.telemetry.logs import fields

log = logging.getLogger("weft.bus")

REST_SECONDS: Final = 20e-6
"""Rest between fetches, per partition: the library names each in every request and answer, which costs some ten
microseconds. So fetching takes a third of a core at most, and a message after a quiet moment waits for nothing."""
COMMIT_SECONDS: Final = 1.0


class KafkaReader:
    """Implements PartitionReader. `commit` serves Kafka's lag metrics; nothing is ever read back from there.
    `rest`: seconds between fetches at least."""

    def __init__(self, link: Link, group: str | None, reset: str = "earliest", rest: float = 0.0) -> None:
        self._link = link
        self._group = group
        self._reset = reset
        self._consumer: Any = None
        self._next: dict[Key, int] = {}
        self._assigned = asyncio.Event()
        self._records: deque[Any] = deque()
        self._generation = 0
        self._lock = asyncio.Lock()
        self._commits: dict[Key, int] = {}
        self._committing: asyncio.Task[None] | None = None
        self._rest = rest
        self._rests_until = 0.0

    async def assign(self, positions: Mapping[Key, int | None]) -> None:
        """Raises UNAVAILABLE; then nothing has changed."""
        async with self._lock:
            fresh = {key: position for key, position in positions.items() if key not in self._next}
            ends = await self._link.ends(key for key, position in fresh.items() if position is None)
            if self._consumer is None and positions:
                self._consumer = await self._connect()
            # No await from here on: nothing may be fetched between the choice of the positions and their use.
            kept = {key: position for key, position in self._next.items() if key in positions}
            self._next = kept | {
                key: ends[key] if position is None else position for key, position in fresh.items()
            }
            self._apply()

    def _apply(self) -> None:
        self._generation += 1
        self._records.clear()
        if not self._next:
            self._assigned.clear()
            if self._consumer is not None:
                self._consumer.unsubscribe()
            return
        self._consumer.assign([TopicPartition(*key) for key in self._next])
        for key, position in self._next.items():
            self._consumer.seek(TopicPartition(*key), position)
        self._assigned.set()

    async def _connect(self) -> Any:
        consumer = self._link.consumer(self._group, self._reset)
        try:
            await consumer.start()
        except BaseException as error:
            await close(consumer)
            if isinstance(error, KafkaError | OSError | TimeoutError):
                raise WeftError(ErrorCode.UNAVAILABLE, f"Kafka is out of reach: {error!r}") from error
            raise
        return consumer

    async def fetch(self, limit: int = 1000) -> list[Received]:
        while True:
            await self._assigned.wait()
            if not self._records:
                await self._poll(limit)
            generation = self._generation
            found: list[Received] = []
            for record in list(islice(self._records, limit)):
                try:
                    envelope = wire.decode(record.value)
                except Exception as error:  # noqa: BLE001 - whatever its bytes did
                    found.append(await self._unreadable(record, error))
                    if generation != self._generation:
                        break
                else:
                    key, size = _key(record), len(record.value)
                    found.append(
                        Received(record.topic, record.partition, record.offset, key, envelope, size=size)
                    )
            if generation != self._generation:
                continue  # what this call had taken is read again, by the new assignment
            for received in found:
                self._records.popleft()
                self._next[received.topic, received.partition] = received.offset + 1
            if found:
                return found

    async def _poll(self, limit: int) -> None:
        rest = self._rests_until - time.monotonic()
        if rest > 0:
            await asyncio.sleep(rest)
        try:
            batches = await self._consumer.getmany(timeout_ms=60_000, max_records=limit)
        except KafkaError as error:
            log.warning("reading from Kafka failed: %r", error)
            await asyncio.sleep(0.5)
            await self._reconnect()
            return
        # It gives only what the assignment of this moment asks for, even where that changed while it waited.
        for records in batches.values():
            self._records.extend(records)
        self._rests_until = time.monotonic() + max(self._rest, REST_SECONDS * len(self._next))

    async def _unreadable(self, record: Any, error: Exception) -> Received:
        reason = f"{type(error).__name__}: {error}"
        letter = await self._link.bury_surely(record, reason) if self._group is not None else ""
        log.error("a message of %s can't be read: %s", record.topic, reason, extra=fields(letter=letter))
        told = f"dead letter {letter}: {reason}" if letter else reason
        return Received(record.topic, record.partition, record.offset, _key(record), None, told)

    async def _reconnect(self) -> None:
        """A consumer whose fetcher has died does not come back."""
        async with self._lock:
            if self._consumer is None:
                return
            await close(self._consumer)
            while True:
                try:
                    self._consumer = await self._connect()
                    break
                except WeftError:
                    await asyncio.sleep(1)
            self._apply()

    def commit(self, topic: str, partition: int, position: int) -> None:
        if self._group is None:
            return
        self._commits[topic, partition] = position
        if self._committing is None:
            self._committing = asyncio.create_task(self._commit_later())

    async def _commit_later(self) -> None:
        await asyncio.sleep(COMMIT_SECONDS)
        await self._commit_now()
        self._committing = asyncio.create_task(self._commit_later()) if self._commits else None

    async def _commit_now(self) -> None:
        positions = {TopicPartition(*key): at for key, at in self._commits.items() if key in self._next}
        self._commits.clear()
        if positions and self._consumer is not None:
            try:
                await self._consumer.commit(positions)
            except (KafkaError, OSError) as error:
                log.debug("positions are not in Kafka's metrics: %r", error)

    async def end(self, topic: str, partition: int) -> int:
        return (await self._link.ends([(topic, partition)]))[topic, partition]

    async def close(self) -> None:
        self._assigned.clear()
        self._generation += 1
        committing, self._committing = self._committing, None
        await end(committing)
        if self._consumer is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(2):
                    await self._commit_now()
            consumer, self._consumer = self._consumer, None
            await close(consumer)
        self._next.clear()


def _key(record: Any) -> str:
    return (record.key or b"").decode(errors="replace")

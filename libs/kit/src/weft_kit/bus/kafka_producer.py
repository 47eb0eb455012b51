"""What goes out to Kafka: one idempotent producer, and a queue before it that never refuses what is sent."""

import asyncio
import contextlib
import logging
import time
import zlib
from collections import deque
from collections.abc import Iterable
from typing import Any, Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError, KafkaError, KafkaTimeoutError, MessageSizeTooLargeError
from weft_contracts import wire
from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.messages import Envelope

from weft_kit.bus.kafka_logs import close
from weft_kit.bus.kafka_topics import MAX_MESSAGE, REQUEST_MS
from weft_kit.tasks import end

log = logging.getLogger("weft.bus")

MAX_SUBMITTED: Final = 20_000
MAX_SUBMITTED_BYTES: Final = 128 * 1024 * 1024
"""Submitted and not acknowledged; beyond, `submit` waits."""
MAX_BUFFERED: Final = 200_000
MAX_BUFFERED_BYTES: Final = 256 * 1024 * 1024
"""Sent and not acknowledged, the broker being away; beyond, what is sent is lost."""
PATIENCE: Final = 5.0
"""Seconds until a submitted message that is not acknowledged is given up."""
STOP_SECONDS: Final = 3.0

Headers = list[tuple[str, bytes]]


class Entry:
    """`done` None: nobody waits for the acknowledgement. `deadline`: of the monotonic clock."""

    __slots__ = ("deadline", "done", "headers", "key", "partition", "size", "topic", "value")

    def __init__(
        self,
        topic: str,
        partition: int | None,
        key: bytes | None,
        value: bytes,
        headers: Headers,
        done: "asyncio.Future[None] | None",
    ) -> None:
        self.topic = topic
        self.partition = partition
        self.key = key
        self.value = value
        self.headers = headers
        self.done = done
        self.size = len(value) + 500
        self.deadline = time.monotonic() + PATIENCE

    @property
    def abandoned(self) -> bool:
        return self.done is not None and self.done.done()


class Outgoing:
    """A queue and one task that feeds the producer from it, so that no message needs a task."""

    def __init__(self, brokers: str, client: str, topics: Iterable[str]) -> None:
        self._brokers = brokers
        self._client = client
        self._topics = tuple(topics)
        self._producer: Any = None
        self._queue: deque[Entry] = deque()
        self._filled = asyncio.Event()
        self._pump: asyncio.Task[None] | None = None
        self._waiting: deque[Entry] = deque()
        self._held: deque[Entry] = deque()
        self._submitted = 0
        self._submitted_bytes = 0
        self._buffered = 0
        self._buffered_bytes = 0
        self._ticking = False
        self._broken = False
        self._lost = 0

    # --- taking in

    def submit(self, entry: Entry) -> None:
        self._waiting.append(entry)
        if not self._ticking:
            self._ticking = True
            asyncio.get_running_loop().call_later(PATIENCE / 20, self._tick)
        if self._held or self._full:
            self._held.append(entry)
        else:
            self._admit(entry)

    @property
    def _full(self) -> bool:
        return self._submitted >= MAX_SUBMITTED or self._submitted_bytes >= MAX_SUBMITTED_BYTES

    def _admit(self, entry: Entry) -> None:
        self._submitted += 1
        self._submitted_bytes += entry.size
        self._enqueue(entry)

    def send(self, entry: Entry) -> None:
        if self._buffered >= MAX_BUFFERED or self._buffered_bytes >= MAX_BUFFERED_BYTES:
            self._lose(entry, "too much waits for the broker")
            return
        self._buffered += 1
        self._buffered_bytes += entry.size
        self._enqueue(entry)

    def _enqueue(self, entry: Entry) -> None:
        self._queue.append(entry)
        self._filled.set()

    def _tick(self) -> None:
        """Gives up what has waited too long. All have the same patience, so the first one is the oldest."""
        now = time.monotonic()
        waiting = self._waiting
        while waiting and (waiting[0].abandoned or waiting[0].deadline <= now):
            entry = waiting.popleft()
            if entry.done is not None and not entry.done.done():
                busy = "Weft is busy: its message broker takes nothing in. Try again in a moment."
                entry.done.set_exception(WeftError(ErrorCode.UNAVAILABLE, busy, retry_after=1))
        while self._held and self._held[0].abandoned:
            self._held.popleft()
        self._ticking = bool(waiting)
        if waiting:
            asyncio.get_running_loop().call_later(PATIENCE / 20, self._tick)

    # --- giving out

    async def start(self) -> None:
        self._producer = await self._connect()
        self._pump = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Flushes."""
        if self._pump is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(STOP_SECONDS):
                    while self._submitted or self._buffered:  # noqa: ASYNC110 - only once, at the end
                        await asyncio.sleep(0.005)
            await end(self._pump)
            self._pump = None
        if self._producer is not None:
            await close(self._producer)
            self._producer = None

    async def partitions(self, topic: str) -> set[int]:
        found: set[int] = await self._producer.partitions_for(topic)
        return found

    async def _connect(self) -> Any:
        producer = AIOKafkaProducer(
            bootstrap_servers=self._brokers,
            client_id=self._client,
            acks="all",
            enable_idempotence=True,
            linger_ms=0,  # what comes while a request is under way makes the next batch
            max_batch_size=256 * 1024,
            max_request_size=MAX_MESSAGE,
            request_timeout_ms=REQUEST_MS,
        )
        try:
            await producer.start()
            # else the first message to each topic would wait for its leaders
            await producer.client.set_topics(self._topics)
        except BaseException:
            await close(producer)
            raise
        return producer

    async def _run(self) -> None:
        while True:
            await self._filled.wait()
            self._filled.clear()
            while self._queue:
                try:
                    if self._broken:
                        await self._renew()
                    await self._give(self._queue[0])
                except MessageSizeTooLargeError as error:
                    self._finish(self._queue.popleft(), error)
                except Exception as error:  # noqa: BLE001 - nothing may end the only task that sends
                    log.warning("messages wait for Kafka: %r", error)
                    if (
                        isinstance(error, KafkaError)
                        and not error.retriable
                        and not isinstance(error, KafkaTimeoutError)
                    ):
                        self._broken = True
                    await asyncio.sleep(0.2)

    async def _give(self, entry: Entry) -> None:
        """Returns once the producer has it, which is at once but where its batch is full."""
        if entry.abandoned:
            self._queue.popleft()
            self._finish(entry, None)
            return
        partition = entry.partition
        if partition is None:
            count = len(await self._producer.partitions_for(entry.topic))
            partition = zlib.crc32(entry.key or b"") % count
        future = await self._producer.send(
            entry.topic, entry.value, key=entry.key, partition=partition, headers=entry.headers
        )
        self._queue.popleft()
        future.add_done_callback(lambda sent: self._sent(entry, sent))

    def _sent(self, entry: Entry, sent: "asyncio.Future[Any]") -> None:
        error = None if sent.cancelled() else sent.exception()
        if error is not None and not getattr(error, "retriable", False):
            # The broker and the producer no longer agree on the sequence; a new producer begins a new one.
            self._broken = True
        self._finish(entry, KafkaConnectionError("cancelled") if sent.cancelled() else error)

    def _finish(self, entry: Entry, error: BaseException | None) -> None:
        if entry.done is None:
            self._buffered -= 1
            self._buffered_bytes -= entry.size
            if error is not None:
                self._lose(entry, repr(error))
            return
        self._submitted -= 1
        self._submitted_bytes -= entry.size
        while self._held and not self._full:
            held = self._held.popleft()
            if not held.abandoned:
                self._admit(held)
        if entry.done.done():
            return
        if error is None:
            entry.done.set_result(None)
        elif isinstance(error, MessageSizeTooLargeError):
            message = f"The message is larger than {MAX_MESSAGE} bytes."
            entry.done.set_exception(WeftError(ErrorCode.TOO_LARGE, message))
        else:
            entry.done.set_exception(
                WeftError(
                    ErrorCode.UNAVAILABLE, f"The message broker did not take it: {error!r}", retry_after=1
                )
            )

    def _lose(self, entry: Entry, reason: str) -> None:
        self._lost += 1
        if self._lost & (self._lost - 1) == 0:  # the first, second, fourth, … of a flood
            log.error("a message of %s is lost (%d so far): %s", entry.topic, self._lost, reason)

    async def _renew(self) -> None:
        log.warning("a new producer takes over from one that Kafka refuses")
        fresh = await self._connect()
        old, self._producer, self._broken = self._producer, fresh, False
        await close(old)


def encoded(envelope: Envelope) -> tuple[bytes, bytes, Headers]:
    """Key, value and headers."""
    kind, version = _kind(type(envelope.body))
    headers = [("id", envelope.id.encode()), ("type", kind), ("version", version)]
    if envelope.traceparent:
        headers.append(("traceparent", envelope.traceparent.encode()))
    return envelope.key.encode(), wire.encode(envelope), headers


_KINDS: dict[type, tuple[bytes, bytes]] = {}


def _kind(body: type) -> tuple[bytes, bytes]:
    """`execution.start.v1` as type and version."""
    found = _KINDS.get(body)
    if found is None:
        name, _, version = str(body.__struct_config__.tag).rpartition(".v")  # type: ignore[attr-defined]
        found = _KINDS[body] = name.encode(), version.encode()
    return found

"""The bus between processes: Kafka by aiokafka. Why not FastStream: docs/decisions/0004.

One idempotent producer with `acks=all` takes everything out, in the order of the calls. Readers assign themselves
partitions and keep the positions in tables; groups are Kafka's; listeners without a group read every partition from its
end. A broker that is gone is waited for: only `submit` and `start` say so, with UNAVAILABLE.
"""

import asyncio
import contextlib
import logging
import time
import zlib
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaConnectionError, KafkaError, KafkaTimeoutError, MessageSizeTooLargeError
from weft_contracts import topics, wire
from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.ids import SHARDS, new_id
from weft_contracts.messages import Envelope

from weft_kit.bus import Handler, Received
from weft_kit.tasks import end
from weft_kit.telemetry.logs import fields

log = logging.getLogger("weft.bus")

MAX_SUBMITTED: Final = 20_000
MAX_SUBMITTED_BYTES: Final = 128 * 1024 * 1024
"""Submitted and not acknowledged; beyond, `submit` waits."""
MAX_BUFFERED: Final = 200_000
MAX_BUFFERED_BYTES: Final = 256 * 1024 * 1024
"""Sent and not acknowledged, the broker being away; beyond, what is sent is lost."""
MAX_MESSAGE: Final = 32 * 1024 * 1024
PATIENCE: Final = 5.0
"""Seconds until a submitted message that is not acknowledged is given up."""
TRIES: Final = 5
START_SECONDS: Final = 30.0
STOP_SECONDS: Final = 3.0
CLOSE_SECONDS: Final = 1.5
REQUEST_MS: Final = 10_000
FETCH_WAIT_MS: Final = 100
"""How long the broker holds a fetch that finds nothing. A message ends the wait at once; a new assignment has to wait
for it, and each fetch costs CPU in proportion to the partitions."""
REST_SECONDS: Final = 40e-6
"""Rest between fetches, per partition: each is named in every request and answer, for some ten microseconds. So all of
128 partitions' fetching takes at most a quarter of a core, and a message after a quiet moment waits for nothing."""
COMMIT_SECONDS: Final = 1.0
LISTENER_QUEUE: Final = 20_000
HOUR_MS: Final = 3_600_000

_SHARDED: Final = (topics.EXECUTION_COMMANDS, topics.NODE_RESULTS, topics.EXECUTION_EVENTS)
_KEYED: Final = (
    topics.RUNNER_HEARTBEATS,
    topics.WORKFLOW_EVENTS,
    topics.CREDENTIAL_EVENTS,
    topics.IDENTITY_EVENTS,
    topics.AUDIT_EVENTS,
)
TOPICS: Final[Mapping[str, int]] = {
    **dict.fromkeys(_SHARDED, SHARDS),
    **{topics.node_tasks(pool): topics.RUNNER_PARTITIONS for pool in topics.POOLS},
    topics.RUNNER_CONTROL: topics.RUNNER_PARTITIONS,
    **dict.fromkeys(_KEYED, 8),
}
"""Topic to its number of partitions. Each has a dead-letter topic of one partition, which keeps the letters' order."""

_RETENTION_MS: Final[Mapping[str, int]] = {
    topics.RUNNER_HEARTBEATS: HOUR_MS,
    topics.RUNNER_CONTROL: HOUR_MS,
    topics.NODE_RESULTS: 24 * HOUR_MS,
    **{topics.node_tasks(pool): 24 * HOUR_MS for pool in topics.POOLS},
}
_LONGEST_MS: Final = 7 * 24 * HOUR_MS
_LETTERS_MS: Final = 30 * 24 * HOUR_MS

Key = tuple[str, int]
"""Topic and partition."""
Headers = list[tuple[str, bytes]]


class KafkaBus:
    """Implements EventBus. `brokers`: host:port, several with commas. `instance`: `<service>-<id>`; readers commit
    their positions under the group `<service>.reader`. `topic_partitions`: what `start` makes where it is missing."""

    def __init__(
        self, brokers: str, instance: str, topic_partitions: Mapping[str, int] | None = None
    ) -> None:
        self._brokers = brokers
        self._client = instance
        self._group = f"{instance[: -len(new_id()) - 1] or instance}.reader"
        self._topics = TOPICS if topic_partitions is None else topic_partitions
        self._out = _Outgoing(brokers, instance, self._topics)
        self._offsets: Any = None
        self._groups: dict[str, _Group] = {}
        self._listeners = _Listeners(self)
        _silence_repetitions()

    def submit(self, topic: str, envelope: Envelope, partition: int | None = None) -> asyncio.Future[None]:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._out.submit(_Entry(topic, partition, *_encoded(envelope), done))
        return done

    def send(self, topic: str, envelope: Envelope, partition: int | None = None) -> None:
        self._out.send(_Entry(topic, partition, *_encoded(envelope), None))

    def reader(self) -> "KafkaReader":
        return KafkaReader(self, self._group)

    def subscribe(self, topic: str, handler: Handler, group: str | None) -> None:
        if group is None:
            self._listeners.add(topic, handler)
        else:
            self._groups.setdefault(group, _Group(self, group)).add(topic, handler)

    async def dead_letter(self, topic: str, envelope: Envelope, error: str) -> str:
        key, value, headers = _encoded(envelope)
        return await self.bury(topic, key, value, headers, error)

    async def bury(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        headers: Iterable[tuple[str, bytes]],
        error: str,
    ) -> str:
        """Puts the bytes of a message on the dead-letter topic; the letter's id once it is acknowledged."""
        letter = new_id()
        more = [("letter", letter.encode()), ("topic", topic.encode()), ("error", error.encode()[:4000])]
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        target = topics.dead_letters(topic)
        self._out.submit(_Entry(target, 0, key, value or b"", [*headers, *more], done))
        await done
        return letter

    async def bury_surely(self, record: Any, error: str) -> str:
        """As `bury`, until it succeeds: a reader may not pass what it has not put away."""
        while True:
            try:
                return await self.bury(record.topic, record.key, record.value, record.headers, error)
            except WeftError as failure:
                log.warning("a dead letter of %s can't be written: %s", record.topic, failure)
                await asyncio.sleep(1)

    async def start(self) -> None:
        """Makes missing topics, connects, joins. Raises UNAVAILABLE where no broker can be reached."""
        try:
            async with asyncio.timeout(START_SECONDS):
                await _make_topics(self._brokers, self._client, self._topics)
                await self._out.start()
                self._offsets = self.consumer()
                await self._offsets.start()
                await self._listeners.start()
                for group in self._groups.values():
                    await group.start()
        except BaseException as error:
            await self.stop()
            if isinstance(error, KafkaError | OSError | TimeoutError):
                raise WeftError(
                    ErrorCode.UNAVAILABLE, f"Kafka at {self._brokers} is out of reach: {error!r}"
                ) from error
            raise

    async def stop(self) -> None:
        await asyncio.gather(*[group.stop() for group in self._groups.values()], self._listeners.stop())
        offsets, self._offsets = self._offsets, None
        await asyncio.gather(self._out.stop(), *([_close(offsets)] if offsets is not None else []))

    def consumer(self, group: str | None = None, reset: str = "earliest") -> Any:
        """Not started. `reset`: where it goes on when its position is not in the log."""
        return AIOKafkaConsumer(
            bootstrap_servers=self._brokers,
            client_id=self._client,
            group_id=group,
            enable_auto_commit=False,
            auto_offset_reset=reset,
            fetch_min_bytes=1,
            fetch_max_wait_ms=FETCH_WAIT_MS,
            fetch_max_bytes=2 * MAX_MESSAGE,
            request_timeout_ms=REQUEST_MS,
            # A rebalance must not take longer than a request for it may.
            rebalance_timeout_ms=REQUEST_MS - 2000,
            session_timeout_ms=6000,
            heartbeat_interval_ms=1500,
        )

    async def ends(self, keys: Iterable[Key]) -> dict[Key, int]:
        """Raises UNAVAILABLE."""
        wanted = [TopicPartition(*key) for key in keys]
        if not wanted:
            return {}
        try:
            found = await self._offsets.end_offsets(wanted)
        except (KafkaError, OSError, TimeoutError, AttributeError) as error:
            raise WeftError(ErrorCode.UNAVAILABLE, f"Kafka is out of reach: {error!r}") from error
        return {(tp.topic, tp.partition): int(offset) for tp, offset in found.items()}

    async def partitions(self, topic: str) -> int:
        """How many the topic has."""
        return len(await self._out.partitions(topic))


# --- out ---------------------------------------------------------------------------------------------------


class _Entry:
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


class _Outgoing:
    """A queue and one task that feeds the producer from it, so that no message needs a task."""

    def __init__(self, brokers: str, client: str, topics: Iterable[str]) -> None:
        self._brokers = brokers
        self._client = client
        self._topics = tuple(topics)
        self._producer: Any = None
        self._queue: deque[_Entry] = deque()
        self._filled = asyncio.Event()
        self._pump: asyncio.Task[None] | None = None
        self._waiting: deque[_Entry] = deque()
        self._held: deque[_Entry] = deque()
        self._submitted = 0
        self._submitted_bytes = 0
        self._buffered = 0
        self._buffered_bytes = 0
        self._ticking = False
        self._broken = False
        self._lost = 0

    # --- taking in

    def submit(self, entry: _Entry) -> None:
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

    def _admit(self, entry: _Entry) -> None:
        self._submitted += 1
        self._submitted_bytes += entry.size
        self._enqueue(entry)

    def send(self, entry: _Entry) -> None:
        if self._buffered >= MAX_BUFFERED or self._buffered_bytes >= MAX_BUFFERED_BYTES:
            self._lose(entry, "too much waits for the broker")
            return
        self._buffered += 1
        self._buffered_bytes += entry.size
        self._enqueue(entry)

    def _enqueue(self, entry: _Entry) -> None:
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
            await _close(self._producer)
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
            await _close(producer)
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

    async def _give(self, entry: _Entry) -> None:
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

    def _sent(self, entry: _Entry, sent: "asyncio.Future[Any]") -> None:
        error = None if sent.cancelled() else sent.exception()
        if error is not None and not getattr(error, "retriable", False):
            # The broker and the producer no longer agree on the sequence; a new producer begins a new one.
            self._broken = True
        self._finish(entry, KafkaConnectionError("cancelled") if sent.cancelled() else error)

    def _finish(self, entry: _Entry, error: BaseException | None) -> None:
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

    def _lose(self, entry: _Entry, reason: str) -> None:
        self._lost += 1
        if self._lost & (self._lost - 1) == 0:  # the first, second, fourth, … of a flood
            log.error("a message of %s is lost (%d so far): %s", entry.topic, self._lost, reason)

    async def _renew(self) -> None:
        log.warning("a new producer takes over from one that Kafka refuses")
        fresh = await self._connect()
        old, self._producer, self._broken = self._producer, fresh, False
        await _close(old)


# --- in, by assignment ---------------------------------------------------------------------------------------


class KafkaReader:
    """Implements PartitionReader. `commit` serves Kafka's lag metrics; nothing is ever read back from there."""

    def __init__(self, bus: KafkaBus, group: str | None, reset: str = "earliest") -> None:
        self._bus = bus
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
        self._rests_until = 0.0

    async def assign(self, positions: Mapping[Key, int | None]) -> None:
        """Raises UNAVAILABLE; then nothing has changed."""
        async with self._lock:
            fresh = {key: position for key, position in positions.items() if key not in self._next}
            ends = await self._bus.ends(key for key, position in fresh.items() if position is None)
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
        consumer = self._bus.consumer(self._group, self._reset)
        try:
            await consumer.start()
        except BaseException as error:
            await _close(consumer)
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
                    found.append(
                        Received(record.topic, record.partition, record.offset, _key(record), envelope)
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
        self._rests_until = time.monotonic() + REST_SECONDS * len(self._next)

    async def _unreadable(self, record: Any, error: Exception) -> Received:
        reason = f"{type(error).__name__}: {error}"
        letter = await self._bus.bury_surely(record, reason) if self._group is not None else ""
        log.error("a message of %s can't be read: %s", record.topic, reason, extra=fields(letter=letter))
        return Received(record.topic, record.partition, record.offset, _key(record), None, reason)

    async def _reconnect(self) -> None:
        """A consumer whose fetcher has died does not come back."""
        async with self._lock:
            if self._consumer is None:
                return
            await _close(self._consumer)
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
        return (await self._bus.ends([(topic, partition)]))[topic, partition]

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
            await _close(consumer)
        self._next.clear()


# --- in, by subscription -------------------------------------------------------------------------------------


class _Group:
    """A member of a consumer group. Topics are handled side by side, the messages of one topic one by one."""

    def __init__(self, bus: KafkaBus, name: str) -> None:
        self._bus = bus
        self._name = name
        self._handlers: dict[str, list[Handler]] = {}
        self._consumer: Any = None
        self._worker: asyncio.Task[None] | None = None
        self._handling = False
        self._stopping = False

    def add(self, topic: str, handler: Handler) -> None:
        self._handlers.setdefault(topic, []).append(handler)

    async def start(self) -> None:
        self._stopping = False
        await self._connect()
        self._worker = asyncio.create_task(self._work())

    async def _connect(self) -> None:
        consumer = self._bus.consumer(self._name)
        try:
            await consumer.start()
        except BaseException:
            await _close(consumer)
            raise
        consumer.subscribe(list(self._handlers))
        self._consumer = consumer

    async def stop(self) -> None:
        """Lets the handlers of the moment end, and commits what they did."""
        self._stopping = True
        if self._worker is not None:
            if self._handling:
                await asyncio.wait((self._worker,), timeout=STOP_SECONDS)
            await end(self._worker)
            self._worker = None
        if self._consumer is not None:
            await _close(self._consumer)
            self._consumer = None

    async def _work(self) -> None:
        while not self._stopping:
            try:
                batches = await self._consumer.getmany(timeout_ms=60_000, max_records=500)
                if batches:
                    self._handling = True
                    try:
                        await self._batch(batches)
                    finally:
                        self._handling = False
            except KafkaError as error:
                log.warning("the group %s reads no more: %r", self._name, error)
                await self._reconnect()

    async def _reconnect(self) -> None:
        await _close(self._consumer)
        while True:
            await asyncio.sleep(1)
            try:
                return await self._connect()
            except (KafkaError, OSError, TimeoutError) as error:
                log.debug("the group %s is not back yet: %r", self._name, error)

    async def _batch(self, batches: Mapping[Any, Sequence[Any]]) -> None:
        done: dict[Any, int] = {}
        by_topic: dict[str, list[Any]] = {}
        for partition in batches:
            by_topic.setdefault(partition.topic, []).append(partition)

        async def one_by_one(topic: str) -> None:
            for partition in by_topic[topic]:
                for record in batches[partition]:
                    if self._stopping:
                        return
                    await self._handle(record)
                    done[partition] = record.offset + 1

        try:
            await asyncio.gather(*[one_by_one(topic) for topic in by_topic])
        finally:
            if done:
                await self._commit(done)

    async def _commit(self, done: Mapping[Any, int]) -> None:
        assigned = self._consumer.assignment()
        ours = {partition: offset for partition, offset in done.items() if partition in assigned}
        if ours:
            try:
                await self._consumer.commit(ours)
            except KafkaError as error:  # the next owner of the partition handles them again
                log.info("positions of the group %s are not committed: %r", self._name, error)

    async def _handle(self, record: Any) -> None:
        try:
            envelope = wire.decode(record.value)
        except Exception as error:
            log.exception("a message of %s can't be read", record.topic)
            await self._bus.bury_surely(record, repr(error))
            return
        for handler in self._handlers[record.topic]:
            for number in range(TRIES):
                try:
                    await handler(envelope)
                    break
                except Exception as error:
                    if number + 1 == TRIES:
                        log.exception("%s gave up a message of %s", self._name, record.topic)
                        await self._bus.bury_surely(record, repr(error))
                    else:
                        await asyncio.sleep(0.05 * 4**number)


class _Listener:
    """A handler with its own queue: a slow one holds up no other."""

    def __init__(self, topic: str, handler: Handler) -> None:
        self.topic = topic
        self._handler = handler
        self._queue: asyncio.Queue[Envelope] = asyncio.Queue(LISTENER_QUEUE)

    def put(self, envelope: Envelope) -> None:
        try:
            self._queue.put_nowait(envelope)
        except asyncio.QueueFull:
            log.error("a listener of %s is too slow and misses messages", self.topic)

    async def work(self) -> None:
        while True:
            envelope = await self._queue.get()
            try:
                await self._handler(envelope)
            except Exception:
                log.exception("a listener of %s failed", self.topic)


class _Listeners:
    """All handlers without a group, on one reader of all partitions from their ends."""

    def __init__(self, bus: KafkaBus) -> None:
        self._bus = bus
        self._reader = KafkaReader(bus, None, reset="latest")
        self._listeners: dict[str, list[_Listener]] = {}
        self._tasks: list[asyncio.Task[None]] = []

    def add(self, topic: str, handler: Handler) -> None:
        self._listeners.setdefault(topic, []).append(_Listener(topic, handler))

    async def start(self) -> None:
        if not self._listeners:
            return
        partitions = {
            (topic, n): None for topic in self._listeners for n in range(await self._bus.partitions(topic))
        }
        await self._reader.assign(partitions)
        works = [listener.work() for each in self._listeners.values() for listener in each]
        self._tasks = [asyncio.create_task(work) for work in (self._read(), *works)]

    async def stop(self) -> None:
        await end(*self._tasks)
        self._tasks.clear()
        await self._reader.close()

    async def _read(self) -> None:
        while True:
            for received in await self._reader.fetch():
                if received.envelope is not None:
                    for listener in self._listeners[received.topic]:
                        listener.put(received.envelope)


# --- helpers -------------------------------------------------------------------------------------------------


def _key(record: Any) -> str:
    return (record.key or b"").decode(errors="replace")


def _encoded(envelope: Envelope) -> tuple[bytes, bytes, Headers]:
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


async def _make_topics(brokers: str, client: str, wanted: Mapping[str, int]) -> None:
    """Those that are missing, with their dead-letter topics. Others may do the same at the same time."""
    admin = AIOKafkaAdminClient(bootstrap_servers=brokers, client_id=client, request_timeout_ms=REQUEST_MS)
    try:
        await admin.start()
        replicas = max(1, min(3, len((await admin.describe_cluster())["brokers"])))
        there = set(await admin.list_topics())
        names = {**wanted, **{topics.dead_letters(topic): 1 for topic in wanted}}
        missing = [_topic(name, count, replicas) for name, count in names.items() if name not in there]
        if not missing:
            return
        answer = await admin.create_topics(missing, timeout_ms=REQUEST_MS)
        for name, code, *reason in answer.topic_errors:
            if code not in {0, 36}:  # 36: it is there already
                raise KafkaConnectionError(f"the topic {name} can't be made: {code} {reason}")
        # the broker that answers next may not know of them yet
        while not {topic.name for topic in missing} <= set(await admin.list_topics()):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    finally:
        await admin.close()


def _topic(name: str, partitions: int, replicas: int) -> NewTopic:
    letters = name == topics.dead_letters(name.removesuffix(topics.dead_letters("")))
    retention = _LETTERS_MS if letters else _RETENTION_MS.get(name, _LONGEST_MS)
    settings = {
        "max.message.bytes": str(MAX_MESSAGE + 65_536),
        "retention.ms": str(retention),
        "min.insync.replicas": str(min(2, replicas)),
    }
    return NewTopic(name, partitions, replicas, topic_configs=settings)


async def _close(client: Any) -> None:
    """A consumer or producer, even where its broker does not answer."""
    try:
        async with asyncio.timeout(CLOSE_SECONDS):
            await client.stop()
    except Exception as error:  # noqa: BLE001 - it is over either way
        log.debug("a connection to Kafka did not close: %r", error)


class _Seldom(logging.Filter):
    """Lets each message of the library pass once in SECONDS: a lost broker is reported ten times a second."""

    SECONDS: Final = 10.0

    def __init__(self) -> None:
        super().__init__()
        self._last: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        key = (record.name, str(record.msg))
        now = time.monotonic()
        if now - self._last.get(key, -self.SECONDS) < self.SECONDS:
            return False
        self._last[key] = now
        return True


_SELDOM: Final = _Seldom()


def _silence_repetitions() -> None:
    for name in (
        "conn",
        "client",
        "cluster",
        "producer.sender",
        "consumer.fetcher",
        "consumer.group_coordinator",
    ):
        logger = logging.getLogger(f"aiokafka.{name}")
        if _SELDOM not in logger.filters:
            logger.addFilter(_SELDOM)

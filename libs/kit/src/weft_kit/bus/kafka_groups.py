"""Handlers: of a consumer group, at least once; or of this instance alone, at most once."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any, Final

from aiokafka.errors import KafkaError
from weft_contracts import wire
from weft_contracts.messages import Envelope

from weft_kit.bus import Handler
from weft_kit.bus.kafka_link import Link
from weft_kit.bus.kafka_logs import close
from weft_kit.bus.kafka_reader import KafkaReader
from weft_kit.tasks import end

log = logging.getLogger("weft.bus")

TRIES: Final = 5
STOP_SECONDS: Final = 3.0
AGAIN_SECONDS: Final = 1.0
LISTENER_QUEUE: Final = 20_000
LISTENER_REST_SECONDS: Final = 0.005
"""Listeners feed screens and caches: a tenth of what a browser may wait, for half as many fetches under load."""


class Group:
    """A member of a consumer group. Topics are handled side by side, the messages of one topic one by one."""

    def __init__(self, link: Link, name: str) -> None:
        self._link = link
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
        consumer = self._link.consumer(self._name)
        try:
            await consumer.start()
        except BaseException:
            await close(consumer)
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
            await close(self._consumer)
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
            except Exception as error:  # noqa: BLE001 - nobody else would read the group's topics again
                log.warning("the group %s reads no more: %r", self._name, error)
                await self._reconnect()

    async def _reconnect(self) -> None:
        await close(self._consumer)
        while True:
            await asyncio.sleep(AGAIN_SECONDS)
            try:
                return await self._connect()
            except Exception as error:  # noqa: BLE001 - as above
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
            await self._link.bury_surely(record, repr(error))
            return
        for handler in self._handlers[record.topic]:
            for number in range(TRIES):
                try:
                    await handler(envelope)
                    break
                except Exception as error:
                    if number + 1 == TRIES:
                        log.exception("%s gave up a message of %s", self._name, record.topic)
                        await self._link.bury_surely(record, repr(error))
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


class Listeners:
    """All handlers without a group, on one reader of all partitions from their ends."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._reader = KafkaReader(link, None, reset="latest", rest=LISTENER_REST_SECONDS)
        self._listeners: dict[str, list[_Listener]] = {}
        self._tasks: list[asyncio.Task[None]] = []

    def add(self, topic: str, handler: Handler) -> None:
        self._listeners.setdefault(topic, []).append(_Listener(topic, handler))

    async def start(self) -> None:
        if not self._listeners:
            return
        partitions = {
            (topic, n): None for topic in self._listeners for n in range(await self._link.partitions(topic))
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

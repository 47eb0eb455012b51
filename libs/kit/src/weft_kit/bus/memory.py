"""The bus inside one process: product code of the embedded form, not a test double.

Partitions are queues of what nobody has committed yet. Offsets go on from what the first owner of a partition
assigns, so that positions kept in tables rise over restarts. What is in a queue dies with the process: `submit`
has then not returned, and what was `sent` is sent again by its owner.
"""

import asyncio
import logging
import zlib
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.messages import Envelope
from weft_contracts.sizes import carried

from weft_kit.bus import Handler, Received
from weft_kit.bus.letters import Letters, partition_of
from weft_kit.crash import point

log = logging.getLogger("weft.bus")

PARTITIONS: Final = 64
MAX_MESSAGES: Final = 20_000
MAX_BYTES: Final = 128 * 1024 * 1024
"""Of one partition, uncommitted; beyond, `submit` waits."""
PATIENCE: Final = 5.0
TRIES: Final = 5
BURY_SECONDS: Final = 1.0
REPLAY_SECONDS: Final = 1.0
OVERHEAD_BYTES: Final = 1000
"""What a message takes in memory beside its items, roughly."""


class _Entry:
    __slots__ = ("done", "envelope", "size")

    def __init__(self, envelope: Envelope, size: int, done: "asyncio.Future[None] | None") -> None:
        self.envelope = envelope
        self.size = size
        self.done = done


class _Partition:
    """Entries from offset `base` on; `reader` is told when one comes."""

    __slots__ = ("assigned", "base", "entries", "key", "reader", "size", "waiting")

    def __init__(self, key: tuple[str, int]) -> None:
        self.key = key
        self.base = 0
        self.entries: deque[_Entry] = deque()
        self.size = 0
        self.waiting: deque[_Entry] = deque()
        self.reader: MemoryReader | None = None
        self.assigned = False

    @property
    def full(self) -> bool:
        return len(self.entries) >= MAX_MESSAGES or self.size >= MAX_BYTES

    @property
    def end(self) -> int:
        return self.base + len(self.entries)

    def append(self, entry: _Entry) -> None:
        self.entries.append(entry)
        self.size += entry.size
        if self.reader is not None:
            self.reader.wake(self)

    def commit(self, position: int) -> None:
        while self.entries and self.base < position:
            entry = self.entries.popleft()
            self.base += 1
            self.size -= entry.size
            if entry.done is not None and not entry.done.done():
                entry.done.set_result(None)
        while self.waiting and not self.full:
            entry = self.waiting.popleft()
            if entry.done is None or not entry.done.done():
                self.append(entry)


class MemoryReader:
    """Implements PartitionReader."""

    def __init__(self, bus: "MemoryBus") -> None:
        self._bus = bus
        self._next: dict[tuple[str, int], int] = {}
        self._fresh: dict[tuple[str, int], _Partition] = {}
        self._waiter: asyncio.Future[None] | None = None

    async def assign(self, positions: Mapping[tuple[str, int], int | None]) -> None:
        for key in self._next.keys() - positions.keys():
            partition = self._bus.partition(*key)
            if partition.reader is self:
                partition.reader = None
            del self._next[key]
            self._fresh.pop(key, None)
        for key, position in positions.items():
            if key not in self._next:
                self._take(self._bus.partition(*key), position)

    def _take(self, partition: _Partition, position: int | None) -> None:
        if not partition.assigned and position is not None:
            partition.base = position
        partition.assigned = True
        if position is None:
            position = partition.end
            partition.commit(position)
        elif position > partition.base:
            partition.commit(position)
            partition.base = max(partition.base, position)
        self._next[partition.key] = max(position, partition.base)
        partition.reader = self
        if partition.entries:
            self.wake(partition)

    def wake(self, partition: _Partition) -> None:
        self._fresh[partition.key] = partition
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def fetch(self, limit: int = 1000) -> list[Received]:
        while True:
            found = self._collect(limit)
            if found:
                return found
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter

    def _collect(self, limit: int) -> list[Received]:
        found: list[Received] = []
        for key in list(self._fresh):
            partition = self._fresh[key]
            topic, number = key
            offset = self._next[key]
            start = offset - partition.base
            entries = partition.entries
            if start == 0 and len(entries) <= limit - len(found):
                taken = list(entries)
            else:
                taken = [entries[i] for i in range(start, min(len(entries), start + limit - len(found)))]
            for entry in taken:
                key_of = entry.envelope.key
                found.append(Received(topic, number, offset, key_of, entry.envelope, size=entry.size))
                offset += 1
            self._next[key] = offset
            if offset >= partition.end:
                del self._fresh[key]
            if len(found) >= limit:
                break
        return found

    def commit(self, topic: str, partition: int, position: int) -> None:
        self._bus.partition(topic, partition).commit(position)

    async def end(self, topic: str, partition: int) -> int:
        return self._bus.partition(topic, partition).end

    async def close(self) -> None:
        await self.assign({})


class _Subscriber:
    """One group of a topic, or one broadcast listener, with its queue and its worker."""

    def __init__(self, bus: "MemoryBus", topic: str, handler: Handler, group: str | None) -> None:
        self.topic = topic
        self.handler = handler
        self.group = group
        self.bus = bus
        self.queue: deque[tuple[Envelope, asyncio.Future[None] | None]] = deque()
        self.arrived = asyncio.Event()

    def put(self, envelope: Envelope, done: "asyncio.Future[None] | None") -> None:
        self.queue.append((envelope, done))
        self.arrived.set()

    async def work(self) -> None:
        while True:
            await self.arrived.wait()
            self.arrived.clear()
            while self.queue:
                envelope, done = self.queue.popleft()
                await self._handle(envelope)
                if done is not None and not done.done():
                    done.set_result(None)

    async def _handle(self, envelope: Envelope) -> None:
        for number in range(TRIES):
            try:
                await self.handler(envelope)
            except Exception as error:
                if self.group is None:
                    log.exception("a listener of %s failed", self.topic)
                    return
                if number + 1 == TRIES:
                    log.exception("%s gave up a message of %s", self.group, self.topic)
                    await self._bury_surely(envelope, repr(error))
                    return
                await asyncio.sleep(0.05 * 4**number)
            else:
                return

    async def _bury_surely(self, envelope: Envelope, error: str) -> None:
        """Until it succeeds: the disk may be full."""
        while True:
            try:
                await self.bus.dead_letter(self.topic, envelope, error)
            except OSError as failure:
                log.warning("a dead letter of %s can't be written: %s", self.topic, failure)
                await asyncio.sleep(BURY_SECONDS)
            else:
                return


class MemoryBus:
    """Implements EventBus. `dead_letters`: folder of letters; None keeps them in memory."""

    def __init__(self, dead_letters: Path | None = None) -> None:
        self.letters = Letters(dead_letters)
        self._partitions: dict[tuple[str, int], _Partition] = {}
        self._subscribers: dict[str, list[_Subscriber]] = {}
        self._workers: list[asyncio.Task[None]] = []

    def partition(self, topic: str, number: int) -> _Partition:
        key = (topic, number)
        found = self._partitions.get(key)
        if found is None:
            found = self._partitions[key] = _Partition(key)
        return found

    def submit(self, topic: str, envelope: Envelope, partition: int | None = None) -> asyncio.Future[None]:
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        subscribers = self._subscribers.get(topic)
        if subscribers:
            self._publish(subscribers, envelope, done)
            return done
        target = self.partition(topic, _number(envelope, partition))
        entry = _Entry(envelope, carried(envelope.body) + OVERHEAD_BYTES, done)
        if target.full:
            target.waiting.append(entry)
            loop.call_later(PATIENCE, _give_up, target, entry)
        else:
            target.append(entry)
        return done

    def send(self, topic: str, envelope: Envelope, partition: int | None = None) -> None:
        subscribers = self._subscribers.get(topic)
        if subscribers is not None:
            self._publish(subscribers, envelope, None)
            return
        key = (topic, _number(envelope, partition))
        target = self.partition(*key)
        if target.reader is None and not target.assigned and topic not in _KEPT:
            return  # an event that nobody listens to
        target.append(_Entry(envelope, carried(envelope.body) + OVERHEAD_BYTES, None))

    def _publish(
        self, subscribers: list[_Subscriber], envelope: Envelope, done: "asyncio.Future[None] | None"
    ) -> None:
        if done is None:
            for subscriber in subscribers:
                subscriber.put(envelope, None)
            return
        groups = [subscriber for subscriber in subscribers if subscriber.group is not None]
        left = len(groups)
        if not groups:
            done.set_result(None)

        def one(_: "asyncio.Future[None]") -> None:
            nonlocal left
            left -= 1
            if not left and not done.done():
                done.set_result(None)

        for subscriber in subscribers:
            handled: asyncio.Future[None] | None = None
            if subscriber.group is not None:
                handled = asyncio.get_running_loop().create_future()
                handled.add_done_callback(one)
            subscriber.put(envelope, handled)
        point("publish.after")

    def reader(self) -> MemoryReader:
        return MemoryReader(self)

    def subscribe(self, topic: str, handler: Handler, group: str | None) -> None:
        subscriber = _Subscriber(self, topic, handler, group)
        self._subscribers.setdefault(topic, []).append(subscriber)
        if self._workers:
            self._workers.append(asyncio.create_task(subscriber.work()))

    async def dead_letter(self, topic: str, envelope: Envelope, error: str) -> str:
        return await asyncio.to_thread(self.letters.add, topic, envelope, error)

    async def start(self) -> None:
        for subscribers in self._subscribers.values():
            self._workers += [asyncio.create_task(each.work()) for each in subscribers]
        if self.letters.folder is not None:
            self._workers.append(asyncio.create_task(self._replay()))

    async def _replay(self) -> None:
        """Takes in again what the command line has asked for. A file goes once its message can't be lost: killed in
        between, it is handled twice."""
        while True:
            try:
                for path, letter in await asyncio.to_thread(lambda: list(self.letters.to_replay())):
                    if letter.envelope is None:  # of a later version: it is a letter again
                        await asyncio.to_thread(path.rename, path.with_suffix(""))
                        continue
                    await self.submit(
                        letter.topic, letter.envelope, partition_of(letter.topic, letter.envelope)
                    )
                    await asyncio.to_thread(path.unlink, missing_ok=True)
            except (OSError, WeftError) as error:
                log.warning("a dead letter can't be replayed: %s", error)
            await asyncio.sleep(REPLAY_SECONDS)

    async def stop(self) -> None:
        for worker in self._workers:
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)
        self._workers.clear()


_KEPT: Final = frozenset({"node.results", "execution.commands"})
"""Kept while no reader has come yet; the rest is sent again by its owner."""


def _number(envelope: Envelope, partition: int | None) -> int:
    return partition if partition is not None else zlib.crc32(envelope.key.encode()) % PARTITIONS


def _give_up(partition: _Partition, entry: _Entry) -> None:
    if entry.done is not None and not entry.done.done() and entry in partition.waiting:
        partition.waiting.remove(entry)
        message = "Weft is busy: too much is waiting already. Try again in a moment."
        entry.done.set_exception(WeftError(ErrorCode.UNAVAILABLE, message, retry_after=1))

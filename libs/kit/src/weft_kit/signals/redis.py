"""Signals between processes: Redis pub/sub. Losing Redis loses signals, nothing else."""

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import Callable
from itertools import islice
from typing import Any, Final

import redis.asyncio as redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from weft_contracts import wire
from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.messages import Signal

from weft_kit.signals.memory import MemorySignals
from weft_kit.tasks import end

log = logging.getLogger("weft.signals")

MAX_WAITING: Final = 20_000
"""Signals that were not sent yet; beyond, new ones are lost."""
MAX_BYTES: Final = 64 * 1024 * 1024
"""Of them together, likewise."""
MAX_AGE: Final = 5.0
"""Seconds that a signal waits for Redis to come back."""
BATCH: Final = 500
BATCH_BYTES: Final = 4 * 1024 * 1024
CHECK_SECONDS: Final = 10
"""A silent connection is asked whether it lives."""
PAUSE: Final = 0.2

_FAILURES: Final = (RedisError, OSError, TimeoutError)


class RedisSignals:
    """Implements Signals. After a lost connection a signal may come twice."""

    def __init__(self, url: str) -> None:
        self._redis = redis.Redis.from_url(
            url,
            retry=Retry(NoBackoff(), 0),
            socket_connect_timeout=3,
            socket_timeout=5,
            socket_keepalive=True,
            health_check_interval=CHECK_SECONDS,
        )
        self._local = MemorySignals()
        self._listening: dict[str, int] = {}
        self._pubsub: Any = None
        self._changes: asyncio.Event = asyncio.Event()
        self._waiting: deque[tuple[float, str, bytes]] = deque()
        self._bytes = 0
        self._filled = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._full = False

    def publish(self, channel: str, signal: Signal) -> None:
        if len(self._waiting) >= MAX_WAITING or self._bytes >= MAX_BYTES:
            if not self._full:
                log.warning("signals are lost: %d (%d bytes) wait for Redis", len(self._waiting), self._bytes)
            self._full = True
            return
        data = wire.encode_signal(signal)
        self._waiting.append((time.monotonic(), channel, data))
        self._bytes += len(data)
        self._filled.set()

    def listen(self, channel: str, handler: Callable[[Signal], None]) -> Callable[[], None]:
        stop_local = self._local.listen(channel, handler)
        self._listening[channel] = self._listening.get(channel, 0) + 1
        self._changes.set()
        stopped = False

        def stop() -> None:
            nonlocal stopped
            if stopped:
                return
            stopped = True
            stop_local()
            left = self._listening.get(channel, 1) - 1
            if left:
                self._listening[channel] = left
            else:
                self._listening.pop(channel, None)
                self._changes.set()

        return stop

    async def start(self) -> None:
        """Raises UNAVAILABLE where Redis is out of reach."""
        try:
            await self._redis.ping()
        except _FAILURES as error:
            raise WeftError(ErrorCode.UNAVAILABLE, f"Redis is out of reach: {error}") from error
        self._tasks = [asyncio.create_task(self._send()), asyncio.create_task(self._receive())]

    async def stop(self) -> None:
        """What waits is sent if that takes no longer than a second."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1):
                while self._tasks and self._waiting:  # noqa: ASYNC110 - only once, at the end
                    await asyncio.sleep(0.01)
        await end(*self._tasks)
        self._tasks.clear()
        await self._local.stop()
        await self._redis.aclose()

    async def _send(self) -> None:
        failing = False
        while True:
            await self._filled.wait()
            self._filled.clear()
            while self._waiting:
                batch = self._batch()
                try:
                    async with self._redis.pipeline(transaction=False) as pipeline:
                        for channel, data in batch:
                            pipeline.publish(channel, data)
                        await pipeline.execute()
                except _FAILURES as error:
                    if not failing:
                        log.warning("signals can't be sent: %s", error)
                    failing = True
                    self._forget_old()
                    await asyncio.sleep(PAUSE)
                    continue
                for _ in batch:
                    self._drop_first()
                failing = self._full = False

    def _forget_old(self) -> None:
        oldest = time.monotonic() - MAX_AGE
        while self._waiting and self._waiting[0][0] < oldest:
            self._drop_first()

    def _batch(self) -> list[tuple[str, bytes]]:
        """The first that wait; one at least."""
        batch, size = list[tuple[str, bytes]](), 0
        for _, channel, data in islice(self._waiting, BATCH):
            size += len(data)
            if batch and size > BATCH_BYTES:
                break
            batch.append((channel, data))
        return batch

    def _drop_first(self) -> None:
        self._bytes -= len(self._waiting.popleft()[2])

    async def _receive(self) -> None:
        """One connection after the other, each subscribed to all that is listened to."""
        failing = False
        while True:
            while not self._listening:
                await self._changes.wait()
                self._changes.clear()
            try:
                async with self._redis.pubsub(ignore_subscribe_messages=True) as pubsub:
                    first = set(self._listening)
                    await pubsub.subscribe(*first)
                    failing = False
                    following = asyncio.create_task(self._follow(pubsub, first))
                    try:
                        await self._read(pubsub, following)
                    finally:
                        await end(following)
            except _FAILURES as error:
                if not failing:
                    log.warning("signals can't be received: %s", error)
                failing = True
                await asyncio.sleep(PAUSE)

    async def _follow(self, pubsub: Any, subscribed: set[str]) -> None:
        """Keeps the connection's subscriptions equal to what is listened to."""
        while True:
            wanted = set(self._listening)
            if wanted - subscribed:
                await pubsub.subscribe(*(wanted - subscribed))
            if subscribed - wanted:
                await pubsub.unsubscribe(*(subscribed - wanted))
            subscribed = wanted
            await self._changes.wait()
            self._changes.clear()

    async def _read(self, pubsub: Any, following: "asyncio.Task[None]") -> None:
        """Until nothing is listened to, or the connection fails."""
        while pubsub.subscribed:
            if following.done():
                following.result()
            message = await pubsub.get_message(timeout=CHECK_SECONDS)
            if message is not None and message["type"] == "message":
                self._deliver(message["channel"].decode(), message["data"])

    def _deliver(self, channel: str, data: bytes) -> None:
        try:
            signal = wire.decode_signal(data)
        except Exception:
            log.exception("a signal on %s could not be read", channel)
            return
        self._local.publish(channel, signal)

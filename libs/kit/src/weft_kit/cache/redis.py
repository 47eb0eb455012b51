"""The cache that all instances share. Without Redis everything is granted and nothing is known: what is behind it
must be right without it, and a lost rate limit is better than a lost request."""

import logging
import time
from collections.abc import Awaitable
from typing import Any, Final, TypeVar

import redis.asyncio as redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

log = logging.getLogger("weft.cache")
T = TypeVar("T")

PREFIX: Final = "weft:"
BLIND_SECONDS: Final = 1.0
"""For how long Redis is not asked after it could not be reached, so that no request waits for it twice."""

_TAKE: Final = """
local capacity = tonumber(ARGV[1])
local rate = capacity / 60
local clock = redis.call('TIME')
local now = tonumber(clock[1]) + tonumber(clock[2]) / 1000000
local bucket = redis.call('HMGET', KEYS[1], 'level', 'since')
local level = tonumber(bucket[1]) or capacity
local since = tonumber(bucket[2]) or now
level = math.min(capacity, level + math.max(0, now - since) * rate)
local wait = 0
if level >= 1 then level = level - 1 else wait = (1 - level) / rate end
redis.call('HSET', KEYS[1], 'level', string.format('%.9f', level), 'since', string.format('%.6f', now))
redis.call('PEXPIRE', KEYS[1], 61000)
return string.format('%.6f', wait)
"""
"""A token bucket on Redis's clock. A bucket that is full again need not be remembered."""

_FAILURES: Final = (RedisError, OSError, TimeoutError)


class RedisCache:
    """Implements Cache."""

    def __init__(self, url: str) -> None:
        self._redis: Any = redis.Redis.from_url(
            url,
            retry=Retry(NoBackoff(), 0),
            socket_connect_timeout=1,
            socket_timeout=1,
            socket_keepalive=True,
            health_check_interval=30,
        )
        self._take = self._redis.register_script(_TAKE)
        self._warned = False
        self._blind_until = 0.0

    async def get(self, key: str) -> bytes | None:
        found: bytes | None = await self._ask(lambda: self._redis.get(PREFIX + key), None)
        return found

    async def put(self, key: str, value: bytes, seconds: float) -> None:
        milliseconds = max(1, int(seconds * 1000))
        await self._ask(lambda: self._redis.set(PREFIX + key, value, px=milliseconds), None)

    async def delete(self, key: str) -> None:
        await self._ask(lambda: self._redis.delete(PREFIX + key), None)

    async def take(self, key: str, per_minute: int) -> float:
        keys = [f"{PREFIX}bucket:{key}"]
        return float(await self._ask(lambda: self._take(keys=keys, args=[per_minute]), 0.0))

    async def close(self) -> None:
        await self._redis.aclose()

    async def _ask(self, question: Any, otherwise: T) -> T:
        """The answer, or `otherwise` where Redis has none to give. Asked twice: the first connection may be one that a
        restart has left dead in the pool."""
        if time.monotonic() < self._blind_until:
            return otherwise
        for last in (False, True):
            try:
                asked: Awaitable[T] = question()
                answer = await asked
            except _FAILURES as error:
                if last:
                    self._fail(error)
            else:
                self._warned = False
                return answer
        return otherwise

    def _fail(self, error: Exception) -> None:
        self._blind_until = time.monotonic() + BLIND_SECONDS
        if not self._warned:
            log.warning("the cache is out of reach; nothing is limited until it is back: %s", error)
        self._warned = True

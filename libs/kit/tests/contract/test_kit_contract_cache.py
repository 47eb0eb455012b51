"""What every Cache promises, and that nothing breaks where Redis does."""

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
from weft_kit.cache import Cache
from weft_kit.cache.memory import MemoryCache
from weft_kit.cache.redis import RedisCache
from weft_kit.testing.servers import Redis


@pytest.fixture(params=["memory", pytest.param("redis", marks=pytest.mark.integration)])
async def cache(request: pytest.FixtureRequest) -> AsyncIterator[Cache]:
    made: Cache = (
        MemoryCache() if request.param == "memory" else RedisCache(request.getfixturevalue("redis_url"))
    )
    yield made
    await made.close()


@pytest.fixture
def key() -> str:
    return uuid4().hex


async def test_keeps_and_forgets(cache: Cache, key: str) -> None:
    assert await cache.get(key) is None
    await cache.put(key, b"\x00one", 60)
    await cache.put(key, b"\x00two", 60)
    assert await cache.get(key) == b"\x00two"
    await cache.delete(key)
    await cache.delete(key)
    assert await cache.get(key) is None


async def test_forgets_by_itself(cache: Cache, key: str) -> None:
    await cache.put(key, b"x", 0.05)
    assert await cache.get(key) == b"x"
    await asyncio.sleep(0.15)
    assert await cache.get(key) is None


async def test_a_bucket_grants_its_capacity_and_then_says_how_long(cache: Cache, key: str) -> None:
    granted = [await cache.take(key, 60) for _ in range(60)]
    assert granted == [0.0] * 60
    wait = await cache.take(key, 60)
    assert 0.3 < wait <= 1.0
    assert await cache.take(f"{key}-other", 60) == 0.0


async def test_a_bucket_refills(cache: Cache, key: str) -> None:
    taken = 0
    while not (wait := await cache.take(key, 600)):
        taken += 1
    assert taken >= 600
    assert 0 < wait <= 0.1
    await asyncio.sleep(wait + 0.01)
    assert await cache.take(key, 600) == 0.0


async def test_asking_in_vain_costs_no_token(cache: Cache, key: str) -> None:
    assert await cache.take(key, 1) == 0.0
    waits = [await cache.take(key, 1) for _ in range(5)]
    assert all(58 < wait <= 60 for wait in waits)


@pytest.mark.integration
async def test_without_redis_everything_is_granted_and_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("weft_kit.cache.redis.BLIND_SECONDS", 0.05)
    server = Redis(tmp_path)
    await asyncio.to_thread(server.start)
    cache = RedisCache(server.url)
    assert await cache.take("k", 1) == 0.0
    assert await cache.take("k", 1) > 0
    await cache.put("k", b"v", 60)
    await asyncio.to_thread(server.kill)
    with caplog.at_level(logging.WARNING, "weft.cache"):
        for _ in range(20):
            assert await cache.take("k", 1) == 0.0
            assert await cache.get("k") is None
            await cache.put("k", b"v", 60)
            await cache.delete("k")
    assert len(caplog.records) == 1
    await asyncio.to_thread(server.start)
    await asyncio.sleep(0.1)
    await cache.put("k", b"v", 60)
    assert await cache.get("k") == b"v"
    await cache.close()
    await asyncio.to_thread(server.kill)

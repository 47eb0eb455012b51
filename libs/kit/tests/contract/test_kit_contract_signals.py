"""What every Signals promises, and that Redis may go and come."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.messages import Signal, WebhookReply
from weft_contracts.payload import BINARY, Payload
from weft_kit.signals import Signals
from weft_kit.signals.memory import MemorySignals
from weft_kit.signals.redis import RedisSignals
from weft_kit.testing.servers import Redis

from .conftest import until


def reply(number: int) -> WebhookReply:
    return WebhookReply(f"e{number}", "response", body=Payload(BINARY, b"\x00\xff", 2))


@pytest.fixture(params=["memory", pytest.param("redis", marks=pytest.mark.integration)])
async def signals(request: pytest.FixtureRequest) -> AsyncIterator[Signals]:
    made: Signals = (
        MemorySignals() if request.param == "memory" else RedisSignals(request.getfixturevalue("redis_url"))
    )
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
def channel() -> str:
    return uuid4().hex


async def heard_something(signals: Signals, channel: str, seen: list[Signal]) -> None:
    """The subscription works; what was heard for it is forgotten."""
    async with asyncio.timeout(20):
        while not seen:
            signals.publish(channel, reply(-1))
            await asyncio.sleep(0.02)
    await asyncio.sleep(0.1)
    seen.clear()


async def test_signals_arrive_in_order_and_whole(signals: Signals, channel: str) -> None:
    seen: list[Signal] = []
    stop = signals.listen(channel, seen.append)
    await heard_something(signals, channel, seen)
    for number in range(2000):
        signals.publish(channel, reply(number))
    await until(lambda: len(seen) == 2000)
    assert seen == [reply(number) for number in range(2000)]
    stop()


async def test_each_listener_hears_its_channel_until_it_stops(signals: Signals, channel: str) -> None:
    seen: dict[str, list[Signal]] = {"a": [], "b": [], "other": []}

    def broken(_: Signal) -> None:
        raise ValueError("a listener's own fault")

    signals.listen(channel, broken)
    stop_a = signals.listen(channel, seen["a"].append)
    signals.listen(channel, seen["b"].append)
    signals.listen(f"{channel}.other", seen["other"].append)
    await heard_something(signals, channel, seen["b"])
    await heard_something(signals, f"{channel}.other", seen["other"])
    seen["a"].clear()
    signals.publish(channel, reply(1))
    await until(lambda: seen["a"] == seen["b"] == [reply(1)])
    stop_a()
    stop_a()
    signals.publish(channel, reply(2))
    await until(lambda: len(seen["b"]) == 2)
    assert (len(seen["a"]), seen["other"]) == (1, [])


async def test_a_channel_can_be_listened_to_again(signals: Signals, channel: str) -> None:
    for _ in range(3):
        seen: list[Signal] = []
        stop = signals.listen(channel, seen.append)
        await heard_something(signals, channel, seen)
        stop()
        signals.publish(channel, reply(1))
        await asyncio.sleep(0.05)
        assert not seen


@pytest.mark.integration
async def test_signals_cross_processes_quickly(redis_url: str, channel: str) -> None:
    here, there = RedisSignals(redis_url), RedisSignals(redis_url)
    await here.start()
    await there.start()
    seen: list[Signal] = []
    there.listen(channel, seen.append)
    await heard_something(here, channel, seen)
    began = time.monotonic()
    for number in range(50):
        here.publish(channel, reply(number))
        while len(seen) <= number:
            await asyncio.sleep(0)
    assert (time.monotonic() - began) / 50 < 0.02
    await here.stop()
    await there.stop()


@pytest.mark.integration
async def test_redis_may_go_and_come(tmp_path: Path, channel: str) -> None:
    server = Redis(tmp_path)
    await asyncio.to_thread(server.start)
    signals = RedisSignals(server.url)
    await signals.start()
    seen: list[Signal] = []
    signals.listen(channel, seen.append)
    await heard_something(signals, channel, seen)
    for _ in range(2):
        await asyncio.to_thread(server.kill)
        began = time.monotonic()
        for number in range(30_000):
            signals.publish(channel, reply(number))
        assert time.monotonic() - began < 5
        await asyncio.to_thread(server.start)
        await heard_something(signals, channel, seen)
    await signals.stop()
    await asyncio.to_thread(server.kill)
    with pytest.raises(WeftError) as caught:
        await RedisSignals(server.url).start()
    assert caught.value.code is ErrorCode.UNAVAILABLE

"""Signals that wait for Redis are bounded in bytes, too."""

import pytest
from weft_contracts.messages import WebhookReply
from weft_contracts.payload import Payload
from weft_kit.signals import redis
from weft_kit.signals.redis import RedisSignals

REPLY = WebhookReply("e", "response", 200, (), Payload(0, b"x" * 100_000, 100_000, ""))


async def test_what_waits_for_redis_is_bounded_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis, "MAX_BYTES", 1_000_000)
    signals = RedisSignals("redis://127.0.0.1:1")
    for _ in range(50):
        signals.publish("reply.here", REPLY)
    assert 1_000_000 <= signals._bytes < 1_200_000
    assert len(signals._waiting) < 15
    while signals._waiting:
        signals._drop_first()
    assert signals._bytes == 0
    await signals.stop()


async def test_one_round_trip_carries_a_bounded_number_of_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis, "BATCH_BYTES", 250_000)
    signals = RedisSignals("redis://127.0.0.1:1")
    for _ in range(5):
        signals.publish("reply.here", REPLY)
    assert len(signals._batch()) == 2
    monkeypatch.setattr(redis, "BATCH_BYTES", 1)
    assert len(signals._batch()) == 1
    await signals.stop()

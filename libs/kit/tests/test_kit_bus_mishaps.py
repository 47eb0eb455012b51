"""Who reads a topic goes on reading, whatever goes wrong beside it."""

import asyncio
from typing import Any

import pytest
from aiokafka import TopicPartition
from weft_contracts import wire
from weft_contracts.ids import new_id
from weft_contracts.messages import CancelExecution, Envelope
from weft_kit.bus import kafka_groups, memory
from weft_kit.bus.kafka_groups import Group

TOPIC = "execution.commands"
MESSAGE = Envelope(new_id(), CancelExecution("e1"), key="k")


async def test_a_full_disk_ends_no_subscriber(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "TRIES", 1)
    monkeypatch.setattr(memory, "BURY_SECONDS", 0.0)
    bus, failures = memory.MemoryBus(), [OSError("full")]
    add = bus.letters.add

    def flaky(*letter: Any) -> str:
        if failures:
            raise failures.pop()
        return add(*letter)

    async def breaks(envelope: Envelope) -> None:
        raise ValueError("never")

    monkeypatch.setattr(bus.letters, "add", flaky)
    bus.subscribe(TOPIC, breaks, "g")
    await bus.start()
    async with asyncio.timeout(10):
        await bus.submit(TOPIC, MESSAGE)
    assert [letter.envelope async for letter in bus.letters.all()] == [MESSAGE]
    await bus.stop()


class Record:
    topic = TOPIC
    offset = 0
    value = wire.encode(MESSAGE)


class Consumer:
    """Breaks, each of the first times in another way; then it has one message."""

    def __init__(self, failures: list[Exception]) -> None:
        self.failures = failures
        self.given = False

    async def start(self) -> None:
        pass

    async def stop(self) -> None:
        pass

    def subscribe(self, topics: list[str]) -> None:
        pass

    def assignment(self) -> set[TopicPartition]:
        return set()

    async def getmany(self, **_: Any) -> dict[TopicPartition, list[Record]]:
        if self.failures:
            raise self.failures.pop()
        if self.given:
            await asyncio.Event().wait()
        self.given = True
        return {TopicPartition(TOPIC, 0): [Record()]}


async def test_an_error_of_any_kind_ends_no_group(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka_groups, "AGAIN_SECONDS", 0.0)
    failures: list[Exception] = [RuntimeError("a bug of the library"), OSError("reset")]

    class Link:
        def consumer(self, group: str) -> Consumer:
            return Consumer(failures)

    heard: asyncio.Queue[Envelope] = asyncio.Queue()
    group = Group(Link(), "g")  # type: ignore[arg-type]
    group.add(TOPIC, heard.put)
    await group.start()
    async with asyncio.timeout(10):
        assert await heard.get() == MESSAGE
    await group.stop()

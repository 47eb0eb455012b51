"""A port's tests run against each of its adapters; those of real servers are integration tests."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import uuid4

import pytest
from weft_contracts.ids import new_id
from weft_contracts.messages import CancelExecution, Envelope
from weft_kit.bus import EventBus, PartitionReader, Received
from weft_kit.bus.kafka import KafkaBus
from weft_kit.bus.memory import MemoryBus

KAFKA = pytest.param("kafka", marks=pytest.mark.integration)


def message(number: int, key: str = "k") -> Envelope:
    return Envelope(new_id(), CancelExecution(f"e{number}"), key=key)


def number_of(envelope: Envelope | None) -> int:
    assert envelope is not None
    assert isinstance(envelope.body, CancelExecution)
    return int(envelope.body.execution_id[1:])


async def take(reader: PartitionReader, count: int, seconds: float = 20) -> list[Received]:
    """`count` messages, or a failure."""
    found: list[Received] = []
    async with asyncio.timeout(seconds):
        while len(found) < count:
            found += await reader.fetch()
    return found


async def until(condition: Callable[[], bool], seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


class Buses:
    """Makes buses that share two topics of four partitions, `topic` and `other`."""

    def __init__(self, kind: str, brokers: str) -> None:
        self.kind = kind
        self.brokers = brokers
        self.topic = f"t.{uuid4().hex}"
        self.other = f"o.{uuid4().hex}"
        self._close: list[Callable[[], Awaitable[None]]] = []

    def make(self) -> EventBus:
        """Not started, for subscriptions."""
        bus: Any = MemoryBus() if self.kind == "memory" else self._kafka()
        self._close.append(bus.stop)
        return bus  # type: ignore[no-any-return]

    def _kafka(self) -> KafkaBus:
        return KafkaBus(self.brokers, f"test-{new_id()}", {self.topic: 4, self.other: 4})

    async def started(self) -> EventBus:
        bus = self.make()
        await bus.start()
        return bus

    async def reader(self, bus: EventBus, positions: dict[int, int | None]) -> PartitionReader:
        """Of partitions of `topic`."""
        reader = bus.reader()
        self._close.insert(0, reader.close)
        await reader.assign({(self.topic, number): position for number, position in positions.items()})
        return reader

    async def close(self) -> None:
        for close in self._close:
            await close()


@pytest.fixture(params=["memory", KAFKA])
async def buses(request: pytest.FixtureRequest) -> AsyncIterator[Buses]:
    brokers = request.getfixturevalue("kafka") if request.param == "kafka" else ""
    made = Buses(request.param, brokers)
    yield made
    await made.close()


@pytest.fixture
async def kafka_buses(kafka: str) -> AsyncIterator[Buses]:
    made = Buses("kafka", kafka)
    yield made
    await made.close()

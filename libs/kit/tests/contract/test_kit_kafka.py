"""What only a broker can do: several instances, foreign bytes, restarts."""

import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.ids import new_id
from weft_contracts.messages import Envelope
from weft_kit.bus.kafka import KafkaBus
from weft_kit.bus.kafka_letters import KafkaLetters
from weft_kit.testing.servers import Kafka

from .conftest import Buses, message, number_of, take, until

pytestmark = pytest.mark.integration


async def raw(buses: Buses, value: bytes | None, partition: int = 0) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=buses.brokers)
    await producer.start()
    await producer.send_and_wait(buses.topic, value, key=b"whose", partition=partition)
    await producer.stop()


async def test_bytes_that_are_no_envelope_are_put_away(kafka_buses: Buses) -> None:
    bus = await kafka_buses.started()
    reader = await kafka_buses.reader(bus, {0: 0})
    await raw(kafka_buses, b"garbage")
    await raw(kafka_buses, None)
    await bus.submit(kafka_buses.topic, message(1), 0)
    first, second, third = await take(reader, 3)
    assert (first.envelope, first.key, second.envelope) == (None, "whose", None)
    assert number_of(third.envelope) == 1
    letters = bus.link.consumer()  # type: ignore[attr-defined]
    letters.subscribe([f"{kafka_buses.topic}.dlq"])
    await letters.start()
    letter = await asyncio.wait_for(letters.getone(), 10)
    await letters.stop()
    assert letter.value == b"garbage"
    headers = dict(letter.headers)
    assert headers["topic"].decode() == kafka_buses.topic
    assert first.error == f"dead letter {headers['letter'].decode()}: {headers['error'].decode()}"


async def test_a_group_passes_bytes_that_are_no_envelope(kafka_buses: Buses) -> None:
    bus = kafka_buses.make()
    seen: list[int] = []

    async def handler(envelope: Envelope) -> None:
        seen.append(number_of(envelope))

    bus.subscribe(kafka_buses.topic, handler, f"g.{kafka_buses.topic}")
    bus.subscribe(kafka_buses.topic, handler, None)
    await bus.start()
    await raw(kafka_buses, b"garbage")
    await bus.submit(kafka_buses.topic, message(1), 0)
    await until(lambda: seen == [1, 1])


async def test_headers_say_what_it_is(kafka_buses: Buses) -> None:
    bus = await kafka_buses.started()
    envelope = Envelope("the-id", message(1).body, key="k", traceparent="00-1-2-01")
    await bus.submit(kafka_buses.topic, envelope, 0)
    consumer = bus.link.consumer()  # type: ignore[attr-defined]
    consumer.subscribe([kafka_buses.topic])
    await consumer.start()
    record = await asyncio.wait_for(consumer.getone(), 10)
    await consumer.stop()
    assert record.headers == (
        ("id", b"the-id"),
        ("type", b"execution.cancel"),
        ("version", b"1"),
        ("traceparent", b"00-1-2-01"),
    )


async def test_a_position_outside_the_log_is_its_beginning(kafka_buses: Buses) -> None:
    bus = await kafka_buses.started()
    for number in range(3):
        await bus.submit(kafka_buses.topic, message(number), 0)
    reader = await kafka_buses.reader(bus, {0: 500})
    assert [each.offset for each in await take(reader, 3)] == [0, 1, 2]


async def test_a_group_shares_and_listeners_all_hear(kafka_buses: Buses) -> None:
    shared: list[int] = []
    heard: dict[int, list[int]] = {0: [], 1: []}
    members = [kafka_buses.make(), kafka_buses.make()]
    for index, bus in enumerate(members):

        async def handler(envelope: Envelope) -> None:
            shared.append(number_of(envelope))

        async def listener(envelope: Envelope, index: int = index) -> None:
            heard[index].append(number_of(envelope))

        bus.subscribe(kafka_buses.topic, handler, f"g.{kafka_buses.topic}")
        bus.subscribe(kafka_buses.topic, listener, None)
        await bus.start()
    for number in range(40):
        members[0].send(kafka_buses.topic, message(number), number % 4)
    await until(lambda: len(shared) >= 40 and all(len(each) == 40 for each in heard.values()))
    assert set(shared) == set(range(40))
    await members[0].stop()
    for number in range(40, 60):
        await members[1].submit(kafka_buses.topic, message(number), number % 4)
    await until(lambda: set(shared) == set(range(60)))


async def test_positions_are_in_kafka_for_lag_metrics(kafka_buses: Buses) -> None:
    bus = KafkaBus(kafka_buses.brokers, f"{kafka_buses.topic}-{'0' * 36}", {kafka_buses.topic: 4})
    await bus.start()
    reader = await kafka_buses.reader(bus, {0: 0})
    await bus.submit(kafka_buses.topic, message(1), 0)
    await take(reader, 1)
    reader.commit(kafka_buses.topic, 0, 1)
    await reader.close()
    consumer = bus.link.consumer(f"{kafka_buses.topic}.reader")
    consumer.subscribe([kafka_buses.topic])
    await consumer.start()
    (partition,) = (each for each in consumer.assignment() if each.partition == 0)
    assert await consumer.committed(partition) == 1
    await consumer.stop()
    await bus.stop()


async def test_a_large_message_passes_and_a_too_large_one_is_refused(kafka_buses: Buses) -> None:
    bus = await kafka_buses.started()
    reader = await kafka_buses.reader(bus, dict.fromkeys(range(4), 0))
    large = message(1, key="x" * 5_000_000)
    await bus.submit(kafka_buses.topic, large, 0)
    with pytest.raises(WeftError) as caught:
        await bus.submit(kafka_buses.topic, message(2, key="x" * 20_000_000), 0)
    assert caught.value.code is ErrorCode.TOO_LARGE
    await bus.submit(kafka_buses.topic, message(3), 0)
    assert [number_of(each.envelope) for each in await take(reader, 2)] == [1, 3]


async def test_a_producer_that_kafka_refuses_is_replaced(kafka_buses: Buses) -> None:
    bus = kafka_buses.make()
    assert isinstance(bus, KafkaBus)
    await bus.start()
    reader = await kafka_buses.reader(bus, {0: 0})
    bus.send(kafka_buses.topic, message(0), 0)
    await take(reader, 1)
    await bus.link.out._producer.stop()  # as after a fatal error: it takes nothing any more
    for number in range(1, 4):
        bus.send(kafka_buses.topic, message(number), 0)
    await bus.submit(kafka_buses.topic, message(4), 0)
    assert [number_of(each.envelope) for each in await take(reader, 4)] == [1, 2, 3, 4]


async def test_a_round_trip_is_quick(kafka_buses: Buses) -> None:
    bus = await kafka_buses.started()
    reader = await kafka_buses.reader(bus, dict.fromkeys(range(4), 0))
    times = []
    for number in range(100):
        began = time.perf_counter()
        bus.send(kafka_buses.topic, message(number), number % 4)
        await reader.fetch()
        times.append(time.perf_counter() - began)
    assert statistics.median(times) < 0.05  # 2 ms where nothing else runs


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Kafka]:
    """A server of our own, because it is restarted."""
    server = Kafka(tmp_path / "kafka")
    server.start()
    yield server
    server.kill()


async def test_everything_outlives_the_broker(broker: Kafka) -> None:
    buses = Buses("kafka", broker.bootstrap)
    bus = buses.make()
    handled: list[int] = []
    heard: list[int] = []

    async def handler(envelope: Envelope) -> None:
        handled.append(number_of(envelope))

    async def listener(envelope: Envelope) -> None:
        heard.append(number_of(envelope))

    bus.subscribe(buses.other, handler, "g")
    bus.subscribe(buses.other, listener, None)
    await bus.start()
    reader = await buses.reader(bus, dict.fromkeys(range(4), 0))
    seen: list[int] = []

    async def read() -> None:
        while True:
            seen.extend([number_of(each.envelope) for each in await reader.fetch()])

    reading = asyncio.create_task(read())
    for number in range(20):
        await bus.submit(buses.topic, message(number), number % 4)
        await bus.submit(buses.other, message(number), 0)
    await until(lambda: len(seen) == len(handled) == len(heard) == 20)

    await asyncio.to_thread(broker.kill)
    for number in range(20, 40):
        bus.send(buses.topic, message(number), number % 4)
    began = time.monotonic()
    with pytest.raises(WeftError) as caught:
        await bus.submit(buses.topic, message(99), 0)
    assert caught.value.code is ErrorCode.UNAVAILABLE
    assert 3 < time.monotonic() - began < 8
    await asyncio.to_thread(broker.start)

    for number in range(40, 60):
        async with asyncio.timeout(30):
            while True:
                try:
                    await bus.submit(buses.topic, message(number), number % 4)
                    await bus.submit(buses.other, message(number), 0)
                    break
                except WeftError:
                    continue
    await until(lambda: set(range(60)) <= set(seen), 30)
    await until(lambda: set(range(40, 60)) <= set(handled) and set(range(40, 60)) <= set(heard), 30)
    reading.cancel()
    await buses.close()


async def test_start_says_that_no_broker_is_there() -> None:
    bus = KafkaBus("127.0.0.1:1", "test-x", {})
    with pytest.raises(WeftError) as caught:
        await bus.start()
    assert caught.value.code is ErrorCode.UNAVAILABLE


async def test_letters_are_listed_replayed_and_removed(kafka_buses: Buses) -> None:
    bus = await kafka_buses.started()
    assert isinstance(bus, KafkaBus)
    letters = KafkaLetters(bus.link, [kafka_buses.topic])
    reader = await kafka_buses.reader(bus, {0: 0})
    assert [letter async for letter in letters.all()] == []
    await raw(kafka_buses, b"garbage")
    assert (await take(reader, 1))[0].envelope is None
    envelope = Envelope(new_id(), message(7).body, key="k")
    first = await bus.dead_letter(kafka_buses.topic, envelope, "ValueError('never')")
    second = await bus.dead_letter(kafka_buses.topic, message(8), "again")
    strange, one, two = [letter async for letter in letters.all()]
    assert (strange.topic, strange.envelope) == (kafka_buses.topic, None)
    assert (one.id, one.error, one.envelope) == (first, "ValueError('never')", envelope)
    assert two.id == second
    with pytest.raises(WeftError, match="can't be read"):
        await letters.replay(strange)
    await letters.replay(one)
    seen = await asyncio.wait_for(take_any(bus, kafka_buses.topic), 20)
    assert seen == 7
    await letters.remove(two)
    left = {letter.id async for letter in letters.all()}
    assert strange.id in left
    assert not left & {first, second}


async def take_any(bus: KafkaBus, topic: str) -> int:
    """The number of the first message that is one, in whatever partition."""
    reader = bus.reader()
    count = await bus.link.partitions(topic)
    await reader.assign({(topic, number): 0 for number in range(count)})
    try:
        while True:
            for received in await reader.fetch():
                if received.envelope is not None:
                    return number_of(received.envelope)
    finally:
        await reader.close()


def test_the_command_line_sees_the_letters_of_the_cluster(kafka_buses: Buses) -> None:
    async def bury() -> str:
        bus = KafkaBus(kafka_buses.brokers, "t")
        await bus.start()
        try:
            while True:
                with suppress(WeftError):  # the leaders of new topics are being chosen
                    return await bus.dead_letter("audit.events", message(9), "never")
        finally:
            await bus.stop()

    def weft(*words: str) -> str:
        command = [sys.executable, "-m", "weft_cli.main", "dead-letters", *words]
        environment = {**os.environ, "WEFT_KAFKA_BROKERS": kafka_buses.brokers}
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=120, check=True
        )
        return done.stdout

    letter = asyncio.run(bury())
    assert letter in {each["id"] for each in json.loads(weft("list", "--json"))}
    assert json.loads(weft("show", letter))["topic"] == "audit.events"
    assert letter in weft("replay", letter)
    assert letter not in weft("list")

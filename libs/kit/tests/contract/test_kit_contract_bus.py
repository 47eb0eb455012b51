"""What every EventBus promises."""

import asyncio

import pytest
from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.messages import Envelope
from weft_kit.bus import memory
from weft_kit.bus.kafka_letters import KafkaLetters

from .conftest import Buses, message, number_of, take, until


async def test_a_partition_keeps_its_order(buses: Buses) -> None:
    bus = await buses.started()
    reader = await buses.reader(bus, {0: 0, 1: 0})
    waiting = []
    for number in range(600):
        if number % 3:
            bus.send(buses.topic, message(number), number % 2)
        else:
            waiting.append(bus.submit(buses.topic, message(number), number % 2))
    found = await take(reader, 600)
    for partition in (0, 1):
        mine = [each for each in found if each.partition == partition]
        assert [number_of(each.envelope) for each in mine] == list(range(partition, 600, 2))
        assert [each.offset for each in mine] == list(range(300))
        assert {each.key for each in mine} == {"k"}
        reader.commit(buses.topic, partition, 300)
    await asyncio.wait_for(asyncio.gather(*waiting), 10)


async def test_a_key_has_one_partition(buses: Buses) -> None:
    bus = await buses.started()
    partitions = range(64 if buses.kind == "memory" else 4)
    reader = await buses.reader(bus, dict.fromkeys(partitions, 0))
    for number in range(60):
        bus.send(buses.topic, message(number, key=f"key{number % 6}"))
    found = await take(reader, 60)
    homes = {(each.key, each.partition) for each in found}
    assert len(homes) == 6
    assert len({partition for _, partition in homes}) > 1


async def test_submit_is_done_when_nothing_can_lose_it(buses: Buses) -> None:
    bus = await buses.started()
    if buses.kind == "kafka":
        await asyncio.wait_for(bus.submit(buses.topic, message(1), 0), 10)
        reader = await buses.reader(bus, {0: 0})
        assert number_of((await take(reader, 1))[0].envelope) == 1
        return
    reader = await buses.reader(bus, {0: 0})
    first, second = (bus.submit(buses.topic, message(number), 0) for number in (1, 2))
    await take(reader, 2)
    await asyncio.sleep(0)
    assert not first.done()
    reader.commit(buses.topic, 0, 1)
    await asyncio.wait_for(first, 1)
    assert not second.done()


async def test_a_new_reader_resumes_at_the_position(buses: Buses) -> None:
    bus = await buses.started()
    reader = await buses.reader(bus, {2: 0})
    for number in range(10):
        bus.send(buses.topic, message(number), 2)
    await take(reader, 10)
    reader.commit(buses.topic, 2, 6)
    await reader.close()
    second = await buses.reader(bus, {2: 6})
    found = await take(second, 4)
    assert [(each.offset, number_of(each.envelope)) for each in found] == [(n, n) for n in range(6, 10)]
    assert await second.end(buses.topic, 2) == 10


async def test_fetch_takes_no_more_than_asked(buses: Buses) -> None:
    bus = await buses.started()
    reader = await buses.reader(bus, {0: 0})
    for number in range(25):
        bus.send(buses.topic, message(number), 0)
    await until_end(bus, buses, 25)
    found = []
    while len(found) < 25:
        some = await asyncio.wait_for(reader.fetch(10), 10)
        assert 0 < len(some) <= 10
        found += some
    assert [each.offset for each in found] == list(range(25))


async def until_end(bus: object, buses: Buses, end: int) -> None:
    """The partition has taken everything in."""
    reader = bus.reader()  # type: ignore[attr-defined]
    async with asyncio.timeout(10):
        while await reader.end(buses.topic, 0) < end:
            await asyncio.sleep(0.01)


async def test_assignments_change_without_loss_or_repetition(buses: Buses) -> None:
    bus = await buses.started()
    reader = await buses.reader(bus, {0: 0, 1: 0})
    for number in range(20):
        bus.send(buses.topic, message(number), number % 2)
    found = await take(reader, 20)
    await reader.assign(
        {(buses.topic, 1): 999, (buses.topic, 2): 0}
    )  # 1 stays: its position is not looked at
    for number in range(20, 50):
        bus.send(buses.topic, message(number), number % 3)
    found = await take(reader, 20)
    assert sorted((each.partition, number_of(each.envelope)) for each in found) == sorted(
        (number % 3, number) for number in range(20, 50) if number % 3
    )
    await reader.assign({(buses.topic, 0): 10})
    assert [number_of(each.envelope) for each in await take(reader, 10)] == list(range(21, 50, 3))


async def test_an_assignment_while_somebody_waits(buses: Buses) -> None:
    bus = await buses.started()
    reader = await buses.reader(bus, {})
    waiting = asyncio.create_task(reader.fetch())
    await asyncio.sleep(0.05)
    await reader.assign({(buses.topic, 0): 0})
    await asyncio.sleep(0.05)
    await reader.assign({(buses.topic, 0): 0, (buses.topic, 1): 0})
    bus.send(buses.topic, message(7), 1)
    assert number_of((await asyncio.wait_for(waiting, 10))[0].envelope) == 7


async def test_none_is_the_end_as_it_is_now(buses: Buses) -> None:
    bus = await buses.started()
    first = await buses.reader(bus, {0: 0})
    for number in range(5):
        bus.send(buses.topic, message(number), 0)
    await take(first, 5)
    await first.close()
    reader = await buses.reader(bus, {0: None})
    bus.send(buses.topic, message(5), 0)
    found = await take(reader, 1)
    assert [(each.offset, number_of(each.envelope)) for each in found] == [(5, 5)]


async def test_each_group_gets_each_message_again_until_it_is_handled(buses: Buses) -> None:
    bus = buses.make()
    tries: dict[str, list[int]] = {"a": [], "b": []}

    async def shaky(envelope: Envelope) -> None:
        tries["a"].append(number_of(envelope))
        if len(tries["a"]) < 3:
            raise ValueError("not yet")

    async def steady(envelope: Envelope) -> None:
        tries["b"].append(number_of(envelope))

    bus.subscribe(buses.topic, shaky, f"a.{buses.topic}")
    bus.subscribe(buses.topic, steady, f"b.{buses.topic}")
    await bus.start()
    await bus.submit(buses.topic, message(1))
    bus.send(buses.topic, message(2))
    await until(lambda: len(tries["a"]) == 4 and len(tries["b"]) == 2)
    assert tries == {"a": [1, 1, 1, 2], "b": [1, 2]}


async def test_a_message_that_nobody_can_handle_does_not_stop_the_others(buses: Buses) -> None:
    bus = buses.make()
    seen: list[int] = []
    letters: list[str] = []

    async def handler(envelope: Envelope) -> None:
        seen.append(number_of(envelope))
        if number_of(envelope) == 1:
            raise ValueError("never")

    bus.subscribe(buses.topic, handler, f"g.{buses.topic}")
    await bus.start()
    for number in (1, 2):
        bus.send(buses.topic, message(number))
    await until(lambda: 2 in seen)
    assert seen == [1] * 5 + [2]
    if isinstance(bus, memory.MemoryBus):
        letters = [letter.error async for letter in bus.letters.all()]
    else:
        reader = bus.reader()
        await reader.assign({(f"{buses.topic}.dlq", 0): 0})
        letters = [str(number_of(each.envelope)) for each in await take(reader, 1)]
        await reader.close()
    assert letters in (["ValueError('never')"], ["1"])


async def test_a_listener_hears_from_now_on_and_may_fail(buses: Buses) -> None:
    bus = buses.make()
    heard: list[int] = []

    async def listener(envelope: Envelope) -> None:
        heard.append(number_of(envelope))
        if heard == [1]:
            raise ValueError("once")

    if buses.kind == "kafka":
        before = await buses.started()
        await before.submit(buses.topic, message(0))
    bus.subscribe(buses.topic, listener, None)
    await bus.start()
    for number in (1, 2):
        await asyncio.wait_for(bus.submit(buses.topic, message(number)), 10)
    await until(lambda: len(heard) == 2)
    assert heard == [1, 2]


async def test_a_reader_may_send_to_what_it_reads(buses: Buses) -> None:
    bus = await buses.started()
    reader = await buses.reader(bus, {0: 0})
    bus.send(buses.topic, message(0), 0)
    async with asyncio.timeout(20):
        last = 0
        while last < 200:
            for received in await reader.fetch():
                last = number_of(received.envelope)
                bus.send(buses.topic, message(last + 1), 0)
                reader.commit(buses.topic, 0, received.offset + 1)


async def test_a_handler_may_send_to_what_it_handles(buses: Buses) -> None:
    bus = buses.make()
    seen: list[int] = []

    async def handler(envelope: Envelope) -> None:
        seen.append(number_of(envelope))
        if len(seen) < 100:
            bus.send(buses.topic, message(len(seen)))

    bus.subscribe(buses.topic, handler, f"g.{buses.topic}")
    await bus.start()
    bus.send(buses.topic, message(0))
    await until(lambda: len(seen) == 100)
    assert seen == list(range(100))


async def test_a_burst_loses_nothing(buses: Buses) -> None:
    bus = await buses.started()
    reader = await buses.reader(bus, dict.fromkeys(range(4), 0))
    waiting = [bus.submit(buses.topic, message(number), number % 4) for number in range(20_000)]
    seen: list[int] = []
    async with asyncio.timeout(60):
        while len(seen) < 20_000:
            for received in await reader.fetch():
                seen.append(number_of(received.envelope))
                reader.commit(buses.topic, received.partition, received.offset + 1)
        await asyncio.gather(*waiting)
    assert sorted(seen) == list(range(20_000))


async def test_dead_letters_have_ids(buses: Buses) -> None:
    bus = await buses.started()
    first = await bus.dead_letter(buses.topic, message(1), "one")
    second = await bus.dead_letter(buses.topic, message(2), "two")
    letters = bus.letters if isinstance(bus, memory.MemoryBus) else KafkaLetters(bus.link, [buses.topic])
    found = [(each.id, each.topic, each.error) async for each in letters.all()]
    assert found == [(first, buses.topic, "one"), (second, buses.topic, "two")]


async def test_a_full_bus_refuses_what_comes_from_outside_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "MAX_MESSAGES", 50)
    monkeypatch.setattr(memory, "PATIENCE", 0.1)
    bus = memory.MemoryBus()
    reader = bus.reader()
    await reader.assign({("node.results", 0): 0})
    taken = [bus.submit("node.results", message(number), 0) for number in range(50)]
    refused = bus.submit("node.results", message(50), 0)
    for number in range(51, 151):
        bus.send("node.results", message(number), 0)
    with pytest.raises(WeftError) as caught:
        await asyncio.wait_for(refused, 5)
    assert caught.value.code is ErrorCode.UNAVAILABLE
    patient = bus.submit("node.results", message(151), 0)
    found = await take(reader, 150)
    assert [number_of(each.envelope) for each in found] == [*range(50), *range(51, 151)]
    reader.commit("node.results", 0, 150)
    await asyncio.gather(*taken)
    assert number_of((await take(reader, 1))[0].envelope) == 151
    reader.commit("node.results", 0, 151)
    await asyncio.wait_for(patient, 1)
    await reader.close()

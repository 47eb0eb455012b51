"""Messages leave if, and only if, the transaction that staged them was committed."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection
from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.ids import new_id
from weft_contracts.messages import CancelExecution, Envelope
from weft_kit.bus.memory import MemoryBus
from weft_kit.database import Database
from weft_kit.outbox import BATCH, Outbox, outbox_ddl
from weft_kit.testing.servers import Postgres

pytestmark = pytest.mark.integration
TOPIC = "execution.commands"


def message(number: int) -> Envelope:
    return Envelope(new_id(), CancelExecution(f"e{number}"), key="k")


class RecordingBus(MemoryBus):
    """Everything that was submitted, in order. `down`: nothing is taken."""

    def __init__(self) -> None:
        super().__init__()
        self.taken: list[tuple[int, int | None]] = []
        self.down = False

    def submit(self, topic: str, envelope: Envelope, partition: int | None = None) -> asyncio.Future[None]:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self.down:
            done.set_exception(WeftError(ErrorCode.UNAVAILABLE, "down"))
            return done
        assert topic == TOPIC
        assert isinstance(envelope.body, CancelExecution)
        self.taken.append((int(envelope.body.execution_id[1:]), partition))
        done.set_result(None)
        return done

    @property
    def numbers(self) -> list[int]:
        return [number for number, _ in self.taken]


@pytest.fixture
async def database(pg_dsn: str) -> AsyncIterator[Database]:
    made = Database(pg_dsn)
    pool = await made.pool()
    await pool.execute("CREATE SCHEMA demo")
    await pool.execute(outbox_ddl("demo"))
    yield made
    await made.close()


@pytest.fixture
def bus() -> RecordingBus:
    return RecordingBus()


async def stage(outbox: Outbox, database: Database, numbers: range, partition: int | None = None) -> None:
    pool = await database.pool()
    async with pool.acquire() as connection, connection.transaction():
        await outbox.stage_rows(connection, [(TOPIC, message(number), partition) for number in numbers])


async def left(database: Database) -> int:
    count: int = await (await database.pool()).fetchval("SELECT count(*) FROM demo.outbox")
    return count


async def until_empty(database: Database) -> None:
    async with asyncio.timeout(20):
        while await left(database):
            await asyncio.sleep(0.02)


async def test_leaves_after_the_commit_in_order(database: Database, bus: RecordingBus) -> None:
    outbox = Outbox("demo", bus, database)
    await outbox.start()
    pool = await database.pool()
    async with pool.acquire() as connection, connection.transaction():
        await outbox.stage_rows(connection, [(TOPIC, message(number), 7) for number in range(3)])
        outbox.wake()
        await asyncio.sleep(0.2)
        assert bus.taken == []
    async with database.engine.begin() as engine_connection:
        assert isinstance(engine_connection, AsyncConnection)
        await outbox.stage(engine_connection, TOPIC, message(3))
    outbox.wake()
    await until_empty(database)
    assert bus.taken == [(0, 7), (1, 7), (2, 7), (3, None)]
    await outbox.stop()


async def test_what_is_rolled_back_never_leaves(database: Database, bus: RecordingBus) -> None:
    outbox = Outbox("demo", bus, database)
    pool = await database.pool()
    with contextlib.suppress(ValueError):
        async with pool.acquire() as connection, connection.transaction():
            await outbox.stage_rows(connection, [(TOPIC, message(1), None)])
            raise ValueError("no")
    assert await outbox.relay() == 0
    assert bus.taken == []


async def test_leaves_by_itself_where_nobody_wakes_it(database: Database, bus: RecordingBus) -> None:
    outbox = Outbox("demo", bus, database)
    await outbox.start()
    await asyncio.sleep(0.1)
    await stage(outbox, database, range(2))
    await until_empty(database)
    assert bus.numbers == [0, 1]
    await outbox.stop()


async def test_more_than_a_batch_leaves_at_once(database: Database, bus: RecordingBus) -> None:
    outbox = Outbox("demo", bus, database)
    await stage(outbox, database, range(BATCH * 2 + 5))
    await outbox.start()
    await until_empty(database)
    assert bus.numbers == list(range(BATCH * 2 + 5))
    await outbox.stop()


async def test_two_relays_lose_nothing_and_repeat_nothing(database: Database) -> None:
    first, second = RecordingBus(), RecordingBus()
    outboxes = [Outbox("demo", bus, database) for bus in (first, second)]
    for start in range(0, 2000, 100):
        await stage(outboxes[0], database, range(start, start + 100))
    for outbox in outboxes:
        await outbox.start()
    await until_empty(database)
    assert sorted(first.numbers + second.numbers) == list(range(2000))
    for outbox in outboxes:
        await outbox.stop()


async def test_waits_for_the_bus(database: Database, bus: RecordingBus) -> None:
    outbox = Outbox("demo", bus, database)
    bus.down = True
    await stage(outbox, database, range(3))
    await outbox.start()
    await asyncio.sleep(0.3)
    assert await left(database) == 3
    bus.down = False
    await until_empty(database)
    assert bus.numbers == [0, 1, 2]
    await outbox.stop()


async def test_what_a_process_left_behind_leaves_from_another(database: Database, bus: RecordingBus) -> None:
    await stage(Outbox("demo", bus, database), database, range(3))
    successor = Outbox("demo", bus, database)
    await successor.start()
    await until_empty(database)
    assert bus.numbers == [0, 1, 2]
    await successor.stop()


async def test_outlives_the_database(pg_server: Postgres, database: Database, bus: RecordingBus) -> None:
    outbox = Outbox("demo", bus, database)
    await outbox.start()
    await stage(outbox, database, range(3))
    await asyncio.to_thread(pg_server.restart)
    await until_empty(database)
    await stage(outbox, database, range(3, 6))
    outbox.wake()
    await until_empty(database)
    assert sorted(set(bus.numbers)) == list(range(6))
    await outbox.stop()


async def test_what_can_not_be_sent_holds_up_nothing(database: Database, bus: RecordingBus) -> None:
    outbox = Outbox("demo", bus, database)
    pool = await database.pool()
    await pool.execute("INSERT INTO demo.outbox (topic, envelope) VALUES ($1, $2)", TOPIC, b"what is this")
    await stage(outbox, database, range(3))
    assert await outbox.relay() == 3
    assert bus.numbers == [0, 1, 2]
    assert await outbox.relay() == 0
    assert bytes(await pool.fetchval("SELECT envelope FROM demo.outbox")) == b"what is this"

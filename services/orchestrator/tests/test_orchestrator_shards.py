"""Several orchestrators on one bus: fair shares, takeovers, fences."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from weft_contracts import topics
from weft_contracts.ids import SHARDS
from weft_kit.bus.memory import MemoryBus
from weft_kit.database import Database
from weft_kit.database.migrate import migrate
from weft_kit.rpc import Caller, current
from weft_orchestrator.adapters.postgres_shards import PostgresShards
from weft_orchestrator.application import keeper

from services.orchestrator.tests.orchestrator_world import FakeRunner, World, chain, node

pytestmark = pytest.mark.integration
LINE = chain(node("Start", "webhook", version=2), node("A", at=1), node("B", at=2))


@pytest.fixture
async def pair(
    pg_dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[World, World]]:
    monkeypatch.setattr(keeper, "RENEW_SECONDS", 0.1)
    monkeypatch.setattr(keeper, "SHARD_SECONDS", 2.0)
    await migrate(pg_dsn, "weft_orchestrator", "orchestrator")
    token = current.set(Caller("u1"))
    bus = MemoryBus()
    first = await World(pg_dsn, tmp_path).boot(exclusive=False, bus=bus)
    second = await World(pg_dsn, tmp_path).boot(exclusive=False, bus=bus)
    second.store.versions = first.store.versions
    yield first, second
    for world in (first, second):
        await world.service.stop()
        await world.database.close()
    await bus.stop()
    current.reset(token)


def held(world: World) -> set[int]:
    return set(world.service._owner.inbox.shards)


async def until(condition: object, seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # type: ignore[operator]
            await asyncio.sleep(0.02)


def shared(first: World, second: World) -> bool:
    mine, theirs = held(first), held(second)
    return len(mine) == len(theirs) == SHARDS // 2 and not mine & theirs


async def test_shards_are_shared_and_taken_over(pair: tuple[World, World]) -> None:
    first, second = pair
    await until(lambda: shared(first, second))
    await second.service.drain()
    await until(lambda: len(held(first)) == SHARDS)
    assert not held(second) - held(first)


async def test_runs_go_on_with_the_next_owner(pair: tuple[World, World]) -> None:
    first, second = pair
    first.store.versions["v"] = LINE
    await until(lambda: shared(first, second))
    runner = await FakeRunner(first).start(alive=True)
    runner.hold = True
    ids = [await first.start("v") for _ in range(40)]
    await until(lambda: len(runner.tasks) == 40)
    await second.service.stop()  # as dead: nothing is handed over, its leases run out
    await until(lambda: len(held(first)) == SHARDS)
    runner.hold = False
    for task in runner.tasks:
        runner.run(task)
    for execution in ids:
        found = await first.ended(execution, seconds=30)
        assert [run.node for run in found.node_runs] == ["Start", "A", "B"]
    await runner.stop()


async def test_an_owner_that_was_away_too_long_writes_nothing(pair: tuple[World, World]) -> None:
    first, second = pair
    first.store.versions["v"] = LINE
    await until(lambda: shared(first, second))
    runner = await FakeRunner(first).start(alive=True)
    runner.hold = True
    for _ in range(40):
        await first.start("v")
    await until(lambda: len(runner.tasks) == 40)
    async with asyncio.timeout(10):
        pool = await first.database.pool()
        # what a takeover by a third one does to the table
        await pool.execute("UPDATE orchestrator.shards SET owner = 'third', epoch = epoch + 1")
    for task in runner.tasks:
        runner.run(task)
    await until(lambda: not held(first) and not held(second))
    finished = await pool.fetchval("SELECT count(*) FROM orchestrator.executions WHERE status = 'success'")
    assert finished == 0
    await runner.stop()


async def test_shards_that_are_ours_by_the_table_only_are_served_again(pair: tuple[World, World]) -> None:
    first, second = pair
    first.store.versions["v"] = LINE
    await until(lambda: shared(first, second))
    await first.service._keeper._keep(set())
    await until(lambda: shared(first, second))
    runner = await FakeRunner(first).start(alive=True)
    for execution in [await first.start("v") for _ in range(20)]:
        await first.ended(execution)
    await runner.stop()


async def test_a_late_lease_of_ours_is_no_free_shard(pg_dsn: str) -> None:
    await migrate(pg_dsn, "weft_orchestrator", "orchestrator")
    database = Database(pg_dsn)
    shards = PostgresShards(database)
    assert len(await shards.claim("first", 3, -1.0)) == 3
    assert len(await shards.claim("first", SHARDS, -1.0)) == SHARDS - 3
    assert await shards.claim("first", SHARDS, 10.0) == {}
    assert len(await shards.claim("second", SHARDS, 10.0)) == SHARDS
    await database.close()


async def test_tasks_go_on_when_their_shard_is_given_away(pair: tuple[World, World]) -> None:
    first, second = pair
    first.store.versions["v"] = LINE
    await until(lambda: shared(first, second))
    runner = await FakeRunner(first).start(alive=True)
    runner.hold = True
    control = first.bus.reader()
    await control.assign({(topics.RUNNER_CONTROL, 0): None})
    before = await control.end(topics.RUNNER_CONTROL, 0)
    ids = [await first.start("v") for _ in range(20)]
    await until(lambda: len(runner.tasks) == 20)
    await second.service.drain()
    await until(lambda: len(held(first)) == SHARDS)
    assert await control.end(topics.RUNNER_CONTROL, 0) == before, "a task was withdrawn"
    for task in list(runner.tasks):
        runner.run(task)
    runner.hold = False
    for execution in ids:
        await first.ended(execution, seconds=40)
    await control.close()
    await runner.stop()

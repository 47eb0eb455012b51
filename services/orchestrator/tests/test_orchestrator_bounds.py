"""What is in hand is bounded in bytes, however slow the database and however large the data."""

import asyncio
import os
from typing import Any

import pytest
from weft_contracts import topics
from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.ids import new_id, shard_of
from weft_contracts.messages import Envelope, NodeCompleted, NodeWaiting, ResumeExecution
from weft_kit import items
from weft_orchestrator.application import committer, inbox
from weft_orchestrator.application.ports import Group

from services.orchestrator.tests.orchestrator_world import FakeRunner, World, chain, node

pytestmark = pytest.mark.integration
START = node("Start", "webhook", version=2)
LINE = chain(START, node("A", at=1))
SIZE = 200_000


async def until(condition: Any, seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


class Watched:
    """Commits, with what each group weighed; they can be made to fail."""

    def __init__(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        commits = world.service._owner.committer._commits
        self.commit = commits.commit
        self.away = False
        self.tries = 0
        self.groups: list[Group] = []
        monkeypatch.setattr(commits, "commit", self.watch)

    async def watch(self, group: Group) -> None:
        self.tries += 1
        if self.away:
            raise WeftError(ErrorCode.UNAVAILABLE, "The database is away.")
        await self.commit(group)
        self.groups.append(group)

    def weights(self) -> list[tuple[int, int]]:
        """Bytes of outputs and shards of each group."""
        return [
            (
                sum(len(row.output.data) for each in group.entries for row in each.rows if row.output),
                len({each.live.shard for each in group.entries}),
            )
            for group in self.groups
        ]


def incompressible() -> Any:
    return items.encode_outputs([[{"json": {"x": os.urandom(SIZE // 2).hex()}}]])


async def test_many_large_results_are_written_in_groups_of_bounded_size(
    world: World, runner: FakeRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(committer, "MOST_BYTES", 1_000_000)
    world.store.versions["v"] = LINE
    runner.hold = True
    runner.script["A"] = lambda task, _: NodeCompleted("A", 0, 2, 1, (), (1,), incompressible())
    executions = [await world.start("v") for _ in range(40)]
    await until(lambda: len(runner.tasks) == 40)
    watched = Watched(world, monkeypatch)
    watched.away = True
    for task in runner.tasks:
        runner.run(task)
    await until(lambda: watched.tries > 2 and not runner.reader._fresh)
    watched.away = False
    for execution in executions:
        await world.ended(execution, seconds=60)
    weights = watched.weights()
    assert sum(size for size, _ in weights) > 40 * SIZE / 3
    assert all(size <= 1_000_000 or shards == 1 for size, shards in weights), weights
    assert len(weights) > 4


async def test_reading_waits_while_much_is_not_in_the_database(
    world: World, runner: FakeRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "MOST_BYTES", 1_000_000)
    world.store.versions["v"] = LINE
    await world.ended(await world.start("v"))  # its version is at hand
    watched, taken = Watched(world, monkeypatch), world.service._owner.inbox
    watched.away = True
    starts = [asyncio.create_task(world.start("v", output=incompressible())) for _ in range(40)]
    await until(lambda: taken._in_hand >= 1_000_000)
    tries = watched.tries
    await until(lambda: watched.tries > tries + 2)
    assert taken._in_hand < 1_000_000 + 2 * SIZE
    assert len(world.service._owner.lives) < 40
    watched.away = False
    for execution in await asyncio.gather(*starts):
        await world.ended(execution, seconds=60)
    await until(lambda: taken._in_hand == 0)


@pytest.mark.parametrize("evicted", [True, False])
async def test_the_caller_of_a_repeated_start_gets_the_answer_too(
    world: World, runner: FakeRunner, evicted: bool
) -> None:
    owner = world.service._owner
    owner._most_waiting = 0 if evicted else 100
    world.store.versions["v"] = chain(START, node("W", "wait", 1, version=1.1), node("B", at=2))
    tokens: list[str] = []

    def wait(task: Any, _: Any) -> Any:
        tokens.append(task.resume_token)
        if task.resume is None:
            return NodeWaiting("W", 0, 2, 1, (), "webhook", None)
        return NodeCompleted("W", 0, 2, 1, (), (1,), items.encode_outputs([[{"json": {"late": True}}]]))

    runner.script["W"] = wait
    execution = await world.start("v", response="last_node", reply_to="reply.first")
    await world.has_status(execution, "waiting")
    if evicted:
        await until(lambda: not owner.lives)
    await world.start("v", execution_id=execution, response="last_node", reply_to="reply.test")
    await until(lambda: execution in owner.lives and owner.lives[execution].listeners == ["reply.test"])
    resume = ResumeExecution(execution, "W", 0, "webhook", tokens[0])
    await world.bus.submit(
        topics.EXECUTION_COMMANDS, Envelope(new_id(), resume, execution), shard_of(execution)
    )
    await world.ended(execution)
    await until(lambda: world.replies)
    assert [reply.execution_id for reply in world.replies] == [execution]
    assert world.replies[0].kind == "finished"

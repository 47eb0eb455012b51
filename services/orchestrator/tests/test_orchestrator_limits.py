"""What kills, floods or can't be handled ends by itself and harms nothing beside it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest
from weft_contracts import topics
from weft_contracts.errors import WeftError
from weft_contracts.ids import new_id, shard_of
from weft_contracts.messages import (
    CancelExecution,
    Envelope,
    NodeCompleted,
    NodeStarted,
    NodeWaiting,
    ResumeExecution,
    RunSegment,
    StartExecution,
)
from weft_contracts.payload import Payload
from weft_contracts.pb import orchestrator_pb2 as pb
from weft_kit import items
from weft_kit.telemetry import metrics
from weft_orchestrator.domain.fleet import Queue

from services.orchestrator.tests.orchestrator_world import WORKFLOW, FakeRunner, World, chain, node

pytestmark = pytest.mark.integration
START = node("Start", "webhook", version=2)
LINE = chain(START, node("A", at=1), node("B", at=2), node("C", at=3))


async def until(condition: Any, seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


def measured(metric: str) -> float:
    lines = metrics.render().decode().splitlines()
    return next((float(line.split()[-1]) for line in lines if line.startswith(metric)), 0.0)


@contextlib.asynccontextmanager
async def beating(runner: FakeRunner) -> AsyncIterator[None]:
    """Its heartbeats, with all that it was given."""

    async def beats() -> None:
        while True:
            runner.beat(*[task.dispatch_id for task in runner.tasks])
            await asyncio.sleep(0.05)

    task = asyncio.create_task(beats())
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def lose_three(world: World) -> None:
    """Three runners, one after another, take the task and are never heard of again."""
    fleet = world.service._owner.dispatcher.fleet
    fleet.lease = 0.5
    for number in range(3):
        victim = FakeRunner(world, f"victim{number}", number + 1)
        victim.hold = True
        await victim.start()
        async with beating(victim):
            await until(lambda victim=victim: victim.tasks)
            dispatch = victim.tasks[0].dispatch_id
            await until(lambda dispatch=dispatch: fleet.dispatches[dispatch].begun)
        await until(lambda dispatch=dispatch: dispatch not in fleet.dispatches)
        await victim.stop()


async def test_three_lost_runners_are_an_error_that_the_error_workflow_hears_of(world: World) -> None:
    world.store.versions["handler"] = chain(node("Start", "errorTrigger"), node("X", at=1))
    world.store.versions["v"] = chain(START, node("A", at=1), errorWorkflow="handler")
    execution = await world.start("v")
    await lose_three(world)
    found = await world.ended(execution, "error", 60)
    assert b'"code":"CRASHED"' in found.execution.error
    assert b'"cause":"crashed"' in found.execution.error
    assert b'"node":"A"' in found.execution.error
    last = await FakeRunner(world, "r9", 9).start()
    async with beating(last):
        await until(lambda: "X" in last.ran)
    await last.stop()


async def test_the_error_workflow_hears_of_a_run_that_took_too_long(world: World) -> None:
    world.store.versions["handler"] = chain(node("Start", "errorTrigger"), node("X", at=1))
    world.store.versions["v"] = chain(START, node("A", at=1), errorWorkflow="handler", executionTimeout=0.2)
    runner = await FakeRunner(world, "r1", 1).start(alive=True)
    runner.script["A"] = lambda *_: NodeWaiting("A", 0, 2, 1, (), "webhook", None)
    execution = await world.start("v")
    found = await world.ended(execution, "error", 60)
    assert b'"cause":"timeout"' in found.execution.error
    await until(lambda: "X" in runner.ran)
    await runner.stop()


async def test_three_lost_runners_take_the_error_output_where_there_is_one(world: World) -> None:
    killer = node("A", at=1, onError="continueRegularOutput")
    world.store.versions["v"] = chain(START, killer, node("B", at=2))
    execution = await world.start("v")
    await lose_three(world)
    last = await FakeRunner(world, "r9", 9).start()
    async with beating(last):
        found = await world.ended(execution, "success", 60)
    await last.stop()
    assert last.ran == ["B"]
    killed = next(run for run in found.node_runs if run.node == "A")
    assert b"error" in killed.outputs


async def letters(world: World, count: int) -> list[Any]:
    async with asyncio.timeout(60):
        while len(found := [letter async for letter in world.bus.letters.all()]) != count:
            await asyncio.sleep(0.01)
    return found


async def test_a_message_that_can_not_be_handled_becomes_a_letter_and_ends_its_execution_only(
    world: World, runner: FakeRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.store.versions["v"] = LINE
    runner.hold = True
    poisoned, other = await world.start("v"), await world.start("v")
    await until(lambda: len(runner.tasks) == 2)

    def breaks(*_: object) -> None:
        raise RuntimeError("poison")

    monkeypatch.setattr(world.service._owner, "_cancel", breaks)
    envelope = Envelope(new_id(), CancelExecution(poisoned), poisoned)
    await world.bus.submit(topics.EXECUTION_COMMANDS, envelope, shard_of(poisoned))
    (letter,) = await letters(world, 1)
    assert (letter.topic, letter.envelope) == (topics.EXECUTION_COMMANDS, envelope)
    assert "poison" in letter.error
    found = await world.ended(poisoned, "error")
    assert b'"cause":"crashed"' in found.execution.error
    assert letter.id.encode() in found.execution.error
    for task in runner.tasks:
        runner.run(task)
    await world.ended(other)


async def test_so_does_one_for_an_execution_that_must_be_read_first(
    world: World, runner: FakeRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.store.versions["v"] = LINE
    runner.hold = True
    execution = await world.start("v")
    await until(lambda: runner.tasks)
    await runner.stop()
    await world.crash()
    await world.boot()

    def breaks(*_: object) -> None:
        raise RuntimeError("poison")

    monkeypatch.setattr(world.service._owner, "_wake", breaks)
    command = ResumeExecution(execution, "A", 0, "webhook", "t")
    await world.bus.submit(
        topics.EXECUTION_COMMANDS, Envelope(new_id(), command, execution), shard_of(execution)
    )
    await letters(world, 1)
    found = await world.ended(execution, "error")
    assert b"dead letter" in found.execution.error


async def test_a_start_that_can_not_be_handled_is_an_execution_that_says_so(
    world: World, runner: FakeRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.store.versions["v"] = LINE
    begin = world.service._owner.admission.begin

    def breaks(command: StartExecution, graph: Any) -> None:
        if command.mode == "manual":
            raise RuntimeError("poison")
        begin(command, graph)

    monkeypatch.setattr(world.service._owner.admission, "begin", breaks)
    poisoned, other = await world.start("v", mode="manual"), await world.start("v")
    await world.ended(other)
    found = await world.ended(poisoned, "error")
    assert b"dead letter" in found.execution.error
    listed = await world.executions.List(pb.ListExecutionsRequest(limit=10))
    assert {each.id for each in listed.executions} == {poisoned, other}


async def test_a_project_that_queued_ten_thousand_runs_is_overtaken_by_another(world: World) -> None:
    """With every slot taken by the flood, the other project's run goes at once."""
    world.store.versions["v"] = LINE
    runner = FakeRunner(world)
    runner.hold = True
    await runner.start()
    await asyncio.gather(*[world.start("v") for _ in range(10_000)])
    owner = world.service._owner
    await until(lambda: sum(queue.length for queue in owner.dispatcher.fleet.queues.values()) >= 9_000)
    waited = 'weft_oldest_ready_task_seconds{pool="default"}'
    await until(lambda: measured(waited) > 0)
    taken = len(runner.tasks)
    execution = new_id()
    payload = items.encode_outputs([[{"json": {}}]])
    command = StartExecution(
        execution, "00000000-0000-7000-8000-0000000000ff", WORKFLOW, "v", "webhook", "Start", payload, (1,)
    )
    await world.bus.submit(
        topics.EXECUTION_COMMANDS, Envelope(new_id(), command, execution), shard_of(execution)
    )
    await until(lambda: len(runner.tasks) > taken)
    assert [task.execution_id for task in runner.tasks[taken:]] == [execution]
    await runner.stop()


async def test_an_unknown_execution_is_no_poison(world: World, runner: FakeRunner) -> None:
    world.store.versions["v"] = LINE
    unknown = new_id()
    await world.bus.submit(
        topics.EXECUTION_COMMANDS, Envelope(new_id(), CancelExecution(unknown), unknown), shard_of(unknown)
    )
    await world.ended(await world.start("v"))
    assert [letter async for letter in world.bus.letters.all()] == []
    with pytest.raises(WeftError):
        await world.get(unknown)


async def test_a_node_that_kills_the_whole_process_three_times_ends_its_run(world: World) -> None:
    """The first time nobody has said that it began; from then on every node is announced."""
    world.store.versions["v"] = LINE
    execution = await world.start("v")
    announced = []
    for boot in range(4):
        victim = FakeRunner(world, f"victim{boot}")
        victim.hold = True
        await victim.start()
        await until(lambda victim=victim: victim.tasks)
        task = victim.tasks[0]
        announced.append(task.announce)
        if task.announce:
            started = NodeStarted("A", 0, 2, task.entry.inputs, confirm=True)
            victim.report(task, [started], last=False)
            rows = world.service._owner.lives[execution].rows
            await until(lambda rows=rows: ("A", 0) in rows and rows["A", 0].details.dispatch_id)
            await world.service._owner.committer.flush()
        await world.has_status(execution, "running")
        await victim.stop()
        await world.crash()
        await world.boot()
    found = await world.ended(execution, "error", 60)
    assert announced == [False, True, True, True]
    assert b'"code":"CRASHED"' in found.execution.error


async def test_names_that_cannot_be_stored_end_their_own_run_only(world: World) -> None:
    world.store.versions["bad"] = chain(START, node("A\x00", at=1))
    world.store.versions["v"] = LINE
    runner = await FakeRunner(world).start()
    bad, good = await world.start("bad"), await world.start("v")
    assert b"zero character" in (await world.ended(bad, "error", 30)).execution.error
    await world.ended(good, seconds=30)
    await runner.stop()


@pytest.mark.parametrize("spoilt", ["a\x00b", "a\ud800b"])
async def test_what_the_database_refuses_ends_its_execution_only(
    world: World, runner: FakeRunner, spoilt: str
) -> None:
    """Each in a group with others: a new execution, and one that is stored already."""
    world.store.versions["v"] = LINE
    runner.hold = True
    stored = await world.start("v")
    await until(lambda: runner.tasks)
    await world.has_status(stored, "running")
    fresh = [await world.start("v") for _ in range(3)]
    await until(lambda: len(runner.tasks) == 4)

    def report(task: RunSegment, ref: str) -> None:
        entry = task.entry
        output = Payload(1, b"", 2, ref)
        runner.report(
            task, [NodeCompleted(entry.node, entry.run_index, 2, 1, entry.inputs, (1,), output)], last=False
        )

    for task in list(runner.tasks):
        if task.execution_id in (stored, fresh[1]):
            report(task, spoilt)
        else:
            runner.run(task)
    for execution in (stored, fresh[1]):
        found = await world.ended(execution, "error")
        assert b"can't be stored" in found.execution.error
    for execution in (fresh[0], fresh[2]):
        await world.ended(execution)


async def test_a_start_that_the_database_refuses_is_kept_as_failed(world: World, runner: FakeRunner) -> None:
    world.store.versions["v"] = LINE
    refused = await world.start("v", output=Payload(1, b"", 2, "a\x00b"))
    other = await world.start("v")
    found = await world.ended(refused, "error")
    assert b"can't be stored" in found.execution.error
    await world.ended(other)


def test_the_queue_knows_since_when_the_oldest_task_waits() -> None:
    queue = Queue()
    assert queue.oldest() is None
    lives: Any = [
        SimpleNamespace(project_id=project, ready={("N", 0): object()}) for project in ("a", "b", "a")
    ]
    for now, live in enumerate(lives):
        queue.put(live, ("N", 0), float(now))
    assert queue.oldest() == 0.0
    assert queue.take() == (lives[0], ("N", 0))
    assert queue.oldest() == 1.0
    lives[1].ready.clear()  # it was stopped
    assert (queue.oldest(), queue.length, queue.holds("b")) == (2.0, 1, False)
    assert queue.take() == (lives[2], ("N", 0))
    assert queue.oldest() is None

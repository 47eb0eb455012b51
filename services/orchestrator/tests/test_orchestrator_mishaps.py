"""What goes wrong around a message or a duty: it is made good, or the execution ends and says why. Nothing hangs."""

import asyncio
from typing import Any

import pytest
from weft_contracts import topics
from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.ids import new_id, shard_of
from weft_contracts.messages import (
    CancelExecution,
    ChildStart,
    Envelope,
    Heartbeat,
    NodeCompleted,
    NodeError,
    NodeFailed,
    NodeStarted,
    NodeWaiting,
    ResumeExecution,
    RetryExecution,
    RunSegment,
    SegmentReports,
    StartConfirmed,
)
from weft_kit import items
from weft_orchestrator.application.clock import now_us
from weft_orchestrator.application.inbox import Inbox

from services.orchestrator.tests.orchestrator_world import FakeRunner, World, chain, node

pytestmark = pytest.mark.integration
START = node("Start", "webhook", version=2)
LINE = chain(START, node("A", at=1))
GIVEN = items.encode_outputs([[{"json": {}}]])


async def until(condition: Any, seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


async def submit(world: World, command: Any) -> None:
    """Returns once the message has taken effect."""
    envelope = Envelope(new_id(), command, command.execution_id)
    async with asyncio.timeout(20):
        await world.bus.submit(topics.EXECUTION_COMMANDS, envelope, shard_of(command.execution_id))


def once(failure: BaseException, work: Any) -> Any:
    """`work` that fails at the first call."""
    failures = [failure]

    async def flaky(*given: Any) -> Any:
        if failures:
            raise failures.pop()
        return await work(*given)

    return flaky


async def test_a_result_that_does_not_fit_is_run_anew(world: World, runner: FakeRunner) -> None:
    world.store.versions["v"] = LINE
    runner.hold = True
    execution = await world.start("v")
    await until(lambda: runner.tasks)
    runner.hold = False
    stray = NodeCompleted("Start", 7, 2, 1, (), (1,), GIVEN)
    runner.report(runner.tasks[0], [stray], last=False)
    await world.ended(execution)
    assert runner.ran == ["A"]


async def test_a_task_that_is_over_without_a_result_is_run_anew(world: World, runner: FakeRunner) -> None:
    world.store.versions["v"] = LINE
    runner.hold = True
    execution = await world.start("v")
    await until(lambda: runner.tasks)
    runner.hold = False
    runner.report(runner.tasks[0], [])
    await world.ended(execution)
    assert runner.ran == ["A"]


async def test_the_end_of_a_task_ends_no_later_one_of_the_same_run(world: World, runner: FakeRunner) -> None:
    world.store.versions["v"] = chain(START, node("W", "wait", 1))
    runner.hold = True
    execution = await world.start("v")
    await until(lambda: runner.tasks)
    runner.report(runner.tasks[0], [NodeWaiting("W", 0, 2, 1, (), "timer", until=1)], last=False)
    await until(lambda: len(runner.tasks) == 2)
    runner.report(runner.tasks[0], [])
    await until(lambda: runner.tasks[0].dispatch_id not in world.service._owner.dispatcher.fleet.dispatches)
    runner.run(runner.tasks[1])
    found = await world.ended(execution)
    assert len(runner.tasks) == 2
    assert [run.node for run in found.node_runs] == ["Start", "W"]


async def test_an_execution_that_can_not_be_read_ends(world: World, runner: FakeRunner) -> None:
    world.store.versions["v"] = LINE
    runner.hold = True
    execution = await world.start("v")
    await until(lambda: runner.tasks)
    await runner.stop()
    await world.crash()
    world.store.versions.clear()
    await world.boot()
    await submit(world, CancelExecution(execution))
    found = await world.ended(execution, "error")
    assert b"no such version" in found.execution.error


async def test_a_message_of_an_execution_that_breaks_its_reader_is_a_letter(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def breaks(*_: object) -> None:
        raise ValueError("what is stored makes no sense")

    for name in ("load", "bare"):
        monkeypatch.setattr(world.service._owner.memory._executions, name, breaks)
    command = CancelExecution(new_id())
    await submit(world, command)
    (letter,) = [each async for each in world.bus.letters.all()]
    assert letter.envelope.body == command
    assert "makes no sense" in letter.error


async def test_a_version_that_can_not_be_compiled_ends_its_start(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def breaks(*_: object) -> None:
        raise TypeError("no graph")

    monkeypatch.setattr(world.service._owner.memory._versions, "graph", breaks)
    async with asyncio.timeout(20):
        execution = await world.start("v")
    await world.ended(execution, "error")


async def test_a_retry_waits_for_the_database(
    world: World, runner: FakeRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.store.versions["v"] = LINE
    runner.script["A"] = lambda task, _: NodeFailed("A", 0, 2, 1, (), NodeError("bad"))
    failed = await world.start("v")
    await world.ended(failed, "error")
    del runner.script["A"]
    executions = world.service._owner.memory._executions
    gone = WeftError(ErrorCode.UNAVAILABLE, "The database is away.")
    monkeypatch.setattr(executions, "retry", once(gone, executions.retry))
    again = new_id()
    await submit(world, RetryExecution(again, failed))
    await world.ended(again)


async def test_a_store_that_dies_over_a_question_is_asked_again(
    world: World, runner: FakeRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.store.versions["v"] = LINE
    died = WeftError(ErrorCode.UNAVAILABLE, "Stream removed")
    monkeypatch.setattr(world.store, "GetVersion", once(died, world.store.GetVersion))
    await world.ended(await world.start("v"))


async def test_a_retry_that_breaks_is_a_letter(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def breaks(*_: object) -> None:
        raise ValueError("what is stored makes no sense")

    monkeypatch.setattr(world.service._owner.memory._executions, "retry", breaks)
    await submit(world, RetryExecution(new_id(), new_id()))
    assert len([each async for each in world.bus.letters.all()]) == 1


async def test_a_letter_waits_for_where_letters_go(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def breaks(*_: object) -> None:
        raise ValueError("what is stored makes no sense")

    for name in ("load", "bare"):
        monkeypatch.setattr(world.service._owner.memory._executions, name, breaks)
    monkeypatch.setattr(world.bus, "dead_letter", once(OSError("full"), world.bus.dead_letter))
    await submit(world, CancelExecution(new_id()))
    assert len([each async for each in world.bus.letters.all()]) == 1


async def test_text_that_no_byte_can_say_ends_its_execution_only(world: World, runner: FakeRunner) -> None:
    world.store.versions["v"] = LINE
    runner.script["A"] = lambda task, _: NodeFailed("A", 0, 2, 1, (), NodeError("half \ud800"))
    halved = await world.start("v")
    await world.ended(halved, "error")
    del runner.script["A"]
    await world.ended(await world.start("v"))


async def test_children_of_a_second_try_are_waited_for(world: World, runner: FakeRunner) -> None:
    world.store.versions["child"] = chain(
        node("Start", "executeWorkflowTrigger", version=1.1), node("X", at=1)
    )
    parent = node("P", "executeWorkflow", 1, version=1.2, retryOnFail=True, maxTries=2, waitBetweenTries=0)
    world.store.versions["v"] = chain(START, parent)

    def call(task: Any, activation: Any) -> Any:
        if task.resume is None:
            return NodeWaiting(
                "P", 0, now_us(), 1, (), "child", None, (ChildStart("child", "child", "Start", GIVEN, (1,)),)
            )
        (error,) = task.resume.errors
        if error is not None:
            return NodeFailed("P", 0, 2, 1, (), error, task.attempt, 1)
        return NodeCompleted("P", 0, 2, 1, (), (1,), task.resume.data[0])

    def fail_once(task: Any, activation: Any) -> Any:
        del runner.script["X"]
        return NodeFailed("X", 0, 2, 1, (), NodeError("bad"))

    runner.script.update(P=call, X=fail_once)
    await world.ended(await world.start("v"))
    assert runner.ran == ["P", "X", "P", "P", "X", "P"]


async def test_a_takeover_waits_for_the_bus(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    failures = [WeftError(ErrorCode.UNAVAILABLE, "Kafka is out of reach.")]
    end_of_results = Inbox.end_of_results

    async def flaky(inbox: Inbox, shard: int) -> int:
        if failures:
            raise failures.pop()
        return await end_of_results(inbox, shard)

    monkeypatch.setattr(Inbox, "end_of_results", flaky)
    free = "UPDATE orchestrator.shards SET owner = '', expires_at = '-infinity'"
    await (await world.database.pool()).execute(free)
    await world.crash()
    await world.boot(exclusive=False)
    await until(lambda: world.service._owner.inbox.shards)
    await until(lambda: all(shard.recovered for shard in world.service._owner.inbox.shards.values()))


async def test_a_start_behind_another_message_of_its_execution_begins(
    world: World, runner: FakeRunner
) -> None:
    """As a new owner finds them where the one before died before it had committed."""
    world.store.versions["v"] = LINE
    execution = new_id()
    early = submit(world, ResumeExecution(execution, "A", 0, "webhook", "t"))
    await asyncio.gather(early, world.start("v", execution_id=execution))
    await world.ended(execution)


async def test_a_retry_that_is_cancelled_at_once_is_cancelled(world: World, runner: FakeRunner) -> None:
    world.store.versions["v"] = LINE
    runner.script["A"] = lambda task, _: NodeFailed("A", 0, 2, 1, (), NodeError("bad"))
    failed = await world.start("v")
    await world.ended(failed, "error")
    runner.hold = True
    again = new_id()
    await asyncio.gather(submit(world, RetryExecution(again, failed)), submit(world, CancelExecution(again)))
    await world.ended(again, "cancelled")


async def test_what_can_not_follow_is_not_tried_for_ever(world: World, runner: FakeRunner) -> None:
    world.store.versions["next"] = chain()
    world.store.versions["v"] = chain(
        START, node("A", at=1), nextWorkflows=[{"workflowId": "next", "when": "always"}]
    )
    await world.ended(await world.start("v"))
    async with asyncio.timeout(20):
        while await world.service._owner.memory._executions.to_follow_up(list(range(64))):
            await asyncio.sleep(0.01)


POST = {"parameters": {"method": "POST", "url": "http://x"}, "version": 4.2}


class Earlier:
    """A runner that has a task of the owner before, and takes no new ones."""

    def __init__(self, world: World, execution: str) -> None:
        self.world = world
        self.execution = execution
        self.dispatch = new_id()
        self.answers: list[Any] = []

    async def start(self) -> "Earlier":
        shard = self.world.service._owner.inbox.shards[shard_of(self.execution)]
        await until(lambda: shard.recovered)
        shard.recovered = False  # as while the results that were there at a takeover are read
        self.control = self.world.bus.reader()
        await self.control.assign({(topics.RUNNER_CONTROL, 7): None})
        beat = Heartbeat("r0", 7, {"default": 5}, (self.dispatch,), 0, leaving=True)
        self.world.bus.send(topics.RUNNER_HEARTBEATS, Envelope(new_id(), beat, "r0"))
        await until(lambda: "r0" in self.world.service._owner.dispatcher.fleet.runners)
        return self

    def report(self, *reports: Any, last: bool = False) -> None:
        body = SegmentReports(self.execution, self.dispatch, "r0", reports, last)
        self.world.bus.send(
            topics.NODE_RESULTS, Envelope(new_id(), body, self.execution), shard_of(self.execution)
        )

    async def granted(self) -> bool:
        async with asyncio.timeout(10):
            while not self.answers:
                self.answers += [
                    received.envelope.body
                    for received in await self.control.fetch()
                    if received.envelope is not None and isinstance(received.envelope.body, StartConfirmed)
                ]
        return bool(self.answers.pop(0).granted)


def asks(name: str) -> NodeStarted:
    return NodeStarted(name, 0, now_us(), (), confirm=True)


def done(name: str) -> NodeCompleted:
    return NodeCompleted(name, 0, now_us(), 1, (), (1,), GIVEN)


async def test_a_run_that_waits_for_a_runner_may_begin_where_the_owner_before_had_sent_it(
    world: World,
) -> None:
    world.store.versions["v"] = chain(START, node("H", "httpRequest", 1, **POST), node("C", at=2))
    execution = await world.start("v")
    owner = world.service._owner
    await until(lambda: execution in owner.lives)
    earlier = await Earlier(world, execution).start()
    earlier.report(asks("H"))
    assert await earlier.granted()
    runner = await FakeRunner(world).start(alive=True)
    await until(lambda: "r1" in owner.dispatcher.fleet.runners)
    owner.tick()
    earlier.report(done("H"))
    await world.ended(execution)
    assert runner.ran == ["C"]
    await runner.stop()


@pytest.mark.parametrize("together", [False, True])
async def test_a_second_unsafe_node_begins_in_one_place(world: World, together: bool) -> None:
    world.store.versions["v"] = chain(
        START, node("H", "httpRequest", 1, **POST), node("I", "httpRequest", 2, **POST)
    )
    execution = await world.start("v")
    owner = world.service._owner
    await until(lambda: execution in owner.lives)
    earlier = await Earlier(world, execution).start()
    earlier.report(asks("H"))
    assert await earlier.granted()
    runner = await FakeRunner(world).start(alive=True)
    await until(lambda: "r1" in owner.dispatcher.fleet.runners)
    runner.hold = True
    if together:  # it goes on there
        earlier.report(done("H"), asks("I"))
        assert await earlier.granted()
        owner.tick()
        earlier.report(done("I"), last=True)
        await world.ended(execution)
        assert not runner.tasks
    else:  # it has been handed out meanwhile
        earlier.report(done("H"))
        await until(lambda: runner.tasks)
        earlier.report(asks("I"))
        assert not await earlier.granted()
        task: RunSegment = runner.tasks[0]
        assert task.entry.node == "I"
        runner.report(task, [asks("I")], last=False)
        await until(lambda: "I" in {key[0] for key in owner.lives[execution].rows})
        runner.report(task, [done("I")])
        await world.ended(execution)
    await runner.stop()

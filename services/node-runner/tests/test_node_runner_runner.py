"""Taking segments, keeping leases, answering."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec
import pytest
from weft_contracts import topics
from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.ids import new_id
from weft_contracts.messages import (
    Activation,
    CancelDispatch,
    Envelope,
    Heartbeat,
    NodeCompleted,
    NodeFailed,
    NodeOutput,
    NodeStarted,
    RunSegment,
    SegmentReports,
    Source,
    StartConfirmed,
)
from weft_contracts.pb import orchestrator_pb2 as pb
from weft_kit import items
from weft_kit.bus.memory import MemoryBus
from weft_node_runner.application import runner
from weft_node_runner.application.runner import Runner
from weft_node_runner.domain.plan import Plan
from weft_node_sdk.catalogue import Catalogue

MakeNode = Callable[..., dict[str, Any]]


class Registry:
    async def RegisterRunner(self, request: pb.RegisterRunnerRequest) -> pb.RegisterRunnerResponse:
        assert list(request.pools) == ["default", "code"]
        return pb.RegisterRunnerResponse(partition=3)


class World:
    """Plays the orchestrator. `beats` and `results`: what the runner has sent."""

    def __init__(self, outside_of: Any, *nodes: dict[str, Any], slots: int = 2) -> None:
        document = {"nodes": list(nodes), "connections": {}, "settings": {"executionOrder": "v1"}}
        self.plan = Plan("v1", json.dumps(document).encode(), Catalogue.load(), "UTC")
        self.bus = MemoryBus()
        self.beats: list[Heartbeat] = []
        self.results: list[SegmentReports] = []
        self.bus.subscribe(topics.RUNNER_HEARTBEATS, self._beat, None)
        self.bus.subscribe(topics.NODE_RESULTS, self._result, None)
        self.outside = outside_of(self.plan)
        executions: Any = Registry()
        self.runner = Runner("r1", self.bus, executions, self.outside, {"default": slots, "code": 1})
        self.gate = asyncio.Event()
        self.began: list[str] = []
        self.stopped: list[str] = []
        self.plan.node("A").run = self._gated

    async def _gated(self, ctx: Any) -> Any:
        self.began.append(ctx.execution.id)
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.stopped.append(ctx.execution.id)
            raise
        return [ctx.items]

    async def _beat(self, envelope: Envelope) -> None:
        assert isinstance(envelope.body, Heartbeat)
        self.beats.append(envelope.body)

    async def _result(self, envelope: Envelope) -> None:
        assert isinstance(envelope.body, SegmentReports)
        self.results.append(envelope.body)

    def task(self, execution: str = "e1", node: str = "A", project: str = "p1") -> RunSegment:
        given = NodeOutput("Start", 0, (1,), items.encode_outputs([[{"json": {}}]]))
        entry = Activation(node, 0, (Source("Start"),))
        return RunSegment(
            new_id(), execution, project, "w1", "v1", "webhook", 7, entry, (node,), True, 1,
            runs={"Start": 1, node: 1}, outputs=(given,),
        )  # fmt: skip

    def send(self, *bodies: RunSegment | CancelDispatch | StartConfirmed) -> None:
        for body in bodies:
            topic = topics.node_tasks("default") if isinstance(body, RunSegment) else topics.RUNNER_CONTROL
            self.bus.send(topic, Envelope(new_id(), body, self.runner._name), 3)

    async def until(self, condition: Callable[[], Any]) -> None:
        async with asyncio.timeout(20):
            while not condition():
                await asyncio.sleep(0.005)

    def last(self, task: RunSegment) -> list[SegmentReports]:
        return [each for each in self.results if each.dispatch_id == task.dispatch_id and each.last]


@pytest.fixture
async def world(outside_of: Any, a_node: MakeNode) -> AsyncIterator[World]:
    post = a_node("P", "httpRequest", 4.2, parameters={"method": "POST", "url": "http://127.0.0.1:1"})
    made = World(outside_of, a_node("Start", "webhook", 2), a_node("A"), post)
    assert made.runner.ready() == "not running"
    await made.bus.start()
    await made.runner.start()
    yield made
    await made.runner.stop()
    await made.bus.stop()


async def test_a_segment_is_held_while_it_runs_and_reported(world: World) -> None:
    task = world.task()
    assert world.runner.ready() == ""
    world.send(task, task)
    await world.until(lambda: world.began)
    world.runner._beat()
    await world.until(lambda: any(beat.dispatches == (task.dispatch_id,) for beat in world.beats))
    beat = world.beats[-1]
    assert (beat.runner, beat.partition, beat.slots) == ("r1", 3, {"default": 2, "code": 1})
    world.gate.set()
    await world.until(lambda: world.last(task))
    assert world.began == ["e1"]
    assert isinstance(world.last(task)[0].reports[-1], NodeCompleted)
    world.runner._beat()
    await world.until(lambda: world.beats[-1].dispatches == ())


async def test_no_more_segments_run_than_there_are_slots(world: World) -> None:
    tasks = [world.task(f"e{number}") for number in range(5)]
    world.send(*tasks)
    await world.until(lambda: len(world.runner._held) == 5 and len(world.began) == 2)
    for _ in range(20):
        await asyncio.sleep(0)
    assert len(world.began) == 2
    world.gate.set()
    await world.until(lambda: all(world.last(task) for task in tasks))


async def test_of_those_that_wait_each_project_has_its_turn(world: World) -> None:
    flood = [world.task(f"flood{n}") for n in range(6)]
    world.send(*flood)
    await world.until(lambda: len(world.began) == 2)
    world.send(world.task("single", project="p2"))
    await world.until(
        lambda: world.began[2:] == ["single"]
    )  # beyond the slots, as nothing of its project runs
    world.send(world.task("second", project="p2"))
    await world.until(lambda: len(world.runner._held) == 8)
    world.send(CancelDispatch(flood[2].dispatch_id))  # one that waits gives its turn up
    await world.until(lambda: len(world.runner._held) == 7)
    assert len(world.began) == 3
    world.gate.set()
    await world.until(lambda: len(world.began) == 7)
    assert world.began.index("second") <= 5
    await world.until(lambda: not world.runner._held)
    world.send(world.task("after"))
    await world.until(lambda: "after" in world.began)


async def test_a_cancelled_segment_stops_and_gives_its_slot_back(world: World) -> None:
    first, second, third = (world.task(name) for name in ("e1", "e2", "e3"))
    world.send(first, second, third)
    await world.until(lambda: len(world.began) == 2)
    world.send(CancelDispatch(first.dispatch_id), CancelDispatch("unknown"))
    await world.until(lambda: len(world.began) == 3)
    assert world.stopped == ["e1"]
    assert world.last(first) == []


async def test_a_segment_that_is_cancelled_before_it_began_is_not_held(world: World) -> None:
    task = world.task()
    world.send(task, CancelDispatch(task.dispatch_id))
    await world.until(lambda: world.bus.partition(topics.RUNNER_CONTROL, 3).base > 0)
    await world.until(lambda: not world.runner._held)
    await asyncio.wait_for(world.runner.drain(), 10)
    assert world.began == []


@pytest.mark.parametrize("granted", [True, False])
async def test_permission_to_begin_comes_by_the_bus(world: World, granted: bool) -> None:
    ran: list[bool] = []

    async def call(ctx: Any) -> Any:
        ran.append(True)
        return [ctx.items]

    world.plan.node("P").run = call
    task = world.task(node="P")
    world.send(task)
    await world.until(lambda: world.results)
    (started,) = world.results[0].reports
    assert isinstance(started, NodeStarted)
    assert started.confirm
    assert ran == []
    world.send(
        StartConfirmed(task.dispatch_id, "P", 9, not granted),
        StartConfirmed(task.dispatch_id, "P", 0, granted),
    )
    await world.until(lambda: not world.runner._held)
    assert ran == ([True] if granted else [])
    assert bool(world.last(task)) is granted


async def test_permission_is_asked_for_again_while_nobody_answers(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "CONFIRM_SECONDS", 0.01)
    task = world.task(node="P")
    world.send(task)
    await world.until(lambda: len(world.results) >= 3)
    asked = [each.reports[0] for each in world.results]
    assert all(isinstance(each, NodeStarted) and each.confirm for each in asked)

    def refused() -> bool:
        world.send(StartConfirmed(task.dispatch_id, "P", 0, granted=False))  # it may come between two waits
        return not world.runner._held

    await world.until(refused)


async def test_what_is_for_another_runner_of_the_partition_is_left_alone(world: World) -> None:
    world.gate.set()
    theirs, ours = (
        msgspec.structs.replace(world.task("e1"), runner="another"),
        msgspec.structs.replace(world.task("e2"), runner="r1"),
    )
    world.send(theirs, ours)
    await world.until(lambda: world.last(ours))
    assert world.began == ["e2"]


async def test_a_version_that_is_out_of_reach_is_asked_for_again(world: World) -> None:
    world.outside.fail = [WeftError(ErrorCode.UNAVAILABLE, "away") for _ in range(2)]
    world.gate.set()
    task = world.task()
    world.send(task)
    await world.until(lambda: world.last(task))
    assert world.outside.fail == []


async def test_a_segment_that_can_not_run_says_so(world: World) -> None:
    world.outside.fail = [WeftError(ErrorCode.NOT_FOUND, "no such version")]
    gone, bug = world.task("e1"), world.task("e2", node="Nobody")
    world.send(gone)
    await world.until(lambda: world.last(gone) and not world.runner._held)
    world.send(bug)
    await world.until(lambda: world.last(bug) and not world.runner._held)
    for task, code in (gone, "NOT_FOUND"), (bug, "INTERNAL"):
        (message,) = world.last(task)
        (failed,) = message.reports
        assert isinstance(failed, NodeFailed)
        assert (failed.node, failed.error.node, failed.error.code) == (task.entry.node, task.entry.node, code)
        assert failed.retry_at is None


async def test_who_leaves_says_so_and_ends_what_it_has(world: World) -> None:
    task = world.task()
    world.send(task)
    await world.until(lambda: world.began)
    draining = asyncio.create_task(world.runner.drain())
    await world.until(lambda: world.beats and world.beats[-1].leaving)
    assert not draining.done()
    world.gate.set()
    await asyncio.wait_for(draining, 10)
    assert world.last(task)
    assert world.runner._held == {}


async def test_who_leaves_runs_what_was_on_its_way_and_takes_nothing_later(world: World) -> None:
    world.gate.set()
    draining = asyncio.create_task(world.runner.drain())
    await world.until(lambda: world.beats and world.beats[-1].leaving)
    on_its_way, late = world.task("e1"), world.task("e2")
    world.send(on_its_way)
    await asyncio.wait_for(draining, 10)
    assert world.last(on_its_way)
    world.send(late)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(world.until(lambda: world.last(late)), 0.5)
    assert world.runner._held == {}


async def test_a_stop_leaves_nothing_running(world: World) -> None:
    world.send(world.task())
    await world.until(lambda: world.began)
    await world.runner.stop()
    assert world.stopped == ["e1"]
    assert world.runner.ready() == "not running"

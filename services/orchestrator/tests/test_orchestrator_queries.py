"""What people and other services are told about executions."""

import asyncio
import json
import secrets
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from weft_contracts import topics
from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.ids import INSTANCE_PROJECT, new_id
from weft_contracts.messages import (
    AuditRecorded,
    Envelope,
    ExecutionChange,
    NodeCompleted,
    NodeError,
    NodeFailed,
    NodeWaiting,
    ParentLink,
)
from weft_contracts.payload import Payload
from weft_contracts.pb import orchestrator_pb2 as pb
from weft_kit import items
from weft_orchestrator.adapters.file_entries import FileEntries
from weft_orchestrator.adapters.postgres_queries import PostgresQueries
from weft_orchestrator.application.sweeper import Sweeper

from services.orchestrator.tests.orchestrator_world import FakeRunner, World, chain, node

pytestmark = pytest.mark.integration

LINE = chain(node("Start", "webhook", version=2), node("A", at=1), node("B", at=2))
MANUAL = chain(node("Start", "manualTrigger"), node("A", at=1), node("B", at=2))


async def refused(call: Any, code: ErrorCode) -> WeftError:
    with pytest.raises(WeftError) as caught:
        await call
    assert caught.value.code is code
    return caught.value


async def test_lists_are_filtered_paged_and_counted(world: World, runner: FakeRunner) -> None:
    world.store.versions["v"] = LINE
    ids = [await world.start("v") for _ in range(5)]
    manual = await world.start("v", mode="manual")
    for each in [*ids, manual]:
        await world.ended(each)
    everything = await world.executions.List(pb.ListExecutionsRequest(limit=250))
    assert [each.id for each in everything.executions] == [manual, *reversed(ids)]
    assert (everything.total, everything.next_cursor) == (6, "")
    first = await world.executions.List(pb.ListExecutionsRequest(limit=4, modes=["webhook"]))
    assert [each.id for each in first.executions] == ids[:0:-1]
    assert first.total == 5
    rest = await world.executions.List(
        pb.ListExecutionsRequest(limit=4, modes=["webhook"], cursor=first.next_cursor)
    )
    assert [each.id for each in rest.executions] == ids[:1]
    second = await world.executions.List(pb.ListExecutionsRequest(limit=4, page=2))
    assert len(second.executions) == 2
    with pytest.raises(WeftError, match="cursor"):
        await world.executions.List(pb.ListExecutionsRequest(cursor="nonsense"))


async def test_custom_data_is_kept_and_found(world: World, runner: FakeRunner) -> None:
    world.store.versions["v"] = LINE

    def keep(task: Any, activation: Any) -> NodeCompleted:
        made = items.encode_outputs([[{"json": {}}]])
        kept = {"order": "17", "big": "x" * 512}
        return NodeCompleted("A", 0, 2, 1, activation.inputs, (1,), made, custom_data=kept)

    def fail(task: Any, activation: Any) -> NodeFailed:
        return NodeFailed("B", 0, 2, 1, activation.inputs, NodeError("bad"), custom_data={"order": "18"})

    runner.script |= {"A": keep, "B": fail}
    found = await world.start("v")
    await world.ended(found, "error")
    runner.script.clear()
    other = await world.start("v")
    await world.ended(other)
    kept = {"order": "18", "big": "x" * 512}
    assert dict((await world.get(found)).execution.custom_data) == kept
    assert dict((await world.get(other)).execution.custom_data) == {}

    async def listed(**custom: str) -> list[str]:
        answer = await world.executions.List(pb.ListExecutionsRequest(limit=9, custom_data=custom))
        assert all(dict(each.custom_data) == kept for each in answer.executions)
        assert answer.total == len(answer.executions)
        return [each.id for each in answer.executions]

    assert await listed(order="18") == [found]
    assert await listed(order="18", big="x" * 512) == [found]
    assert await listed(order="17") == []
    await world.executions.Delete(pb.DeleteExecutionRequest(execution_id=found))
    assert await listed(order="18") == []


async def test_lists_know_workflow_status_and_time(world: World, runner: FakeRunner) -> None:
    world.store.versions["v"] = LINE
    runner.script["B"] = lambda *_: NodeFailed("B", 0, 2, 1, (), NodeError("bad"))
    failed = await world.start("v")
    await world.ended(failed, "error")
    found = (await world.get(failed)).execution
    later = Timestamp(seconds=found.created_at.seconds + 60)
    for request, count in (
        (pb.ListExecutionsRequest(limit=9, statuses=["error"]), 1),
        (pb.ListExecutionsRequest(limit=9, statuses=["success"]), 0),
        (pb.ListExecutionsRequest(limit=9, workflow_id="w1"), 1),
        (pb.ListExecutionsRequest(limit=9, workflow_id="w2"), 0),
        (pb.ListExecutionsRequest(limit=9, before=later), 1),
        (pb.ListExecutionsRequest(limit=9, after=later), 0),
        (pb.ListExecutionsRequest(limit=9, project_ids=[INSTANCE_PROJECT]), 1),
        (pb.ListExecutionsRequest(limit=9, project_ids=["of somebody else"]), 0),
    ):
        assert (await world.executions.List(request)).total == count, request


async def test_other_projects_executions_do_not_exist(world: World, runner: FakeRunner) -> None:
    world.store.versions["v"] = LINE
    foreign = await world.start("v", project="of somebody else")
    executions = world.executions
    for call in (
        executions.Get(pb.GetExecutionRequest(execution_id=foreign)),
        executions.Stop(pb.StopRequest(execution_id=foreign)),
        executions.Retry(pb.RetryRequest(execution_id=foreign)),
        executions.Delete(pb.DeleteExecutionRequest(execution_id=foreign)),
        executions.Replay(pb.ReplayRequest(execution_id=foreign)),
        executions.Get(pb.GetExecutionRequest(execution_id="no id at all")),
    ):
        await refused(call, ErrorCode.NOT_FOUND)


async def test_data_of_nodes_is_given_run_by_run(world: World, runner: FakeRunner) -> None:
    world.store.versions["v"] = LINE
    execution = await world.start("v")
    await world.ended(execution)
    request = pb.GetExecutionRequest(execution_id=execution, node="A")
    assert not (await world.executions.Get(request)).node_runs[0].outputs
    request.include_data = True
    (run,) = (await world.executions.Get(request)).node_runs
    assert json.loads(run.outputs) == [[{"json": {"by": "A"}}]]
    assert json.loads(run.source) == [["Start", 0, 0]]
    keys = [
        pb.NodeRunKey(node="A", run_index=-1),
        pb.NodeRunKey(node="B"),
        pb.NodeRunKey(node="B", run_index=7),
    ]
    stored = await world.executions.GetNodeData(pb.GetNodeDataRequest(execution_id=execution, keys=keys))
    assert [(each.node, each.run_index, list(each.counts)) for each in stored.outputs] == [
        ("A", 0, [1]),
        ("B", 0, [1]),
    ]


async def test_a_run_is_replayed_and_watched_to_its_end(world: World, runner: FakeRunner) -> None:
    world.store.versions["v"] = LINE
    runner.hold = True
    execution = await world.start("v")

    async def watch() -> list[Any]:
        request = pb.WatchRequest(execution_id=execution)
        stream = world.executions.Watch(request)
        return [msgspec.json.decode(each.change, type=ExecutionChange) async for each in stream]

    await world.has_status(execution, "running")
    watching = asyncio.create_task(watch())
    async with asyncio.timeout(10):
        while not runner.tasks:
            await asyncio.sleep(0.01)
    runner.run(runner.tasks[0])
    seen = [type(each).__name__ for each in await watching]
    assert seen[0] == "ExecutionStarted"
    assert seen[-1] == "ExecutionFinished"
    assert seen.count("NodeFinished") == 3
    replay = await world.executions.Replay(pb.ReplayRequest(execution_id=execution, from_seq=1))
    changes = [msgspec.json.decode(each, type=ExecutionChange) for each in replay.changes]
    assert [each.seq for each in changes] == sorted(each.seq for each in changes)
    assert all(each.seq > 1 for each in changes)
    assert replay.workflow_id == "w1"


async def test_a_start_waits_for_the_end_and_repeats_under_a_key(world: World, runner: FakeRunner) -> None:
    world.store.versions["v"] = MANUAL
    request = pb.StartRequest(
        workflow_id="w1",
        version_id="v",
        project_id=INSTANCE_PROJECT,
        wait_seconds=10,
        idempotency_key="k",
        trigger_data=b'[{"a": 1}, {"json": {"a": 2}}]',
    )
    done = await world.executions.Start(request)
    assert done.execution.status == "success"
    assert json.loads(done.node_runs[0].outputs) == [[{"json": {"a": 1}}, {"json": {"a": 2}}]]
    again = await world.executions.Start(request)
    assert again.execution == done.execution
    assert again.node_runs == done.node_runs


@pytest.mark.parametrize(
    ("kind", "field", "told"),
    [
        ("scheduleTrigger", "Timezone", "Asia/Kolkata (UTC+05:30)"),
        ("errorTrigger", "workflow", {"id": "1", "name": "Example Workflow"}),
        ("manualTrigger", "Timezone", None),
    ],
)
async def test_a_trigger_that_is_given_nothing_gives_its_own_item(
    world: World, runner: FakeRunner, kind: str, field: str, told: object
) -> None:
    world.store.versions["v"] = chain(node("Start", kind), node("A", at=1), timezone="Asia/Kolkata")
    request = pb.StartRequest(workflow_id="w1", version_id="v", project_id=INSTANCE_PROJECT, wait_seconds=10)
    done = await world.executions.Start(request)
    ((item,),) = json.loads(done.node_runs[0].outputs)
    assert item["json"].get(field) == told


@pytest.mark.parametrize(
    "change",
    [
        {"mode": "sideways"},
        {"trigger_data": b"{"},
        {"trigger_data": b"{}"},
        {"trigger_data": b"[1]"},
        {"run_data": b"[]"},
        {"start_node": "nobody"},
    ],
)
async def test_a_start_that_makes_no_sense_is_refused(world: World, change: dict[str, Any]) -> None:
    world.store.versions["v"] = MANUAL
    request = pb.StartRequest(workflow_id="w1", version_id="v", project_id=INSTANCE_PROJECT, **change)
    await refused(world.executions.Start(request), ErrorCode.VALIDATION_ERROR)


async def test_earlier_data_stands_for_nodes_in_a_partial_run(world: World, runner: FakeRunner) -> None:
    world.store.versions["v"] = MANUAL
    request = pb.StartRequest(
        workflow_id="w1",
        version_id="v",
        project_id=INSTANCE_PROJECT,
        wait_seconds=10,
        run_data=b'{"A": [[[{"kept": true}]]]}',
    )
    done = await world.executions.Start(request)
    assert runner.ran == ["B"]
    outputs = {run.node: json.loads(run.outputs) for run in done.node_runs}
    assert outputs["A"] == [[{"json": {"kept": True}}]]


@pytest.mark.parametrize(
    ("kept", "ran"),
    [
        (["Start", "A", "B"], ["C"]),
        (["Start", "A", "B", "C", "D"], ["C"]),
        (["Start", "A"], ["B", "C"]),
        (["Start"], ["A", "B", "C"]),
        ([], ["A", "B", "C"]),
    ],
)
async def test_a_partial_run_to_a_node_runs_what_has_no_data_and_the_node(
    world: World, runner: FakeRunner, kept: list[str], ran: list[str]
) -> None:
    """As n8n 2.39.10 does by `runData` and `destinationNode`; D stands beside the way to C."""
    document = chain(*MANUAL["nodes"], node("C", at=2), node("D", at=3))
    document["connections"]["C"] = {}
    document["connections"]["A"]["main"][0].append({"node": "D", "type": "main", "index": 0})
    world.store.versions["v"] = document
    request = pb.StartRequest(
        workflow_id="w1",
        version_id="v",
        project_id=INSTANCE_PROJECT,
        wait_seconds=10,
        destination_node="C",
        run_data=json.dumps({name: [[[{"kept": name}]]] for name in kept}).encode(),
    )
    done = await world.executions.Start(request)
    assert done.execution.status == "success"
    assert runner.ran == ran


async def test_stop_ends_what_runs_and_refuses_what_has_ended(world: World, runner: FakeRunner) -> None:
    world.store.versions["v"] = chain(node("Start", "webhook", version=2), node("W", "wait", 1, version=1.1))
    runner.script["W"] = lambda *_: NodeWaiting("W", 0, 2, 1, (), "webhook", None)
    execution = await world.start("v")
    await world.has_status(execution, "waiting")
    await refused(
        world.executions.Delete(pb.DeleteExecutionRequest(execution_id=execution)), ErrorCode.CONFLICT
    )
    stopped = await world.executions.Stop(pb.StopRequest(execution_id=execution))
    assert stopped.execution.status == "cancelled"
    await refused(world.executions.Stop(pb.StopRequest(execution_id=execution)), ErrorCode.CONFLICT)
    recorded: list[AuditRecorded] = []

    async def record(envelope: Envelope) -> None:
        assert isinstance(envelope.body, AuditRecorded)
        recorded.append(envelope.body)

    world.bus.subscribe(topics.AUDIT_EVENTS, record, "auth")
    await world.executions.Delete(pb.DeleteExecutionRequest(execution_id=execution))
    await refused(world.get(execution), ErrorCode.NOT_FOUND)
    async with asyncio.timeout(30):
        while not recorded:
            await asyncio.sleep(0.01)
    (told,) = recorded
    assert (told.action, told.object_type, told.object_id) == ("execution.deleted", "execution", execution)
    assert told.actor == "u1"


async def test_retries_are_for_failures(world: World, runner: FakeRunner) -> None:
    world.store.versions["v"] = LINE
    execution = await world.start("v")
    await world.ended(execution)
    await refused(world.executions.Retry(pb.RetryRequest(execution_id=execution)), ErrorCode.CONFLICT)
    runner.script["B"] = lambda *_: NodeFailed("B", 0, 2, 1, (), NodeError("bad"))
    failed = await world.start("v")
    await world.ended(failed, "error")
    del runner.script["B"]
    runner.ran.clear()
    retried = await world.executions.Retry(pb.RetryRequest(execution_id=failed, from_start=True))
    found = await world.ended(retried.execution.id)
    assert found.execution.retry_of == failed
    assert runner.ran == ["A", "B"]


async def test_replies_and_waits_of_strangers(world: World) -> None:
    unknown = new_id()
    assert not (await world.executions.GetReply(pb.GetReplyRequest(execution_id=unknown))).found
    await refused(world.executions.GetWait(pb.GetWaitRequest(execution_id=unknown)), ErrorCode.NOT_FOUND)


async def test_runners_get_partitions_of_their_own(world: World) -> None:
    register = world.executions.RegisterRunner
    first = (await register(pb.RegisterRunnerRequest(runner="one"))).partition
    second = (await register(pb.RegisterRunnerRequest(runner="two"))).partition
    again = (await register(pb.RegisterRunnerRequest(runner="one"))).partition
    assert first == again != second


async def test_large_outputs_come_back_from_the_blobs(world: World, runner: FakeRunner) -> None:
    world.store.versions["v"] = LINE
    rows = [[{"json": {"n": number, "text": secrets.token_hex(400)}} for number in range(1000)]]

    async def big(task: Any) -> Any:
        from weft_contracts.messages import NodeCompleted

        payload = await items.claim(items.encode(rows), world.blobs, f"{task.execution_id}/big")
        assert payload.ref
        return NodeCompleted("A", 0, 2, 1, task.entry.inputs, (1000,), payload)

    runner.hold = True
    execution = await world.start("v")
    async with asyncio.timeout(10):
        while not runner.tasks:
            await asyncio.sleep(0.01)
    runner.report(runner.tasks[0], [await big(runner.tasks[0])])
    async with asyncio.timeout(10):
        while len(runner.tasks) < 2:
            await asyncio.sleep(0.01)
    runner.run(runner.tasks[1])
    found = await world.ended(execution)
    assert json.loads(next(run for run in found.node_runs if run.node == "A").outputs) == rows


def held(world: World) -> list[Path]:
    return [path for path in world.blobs.folder.rglob("*") if path.is_file()]


async def gone(world: World, count: int) -> None:
    """Waits until so many blobs are left."""
    async with asyncio.timeout(10):
        while len(held(world)) != count:
            await asyncio.sleep(0.01)


async def test_files_are_found_by_their_item(world: World, runner: FakeRunner) -> None:
    world.store.versions["v"] = LINE
    entry = {"id": "x/files/y", "mimeType": "a/b"}
    made = items.encode_outputs([[], [{"json": {}}, {"json": {}, "binary": {"f": entry}}]])
    runner.script["A"] = lambda task, activation: NodeCompleted("A", 0, 2, 1, activation.inputs, (0, 2), made)
    execution = await world.start("v")
    await world.ended(execution)
    for run in (0, -1):
        request = pb.GetFileRequest(
            execution_id=execution, node="A", run_index=run, output=1, item=1, name="f"
        )
        assert json.loads((await world.executions.GetFile(request)).entry) == entry
    wrong: list[dict[str, Any]] = [
        {"run_index": 1},
        {"output": 0},
        {"output": 9},
        {"item": 2},
        {"name": "g"},
        {"item": -1},
    ]
    for each in wrong:
        asked = {"run_index": 0, "output": 1, "item": 1, "name": "f", **each}
        request = pb.GetFileRequest(execution_id=execution, node="A", **asked)
        await refused(world.executions.GetFile(request), ErrorCode.NOT_FOUND)


async def test_a_file_that_is_read_in_parts_is_looked_up_once(
    world: World, runner: FakeRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.store.versions["v"] = LINE
    large = [{"json": {"n": n, "text": secrets.token_hex(300)}} for n in range(2000)]
    for number, each in enumerate(large):
        each["binary"] = {"f": {"id": f"x/files/{number}", "mimeType": "a/b"}}
    made = items.encode_outputs([large])
    payload = await items.claim(made, world.blobs, "x/large")
    runner.script["A"] = lambda task, activation: NodeCompleted(
        "A", 0, 2, 1, activation.inputs, (2000,), payload
    )
    execution = await world.start("v")
    await world.ended(execution)
    decoded = 0
    decode = items.decode

    def counted(payload: Payload) -> Any:
        nonlocal decoded
        decoded += 1
        return decode(payload)

    monkeypatch.setattr(items, "decode", counted)
    for item in (7, *range(7, 57), *([56] * 50)):
        request = pb.GetFileRequest(execution_id=execution, node="A", run_index=-1, item=item, name="f")
        entry = json.loads((await world.executions.GetFile(request)).entry)
        assert entry["id"] == f"x/files/{item}"
    assert decoded == 1
    await world.executions.Delete(pb.DeleteExecutionRequest(execution_id=execution))
    await refused(world.executions.GetFile(request), ErrorCode.NOT_FOUND)


def test_kept_entries_have_a_bound() -> None:
    entries = FileEntries(most=5500)
    for number in range(100):
        run = ("e", "A", 0, number)
        entries.keep(run, 0, 3, [{"binary": {"f": {"id": "i" * 900}}}, {"json": {}}])
        assert entries.get(run, 0, 3) == {"f": {"id": "i" * 900}}
        assert entries.get(run, 0, 4) == {}
        assert entries.get(run, 0, 5) is None
    assert len([n for n in range(100) if entries.get(("e", "A", 0, n), 0, 3)]) == 3
    for number in range(100):  # empty ones take their places, too
        entries.keep(("e", "B", 0, number), 0, 0, [{"json": {}}] * 5)
        entries.keep(("e", "B", 0, number), 0, 0, [{"json": {}}] * 5)
    assert sum(entries.get(("e", "B", 0, n), 0, i) is not None for n in range(100) for i in range(5)) == 13


async def test_blobs_go_with_their_execution_once_nothing_was_made_of_it(
    world: World, runner: FakeRunner
) -> None:
    world.store.versions["v"] = LINE
    runner.script["B"] = lambda *_: NodeFailed("B", 0, 2, 1, (), NodeError("bad"))
    failed, other = await world.start("v"), await world.start("v")
    for each in (failed, other):
        await world.ended(each, "error")
        await world.blobs.put(f"{each}/files/a", b"1")
        await world.blobs.put(f"{each}/trigger", b"1")
    del runner.script["B"]
    retried = (await world.executions.Retry(pb.RetryRequest(execution_id=failed))).execution.id
    await world.ended(retried)
    await world.executions.Delete(pb.DeleteExecutionRequest(execution_id=failed))
    await world.executions.Delete(pb.DeleteExecutionRequest(execution_id=other))
    await gone(world, 2)
    assert await world.blobs.get(f"{failed}/files/a") == b"1"  # the retry's items may name it
    await world.executions.Delete(pb.DeleteExecutionRequest(execution_id=retried))
    sweeper = Sweeper(world.blobs, PostgresQueries(world.database, world.blobs))
    await sweeper.sweep(time.time() - 60)
    assert len(held(world)) == 2
    await sweeper.sweep(time.time() + 60)
    assert held(world) == []


async def test_what_a_crash_left_is_swept_and_nothing_else(world: World, runner: FakeRunner) -> None:
    world.store.versions["v"] = LINE
    execution = await world.start("v")
    await world.ended(execution)
    child = await world.start("v", parent=ParentLink(new_id(), "A", 0, 0, wait=False), root_id=execution)
    await world.ended(child)
    for each in (execution, child, new_id(), "not an id"):
        await world.blobs.put(f"{each}/files/a", b"1")
    writer = await world.blobs.create(f"{new_id()}/files/a")  # a call that was cut off
    writer.file.close()
    sweeper = Sweeper(world.blobs, PostgresQueries(world.database, world.blobs))
    await sweeper.sweep(time.time() + 60)
    assert len(held(world)) == 3
    assert await world.blobs.get(f"{child}/files/a") == b"1"


async def test_what_failed_tries_left_is_removed_once_the_run_is_over(
    world: World, runner: FakeRunner
) -> None:
    world.store.versions["v"] = LINE

    def makes(task: Any, activation: Any) -> NodeCompleted:
        entry = {"id": f"{task.execution_id}/files/named", "mimeType": "a/b"}
        made = items.encode_outputs([[{"json": {}, "binary": {"f": entry}}]])
        return NodeCompleted("A", 0, 2, 1, activation.inputs, (1,), made)

    runner.script["A"] = makes
    plain = await world.start("v")
    await world.ended(plain)
    runner.script["B"] = lambda *_: NodeFailed("B", 0, 2, 1, (), NodeError("bad"))
    failed = await world.start("v")
    await world.ended(failed, "error")
    for each in (plain, failed):
        for name in ("files/named", "files/orphan", "trigger"):
            await world.blobs.put(f"{each}/{name}", b"1")
    sweeper = Sweeper(world.blobs, PostgresQueries(world.database, world.blobs))
    unreadable, whole = new_id(), items.encode_outputs([[{"json": {}}]])
    await world.blobs.put(f"{unreadable}/large", whole.data)
    runner.script["A"] = lambda task, activation: NodeCompleted(
        "A", 0, 2, 1, activation.inputs, (1,), Payload(whole.codec, b"", whole.size, f"{unreadable}/large")
    )
    await world.start("v", execution_id=unreadable)
    await world.ended(unreadable, "error")
    await world.blobs.delete(f"{unreadable}/large")
    await world.blobs.put(f"{unreadable}/files/kept", b"1")
    await sweeper.tidy(0, time.time() - 60)
    assert len(held(world)) == 7
    await sweeper.tidy(time.time() - 60, time.time() + 60)
    assert len(held(world)) == 6
    for name in ("files/named", "trigger"):
        assert await world.blobs.get(f"{failed}/{name}") == b"1"

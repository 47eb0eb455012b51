"""Executions from their start to their end, over crashes of everything."""

import asyncio
import json
import time

import pytest
from weft_contracts import topics
from weft_contracts.ids import new_id, shard_of
from weft_contracts.messages import (
    CancelExecution,
    ChildStart,
    Envelope,
    NodeCompleted,
    NodeError,
    NodeFailed,
    NodeStarted,
    NodeWaiting,
    Resume,
    ResumeExecution,
    RunnerControl,
    StartConfirmed,
    WebhookResponse,
)
from weft_contracts.payload import BINARY, Payload
from weft_contracts.pb import orchestrator_pb2 as pb
from weft_kit import items

from services.orchestrator.tests.orchestrator_world import FakeRunner, World, chain, node

pytestmark = pytest.mark.integration

START = node("Start", "webhook", version=2)
LINE = chain(START, node("A", at=1), node("B", at=2), node("C", at=3))


async def until(condition: object, seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # type: ignore[operator]
            await asyncio.sleep(0.01)


async def test_a_line_runs_in_one_segment(world: World, runner: FakeRunner) -> None:
    world.store.versions["v"] = LINE
    execution = await world.start("v")
    found = await world.ended(execution)
    assert runner.ran == ["A", "B", "C"]
    assert len(runner.tasks) == 1
    assert [run.node for run in found.node_runs] == ["Start", "A", "B", "C"]
    assert found.node_runs[3].outputs == b'[[{"json":{"by":"C"}}]]'
    assert found.execution.last_node == "C"


async def test_the_last_nodes_answer_is_sent_after_the_commit(world: World, runner: FakeRunner) -> None:
    world.store.versions["v"] = LINE
    execution = await world.start("v", response="last_node", reply_to="reply.test")
    await until(lambda: world.replies)
    reply = world.replies[0]
    assert (reply.execution_id, reply.kind) == (execution, "finished")
    assert reply.body is not None
    assert items.decode(reply.body) == [[{"json": {"by": "C"}}]]
    stored = await world.executions.GetReply(pb.GetReplyRequest(execution_id=execution))
    assert stored.found


async def test_a_response_leaves_before_the_end(world: World, runner: FakeRunner) -> None:
    world.store.versions["v"] = LINE
    body = Payload(BINARY, b"hi", 2)

    def respond(task: object, activation: object) -> object:
        done = NodeCompleted("B", 0, 2, 1, activation.inputs, (1,), items.encode_outputs([[{"json": {}}]]))  # type: ignore[attr-defined]
        return [WebhookResponse("B", 0, 2, 201, (("x", "y"),), body), done]

    runner.script["B"] = respond
    await world.start("v", response="response_node", reply_to="reply.test")
    await until(lambda: world.replies)
    assert (world.replies[0].status, world.replies[0].body) == (201, body)


async def test_a_repeated_start_is_the_same_execution(world: World, runner: FakeRunner) -> None:
    world.store.versions["v"] = LINE
    execution = await world.start("v")
    await world.ended(execution)
    await world.start("v", execution_id=execution, response="last_node", reply_to="reply.test")
    await until(lambda: world.replies)
    found = await world.get(execution)
    assert len(found.node_runs) == 4
    assert found.execution.seq == found.node_runs[-1].seq + 1


async def test_a_crash_resumes_from_what_was_committed(world: World, runner: FakeRunner) -> None:
    world.store.versions["v"] = LINE
    runner.hold = True
    ids = [await world.start("v") for _ in range(20)]
    await until(lambda: len(runner.tasks) == 20)
    for task in runner.tasks[:10]:
        output = items.encode_outputs([[{"json": {}}]])
        runner.report(task, [NodeCompleted("A", 0, 2, 1, task.entry.inputs, (1,), output)], last=False)
    for task in runner.tasks[:10]:
        await world.committed(task.execution_id, "A")
    await runner.stop()
    await world.crash()
    await world.boot()
    second = await FakeRunner(world).start()
    for execution in ids:
        found = await world.ended(execution)
        assert [run.node for run in found.node_runs] == ["Start", "A", "B", "C"]
    assert second.ran.count("A") == 10
    assert second.ran.count("B") == 20
    await second.stop()


async def test_late_results_change_nothing(world: World, runner: FakeRunner) -> None:
    world.store.versions["v"] = LINE
    world.service._owner.dispatcher.fleet.lease = 0.3
    runner.hold = True
    execution = await world.start("v")
    await until(lambda: runner.tasks)
    late, owner = runner.tasks[0], world.service._owner
    runner.beat(late.dispatch_id)
    await until(lambda: late.dispatch_id not in owner.dispatcher.fleet.dispatches)
    second = await FakeRunner(world, "r2", 1).start(alive=True)
    await world.ended(execution)
    before = await world.get(execution)
    read = owner.inbox.shards[late.shard].next[topics.NODE_RESULTS]
    runner.run(late)
    await until(lambda: owner.inbox.shards[late.shard].next[topics.NODE_RESULTS] > read)
    await owner.committer.flush()
    after = await world.get(execution)
    assert before == after
    await second.stop()


UNSAFE = [
    ("httpRequest", 4.2, {"method": "POST", "url": "http://x"}),
    ("code", 2, {"jsCode": "await this.helpers.httpRequest({ method: 'POST', url: 'http://x' }); return []"}),
]


@pytest.mark.parametrize(("kind", "version", "parameters"), UNSAFE)
async def test_an_unsafe_node_that_was_begun_is_not_begun_again(
    world: World, runner: FakeRunner, kind: str, version: float, parameters: dict[str, object]
) -> None:
    http = node("H", kind, 1, version=version, parameters=parameters)
    world.store.versions["v"] = chain(START, http, node("C", at=2))
    assert world.catalogue.traits(http).idempotency == "unsafe"
    granted: list[RunnerControl] = []
    control = world.bus.reader()
    await control.assign({(topics.RUNNER_CONTROL, 0): None})
    runner.hold = True
    execution = await world.start("v")
    await until(lambda: runner.tasks)
    task = runner.tasks[0]
    runner.report(task, [NodeStarted("H", 0, 2, task.entry.inputs, confirm=True)], last=False)
    for received in await control.fetch():
        assert received.envelope is not None
        granted.append(received.envelope.body)  # type: ignore[arg-type]
    assert granted == [StartConfirmed(task.dispatch_id, "H", 0, granted=True)]
    await runner.stop()
    await world.crash()
    await world.boot()
    found = await world.ended(execution, "error")
    assert b"OUTCOME_UNKNOWN" in found.execution.error


async def test_a_node_that_kills_its_runner_three_times_is_an_error(world: World, runner: FakeRunner) -> None:
    world.store.versions["v"] = LINE
    owner = world.service._owner
    owner.dispatcher.fleet.lease = 0.3
    runner.hold = True
    held: list[str] = []

    async def beats() -> None:
        while True:
            runner.beat(*held)
            await asyncio.sleep(0.05)

    beating = asyncio.create_task(beats())
    execution = await world.start("v")
    for number in range(3):
        await until(lambda count=number: len(runner.tasks) > count)
        dispatch = runner.tasks[-1].dispatch_id
        held.append(dispatch)
        await until(lambda each=dispatch: owner.dispatcher.fleet.dispatches[each].begun)
        held.clear()  # it does not list the task any more
        await until(lambda each=dispatch: each not in owner.dispatcher.fleet.dispatches)
    found = await world.ended(execution, "error")
    beating.cancel()
    assert b"CRASHED" in found.execution.error
    assert len(runner.tasks) == 3


async def test_retries_wait_and_count(world: World, runner: FakeRunner) -> None:
    world.store.versions["v"] = LINE
    tries: list[int] = []

    def fail(task: object, activation: object) -> object:
        attempt = task.attempt if task.entry.node == "B" else 1  # type: ignore[attr-defined]
        tries.append(attempt)
        if attempt < 3:
            at = time.time_ns() // 1000
            return NodeFailed("B", 0, at, 1, (), NodeError("no"), attempt, at + 50_000)
        return NodeCompleted("B", 0, 2, 1, (), (1,), items.encode_outputs([[{"json": {}}]]), attempt=attempt)

    runner.script["B"] = fail
    found = await world.ended(await world.start("v"))
    assert tries == [1, 2, 3]
    run = next(run for run in found.node_runs if run.node == "B")
    assert run.tries.count(b'"no"') == 2


async def test_waits_survive_a_crash(world: World, runner: FakeRunner) -> None:
    world.store.versions["v"] = chain(START, node("W", "wait", 1, version=1.1), node("C", at=2))

    def wait(task: object, activation: object) -> object:
        if task.resume is not None:  # type: ignore[attr-defined]
            return NodeCompleted("W", 0, 2, 1, (), (1,), items.encode_outputs([[{"json": {}}]]))
        until_us = time.time_ns() // 1000 + 3_000_000
        return NodeWaiting("W", 0, 2, 1, (), "timer", until_us)

    runner.script["W"] = wait
    execution = await world.start("v")
    await world.has_status(execution, "waiting")
    await runner.stop()
    await world.crash()
    await world.boot()
    second = FakeRunner(world)
    second.script["W"] = wait
    await second.start()
    await world.ended(execution)
    assert second.tasks[0].resume is not None
    assert second.tasks[0].resume.kind == "timer"
    await second.stop()


async def test_custom_data_survives_a_crash(world: World, runner: FakeRunner) -> None:
    world.store.versions["v"] = chain(START, node("A", at=1), node("W", "wait", 2, version=1.1))
    made = items.encode_outputs([[{"json": {}}]])
    runner.script |= {
        "A": lambda _, activation: NodeCompleted(
            "A", 0, 2, 1, activation.inputs, (1,), made, custom_data={f"k{n}": "1" for n in range(9)}
        ),
        "W": lambda _, activation: NodeWaiting(
            "W", 0, 2, 1, activation.inputs, "timer", time.time_ns() // 1000 + 1_000_000
        ),
    }
    execution = await world.start("v")
    await world.has_status(execution, "waiting")
    await runner.stop()
    await world.crash()
    await world.boot()
    second = FakeRunner(world)
    second.script["W"] = lambda _, activation: NodeCompleted(
        "W", 0, 2, 1, activation.inputs, (1,), made, custom_data={"k0": "2", "a": "3", "b": "one too many"}
    )
    await second.start()
    found = await world.ended(execution)
    assert second.tasks[0].custom_data == {f"k{n}": "1" for n in range(9)}
    assert dict(found.execution.custom_data) == {**{f"k{n}": "1" for n in range(9)}, "k0": "2", "a": "3"}
    await second.stop()


async def test_a_call_wakes_with_the_right_token_only(world: World, runner: FakeRunner) -> None:
    world.store.versions["v"] = chain(START, node("W", "wait", 1, version=1.1), node("C", at=2))

    def wait(task: object, activation: object) -> object:
        if task.resume is not None:  # type: ignore[attr-defined]
            return NodeCompleted("W", 0, 2, 1, (), (1,), task.resume.data[0])  # type: ignore[attr-defined]
        return NodeWaiting("W", 0, 2, 1, (), "webhook", None)

    runner.script["W"] = wait
    execution = await world.start("v")
    await world.has_status(execution, "waiting")
    found = await world.executions.GetWait(pb.GetWaitRequest(execution_id=execution))
    assert found.waiting
    assert found.token
    data = items.encode_outputs([[{"json": {"called": True}}]])
    for token in ("wrong", found.token):
        command = ResumeExecution(execution, "W", 0, "webhook", token, data=data, counts=(1,))
        envelope = Envelope(new_id(), command, execution)
        await world.bus.submit(topics.EXECUTION_COMMANDS, envelope, shard_of(execution))
    ended = await world.ended(execution)
    run = next(run for run in ended.node_runs if run.node == "W")
    assert b"called" in run.outputs


async def test_a_sub_workflow_answers_its_parent(world: World, runner: FakeRunner) -> None:
    world.store.versions["child"] = chain(
        node("Start", "executeWorkflowTrigger", version=1.1), node("X", at=1)
    )
    world.store.versions["v"] = chain(START, node("P", "executeWorkflow", 1, version=1.2), node("C", at=2))

    def call(task: object, activation: object) -> object:
        if task.resume is not None:  # type: ignore[attr-defined]
            resumed.append(task.resume)  # type: ignore[attr-defined]
            return NodeCompleted("P", 0, 2, 1, (), (1,), task.resume.data[0])  # type: ignore[attr-defined]
        given = items.encode_outputs([[{"json": {}}]])
        child = ChildStart("child", "child", "Start", given, (1,))
        return NodeWaiting("P", 0, 2, 1, (), "child", None, (child, child))

    runner.script["P"] = call
    resumed: list[Resume] = []
    execution = await world.start("v")
    ended = await world.ended(execution)
    assert b'"by":"X"' in next(run for run in ended.node_runs if run.node == "P").outputs
    assert runner.ran.count("X") == 2
    assert len(set(resumed[0].children)) == 2
    for child in resumed[0].children:  # whose last node can be asked for
        request = pb.GetNodeDataRequest(execution_id=child, keys=[pb.NodeRunKey(run_index=-1)])
        (last,) = (await world.executions.GetNodeData(request)).outputs
        assert (last.node, last.run_index, list(last.counts)) == ("X", 0, [1])


async def test_cancel_stops_parent_and_children(world: World, runner: FakeRunner) -> None:
    world.store.versions["child"] = chain(
        node("Start", "executeWorkflowTrigger", version=1.1), node("W", "wait", 1, version=1.1)
    )
    world.store.versions["v"] = chain(START, node("P", "executeWorkflow", 1, version=1.2))
    given = items.encode_outputs([[{"json": {}}]])
    runner.script["P"] = lambda task, _: NodeWaiting(
        "P", 0, 2, 1, (), "child", None, (ChildStart("child", "child", "Start", given, (1,)),)
    )
    runner.script["W"] = lambda task, _: NodeWaiting("W", 0, 2, 1, (), "webhook", None)
    execution = await world.start("v")
    await until(lambda: "W" in runner.ran)
    await world.has_status(execution, "waiting")
    envelope = Envelope(new_id(), CancelExecution(execution), execution)
    await world.bus.submit(topics.EXECUTION_COMMANDS, envelope, shard_of(execution))
    await world.ended(execution, "cancelled")
    listed = await world.executions.List(pb.ListExecutionsRequest(limit=10))
    child = next(each for each in listed.executions if each.id != execution)
    await world.ended(child.id, "cancelled")


async def test_an_error_workflow_runs_once(world: World, runner: FakeRunner) -> None:
    world.store.versions["handler"] = chain(node("Start", "errorTrigger"), node("X", at=1))
    world.store.versions["v"] = chain(START, node("A", at=1), errorWorkflow="handler")
    runner.script["A"] = lambda task, _: NodeFailed("A", 0, 2, 1, (), NodeError("bad"))
    execution = await world.start("v")
    await world.ended(execution, "error")
    await until(lambda: "X" in runner.ran)
    await world.service._keeper._follow_up(execution)
    await until(lambda: not world.service._owner.lives)
    listed = await world.executions.List(pb.ListExecutionsRequest(limit=10))
    (handler,) = [each for each in listed.executions if each.id != execution]
    found = await world.ended(handler.id)
    assert [run.node for run in found.node_runs].count("X") == 1
    ((item,),) = json.loads(next(run.outputs for run in found.node_runs if run.node == "Start"))
    failed = item["json"]["execution"]
    assert failed["url"].endswith(f"/executions/{execution}")
    assert (failed["id"], failed["lastNodeExecuted"]) == (execution, "A")
    assert failed["error"]["message"] == "bad"
    assert item["json"]["workflow"].keys() == {"id", "name"}


@pytest.mark.parametrize(
    ("when", "fails", "runs"), [("", False, 1), ("", True, 0), ("error", True, 1), ("always", False, 1)]
)
async def test_next_workflows_start_as_the_end_was(
    world: World, runner: FakeRunner, when: str, fails: bool, runs: int
) -> None:
    following = [{"workflowId": "then", "when": when}] if when else [{"workflowId": "then"}]
    world.store.versions["then"] = chain(node("In", "executeWorkflowTrigger"), node("X", at=1))
    world.store.versions["v"] = chain(START, node("A", at=1), nextWorkflows=following)
    if fails:
        runner.script["A"] = lambda task, _: NodeFailed("A", 0, 2, 1, (), NodeError("bad"))
    execution = await world.start("v")
    await world.ended(execution, "error" if fails else "success")
    if runs:
        await until(lambda: "X" in runner.ran)
    await until(lambda: not world.service._owner.lives)
    assert ("X" in runner.ran) is bool(runs)


async def test_a_user_starts_waits_and_retries(world: World, runner: FakeRunner) -> None:
    world.store.versions["v"] = chain(node("Start", "manualTrigger"), node("A", at=1), node("B", at=2))
    runner.script["B"] = lambda task, _: NodeFailed("B", 0, 2, 1, (), NodeError("bad"))
    project = "00000000-0000-7000-8000-000000000001"
    request = pb.StartRequest(workflow_id="w1", version_id="v", project_id=project, wait_seconds=5)
    started = await world.executions.Start(request)
    assert started.execution.status == "error"
    del runner.script["B"]
    retried = await world.executions.Retry(pb.RetryRequest(execution_id=started.execution.id))
    found = await world.ended(retried.execution.id)
    assert runner.ran == ["A", "B", "B"]
    assert [run.node for run in found.node_runs] == ["Start", "A", "B"]


async def test_one_projects_flood_does_not_hold_up_another(world: World, runner: FakeRunner) -> None:
    world.store.versions["v"] = LINE
    world.service._owner.dispatcher.fleet.lease = 60  # it beats once, whatever the machine takes for the rest
    runner.hold = True
    for _ in range(300):
        await world.start("v")
    await until(lambda: len(runner.tasks) == 100)  # two for each of the 50 slots
    single = await world.start("v", project="p2")
    await until(lambda: len(runner.tasks) == 101)  # it waits for nobody
    assert runner.tasks[100].execution_id == single
    second = await world.start("v", project="p2")  # now the project has its turn as others have
    await until(lambda: second in world.service._owner.lives)
    assert len(runner.tasks) == 101
    for task in runner.tasks[:4]:
        runner.run(task)
    await until(lambda: len(runner.tasks) == 104)
    assert second in {task.execution_id for task in runner.tasks[101:]}
    assert world.service._owner.dispatcher.fleet.queue("default").length == 198


async def test_static_data_is_carried_on_and_kept_at_the_end(world: World, runner: FakeRunner) -> None:
    world.store.versions["v"] = chain(START, node("W", "wait", 1), node("C", at=2))
    waited = items.encode_outputs([[{"json": {}}]])

    def wait(task: object, activation: object) -> object:
        if task.resume is None:  # type: ignore[attr-defined]
            return NodeWaiting("W", 0, 2, 1, activation.inputs, "timer", until=1)  # type: ignore[attr-defined]
        return NodeCompleted(
            "W",
            0,
            2,
            1,
            activation.inputs,
            (1,),
            waited,
            static_data=b'{"global":{"n":1}}',  # type: ignore[attr-defined]
        )

    def change(task: object, activation: object) -> object:
        assert task.static_data in (b"", b'{"global":{"n":1}}')  # type: ignore[attr-defined]
        return NodeCompleted(
            "C",
            0,
            2,
            1,
            activation.inputs,
            (1,),
            waited,
            static_data=b'{"global":{"n":2}}',  # type: ignore[attr-defined]
        )

    runner.script |= {"W": wait, "C": change}
    execution = await world.start("v")
    await world.ended(execution)
    await until(lambda: world.static_data.merged)
    (merged,) = world.static_data.merged
    assert (merged.workflow_id, merged.execution_id) == ("w1", execution)
    assert merged.changes == b'{"global":{"n":2}}'


async def test_a_manual_runs_static_data_is_not_kept(world: World, runner: FakeRunner) -> None:
    world.store.versions["v"] = LINE
    made = items.encode_outputs([[{"json": {}}]])
    runner.script["A"] = lambda _, activation: NodeCompleted(
        "A", 0, 2, 1, activation.inputs, (1,), made, static_data=b'{"global":{"n":1}}'
    )
    execution = await world.start("v", mode="manual")
    await world.ended(execution)
    assert not (await world.get(execution)).execution.error
    assert world.static_data.merged == []


async def test_a_manual_run_keeps_its_history_alone(world: World, runner: FakeRunner) -> None:
    world.store.versions["v"] = chain(START, node("A", at=1), errorWorkflow="other")
    made = items.encode_outputs([[{"json": {}}]])
    changes = b'{"global":{"n":1},"history:node:A":{"values":["x"]}}'
    runner.script["A"] = lambda _, activation: NodeCompleted(
        "A", 0, 2, 1, activation.inputs, (1,), made, static_data=changes
    )
    await world.ended(await world.start("v", mode="manual"))
    await until(lambda: world.static_data.merged)
    assert world.static_data.merged[0].changes == b'{"history:node:A":{"values":["x"]}}'

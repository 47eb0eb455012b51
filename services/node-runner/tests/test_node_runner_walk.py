"""A segment from its entry to its end, and what is reported of it."""

# ruff: noqa: E501 - a table of parameters

import asyncio
import json
import os
import time
from typing import Any

import msgspec
import pytest
from weft_contracts.errors import ErrorCode, WeftError
from weft_contracts.messages import (
    EMPTY_ITEM,
    Activation,
    NodeCompleted,
    NodeError,
    NodeFailed,
    NodeOutput,
    NodeStarted,
    NodeWaiting,
    Resume,
    Source,
    WebhookResponse,
)
from weft_kit import items
from weft_node_runner.application import walk
from weft_node_runner.domain.plan import Plan
from weft_node_sdk.context import NodeRunError, SubWorkflow, Suspend

Make = Any
Node = Any


def edit(node: Node, name: str, **fields: Any) -> Any:
    assignments = [
        {"id": key, "name": key, "type": "string" if isinstance(value, str) else "number", "value": value}
        for key, value in fields.items()
    ]
    parameters = {"includeOtherFields": True, "assignments": {"assignments": assignments}, "options": {}}
    return node(name, "set", 3.4, parameters=parameters)


def post(node: Node, name: str) -> Any:
    return node(name, "httpRequest", 4.2, parameters={"method": "POST", "url": "http://127.0.0.1:1"})


def json_of(report: NodeCompleted, output: int = 0) -> list[Any]:
    return [item["json"] for item in items.outputs_of(items.decode(report.output))[output]]


def names(reports: Any) -> list[tuple[str, str]]:
    return [(type(report).__name__, report.node) for report in reports]


WRONG_PARAMETERS = [
    # type, version, parameters, path, display names
    ("set", 3.4, {"assignments": {"assignments": [{"id": "1", "name": "a", "type": "string", "value": "x"},
      {"id": "2", "name": "b", "type": "string", "value": "={{ $('Nowhere').item.json.b }}"}]}},
     "assignments.assignments[1].value", "Fields to set 2"),
    ("if", 2.2, {"conditions": {"combinator": "and", "options": {}, "conditions": [{"leftValue": "={{ $('Nowhere').first() }}",
      "rightValue": "", "operator": {"type": "string", "operation": "equals"}}]}},
     "conditions.conditions[0].leftValue", "Conditions 1"),
    ("httpRequest", 4.2, {"url": "={{ $('Nowhere').first().json.url }}"}, "url", "URL"),
    ("httpRequest", 4.2, {"url": "http://127.0.0.1:1", "sendQuery": True, "queryParameters": {"parameters": [{"name": "a", "value": "={{ $( }}"}]}},
     "queryParameters.parameters[0].value", "Query parameters › Parameters 1 › Value"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "version", "parameters", "path", "shown"), WRONG_PARAMETERS)
async def test_the_error_of_an_expression_says_where(
    make: Make, a_node: Node, kind: str, version: float, parameters: Any, path: str, shown: str
) -> None:
    world = make(a_node("A", kind, version, parameters=parameters))
    (failed,) = [each for each in await world.walk() if isinstance(each, NodeFailed)]
    error = failed.error
    assert (error.code, error.node, error.item_index) == ("EXPRESSION_ERROR", "A", 0)
    assert (error.parameter, error.parameter_name) == (path, shown)
    assert error.description


async def test_a_branch_that_got_nothing_has_one_empty_item(make: Make, a_node: Node) -> None:
    world = make(
        edit(
            a_node,
            "A",
            n="={{ $json.n ?? 'none' }}",
            i="={{ $input.all().length }}",
            from_="={{ $('Start').item.json.n }}",
        )
    )
    task = world.task(given=({"n": 7}, {"n": 8}), entry="A")
    task = msgspec.structs.replace(task, entry=Activation("A", 0, (Source("Start", EMPTY_ITEM, 0),)))
    (done,) = await world.walk(task)
    assert json_of(done) == [{"n": "none", "i": "1", "from_": "7"}]


async def test_a_line_is_one_batch_with_lineage(make: Make, a_node: Node) -> None:
    world = make(edit(a_node, "A", a=1), edit(a_node, "B", b="={{ $json.a }}"), edit(a_node, "C", c=3))
    reports = await world.walk(world.task(given=({"n": 1}, {"n": 2})))
    assert [last for _, last in world.batches] == [True]
    assert [report.node for report in reports] == ["A", "B", "C"]
    done = reports[2]
    assert isinstance(done, NodeCompleted)
    assert (done.counts, done.inputs, done.attempt) == ((2,), (Source("B"),), 1)
    assert json_of(done) == [{"n": 1, "a": 1, "b": "1", "c": 3}, {"n": 2, "a": 1, "b": "1", "c": 3}]
    paired = [item["pairedItem"] for item in items.decode(done.output)[0]]
    assert paired == [{"item": 0}, {"item": 1}]
    assert world.outside.asked == []


async def test_items_find_their_ancestors_through_filters(make: Make, a_node: Node) -> None:
    world = make(a_node("A"), edit(a_node, "B", from_="={{ $('Start').item.json.n }}"))

    async def second(ctx: Any) -> Any:
        return [[{"json": {}, "pairedItem": {"item": 1}}]]

    world.replace("A", second)
    reports = await world.walk(world.task(given=({"n": "one"}, {"n": "two"})))
    assert json_of(reports[-1]) == [{"from_": "two"}]


async def test_lineage_and_inputs_that_are_elsewhere_are_fetched(make: Make, a_node: Node) -> None:
    world = make(a_node("X"), edit(a_node, "A", n="={{ $('Start').item.json.n }}"))
    start = world.given({"n": "far"})
    blob = await items.claim(items.encode([[{"json": {}, "pairedItem": 0}]]), world.outside.blobs, "k")
    world.outside.stored = {
        ("Start", 0): start,
        ("X", 0): NodeOutput("X", 0, (1,), blob, (Source("Start"),)),
    }
    task = world.task(outputs=(), runs={"Start": 1, "X": 1, "A": 1})
    task = msgspec.structs.replace(task, entry=Activation("A", 0, (Source("X"),)))
    reports = await world.walk(task)
    assert json_of(reports[0]) == [{"n": "far"}]
    assert ("X", 0) in [key for keys in world.outside.asked for key in keys]


async def test_a_slow_segment_tells_how_far_it_is(
    make: Make, a_node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walk, "SILENT_SECONDS", 0.01)
    world = make(edit(a_node, "A", a=1), a_node("B"))

    async def slow(ctx: Any) -> Any:
        while ("NodeStarted", "B") not in names(world.reports):
            await ctx.checkpoint()
            await asyncio.sleep(0.01)
        return [ctx.items]

    world.replace("B", slow)
    await world.walk()
    order = [each for each in names(world.reports) if each != ("NodeStarted", "A")]
    assert order == [("NodeCompleted", "A"), ("NodeStarted", "B"), ("NodeCompleted", "B")]
    assert not any(report.confirm for report in world.reports if isinstance(report, NodeStarted))
    assert world.batches[-1][1]
    assert [last for _, last in world.batches].count(True) == 1


async def test_an_unsafe_node_begins_when_it_may_and_ends_the_segment(make: Make, a_node: Node) -> None:
    world = make(edit(a_node, "A", a=1), post(a_node, "B"), edit(a_node, "C", c=1))
    ran: list[int] = []

    async def call(ctx: Any) -> Any:
        ran.append(len(world.batches))
        return [ctx.items]

    world.replace("B", call)
    await world.walk()
    assert names(world.batches[0][0]) == [("NodeCompleted", "A"), ("NodeStarted", "B")]
    started = world.batches[0][0][1]
    assert isinstance(started, NodeStarted)
    assert started.confirm
    assert (world.confirmed, ran) == (["B"], [1])
    assert names(world.batches[1][0]) == [("NodeCompleted", "B")]
    assert [last for _, last in world.batches] == [False, True]


async def test_an_unsafe_node_that_may_not_begin_does_nothing(make: Make, a_node: Node) -> None:
    world = make(post(a_node, "A"))
    world.granted = False

    async def call(ctx: Any) -> Any:
        raise AssertionError("it began")

    world.replace("A", call)
    await world.walk()
    assert names(world.reports) == [("NodeStarted", "A")]
    assert [last for _, last in world.batches] == [False]


async def test_pinned_nodes_do_not_run_in_manual_runs_only(make: Make, a_node: Node) -> None:
    pins = {"A": [{"n": 1}, {"json": {"n": 2}}]}
    world = make(post(a_node, "A"), pinData=pins)

    async def call(ctx: Any) -> Any:
        return [[{"json": {"ran": True}}]]

    world.replace("A", call)
    (done,) = await world.walk(world.task(mode="manual"))
    assert (json_of(done), done.pinned, world.confirmed) == ([{"n": 1}, {"n": 2}], True, [])
    world.batches.clear()
    over = items.encode({"A": [{"n": 3}]})
    (done,) = await world.walk(world.task(mode="manual", pins=over))
    assert json_of(done) == [{"n": 3}]
    world.batches.clear()
    reports = await world.walk(world.task(mode="webhook"))
    assert json_of(reports[-1]) == [{"ran": True}]


@pytest.mark.parametrize(("attempt", "again"), [(1, True), (2, True), (3, False)])
async def test_tries_are_counted(make: Make, a_node: Node, attempt: int, again: bool) -> None:
    world = make(a_node("A", retryOnFail=True, maxTries=3, waitBetweenTries=1000), a_node("B"))

    async def fails(ctx: Any) -> Any:
        ctx.log("tried")
        raise NodeRunError("down", description="why", item_index=4, http_status=503, code="X")

    world.replace("A", fails)
    before = time.time_ns() // 1000
    (failed,) = await world.walk(world.task(attempt=attempt))
    assert isinstance(failed, NodeFailed)
    assert failed.error == NodeError("down", "X", node="A", description="why", item_index=4, http_status=503)
    assert (failed.attempt, failed.logs) == (attempt, ("tried",))
    if again:
        assert failed.retry_at is not None
        assert failed.retry_at >= before + 1_000_000
    else:
        assert failed.retry_at is None


@pytest.mark.parametrize("on_error", ["continueRegularOutput", "continueErrorOutput"])
async def test_failures_become_items_after_the_last_try(make: Make, a_node: Node, on_error: str) -> None:
    world = make(a_node("A", onError=on_error, retryOnFail=True, maxTries=2), a_node("B"))

    async def fails(ctx: Any) -> Any:
        raise ValueError("a bug")

    world.replace("A", fails)
    (failed,) = await world.walk(world.task(given=({"n": 1},)))
    assert isinstance(failed, NodeFailed)
    world.batches.clear()
    done, *others = await world.walk(world.task(given=({"n": 1},), attempt=2))
    assert isinstance(done, NodeCompleted)
    assert done.error is not None
    assert done.error.code == "INTERNAL"
    if on_error == "continueErrorOutput":
        assert done.counts == (0, 1)
        assert json_of(done, 1) == [{"n": 1, "error": "The node failed: a bug"}]
        assert others == []
    else:
        assert json_of(done) == [{"error": "The node failed: a bug"}]
        assert names(others) == [("NodeCompleted", "B")]


async def test_a_name_that_is_no_text_can_be_told(make: Make, a_node: Node) -> None:
    world = make(a_node("A"))

    async def fails(ctx: Any) -> Any:
        raise NodeRunError("No such file: 'a\udce4'", description="\udce4")

    world.replace("A", fails)
    (failed,) = await world.walk(world.task())
    assert isinstance(failed, NodeFailed)
    assert msgspec.convert(msgspec.json.decode(msgspec.json.encode(failed.error)), NodeError) == failed.error
    assert (failed.error.message, failed.error.description) == ("No such file: 'a?'", "?")


async def test_failures_on_purpose_are_final(make: Make, a_node: Node) -> None:
    stop = a_node(
        "A", "stopAndError", parameters={"errorMessage": "no"}, onError="continueRegularOutput",
        retryOnFail=True, maxTries=3,
    )  # fmt: skip
    world = make(stop)
    (failed,) = await world.walk(world.task(given=({"n": 1},)))
    assert isinstance(failed, NodeFailed)
    assert (failed.retry_at, failed.counts, failed.error.message) == (None, (1,), "no")


async def test_what_is_no_output_fails_the_node(make: Make, a_node: Node) -> None:
    for made in (None, {"json": {}}, [None], [[{"json": {1}}]], [[1]], [[{"nothing": {}}]]):
        world = make(a_node("A"))

        async def gives(ctx: Any, made: Any = made) -> Any:
            return made

        world.replace("A", gives)
        (failed,) = await world.walk()
        assert isinstance(failed, NodeFailed), made


@pytest.mark.parametrize("value", [[{"id": 1}], 5, "text", None])
async def test_data_that_is_no_object_passes_and_expressions_read_it(
    make: Make, a_node: Node, value: Any
) -> None:
    world = make(a_node("A"), a_node("B", "noOp"), edit(a_node, "C", text="={{ JSON.stringify($json) }}"))

    async def gives(ctx: Any) -> Any:
        return [[{"json": value}]]

    world.replace("A", gives)
    given = {report.node: json_of(report) for report in await world.walk()}
    assert given["A"] == given["B"] == [value]
    assert json.loads(given["C"][0]["text"]) == value


async def test_unknown_types_and_bad_expressions_fail_where_they_are(make: Make, a_node: Node) -> None:
    world = make(a_node("A"), a_node("B", "notAThing"), a_node("C"))
    reports = await world.walk()
    assert names(reports) == [("NodeCompleted", "A"), ("NodeFailed", "B")]
    assert reports[1].error.code == "UNKNOWN_NODE_TYPE"
    world = make(edit(a_node, "A", a="={{ $json.a( }}"))
    (failed,) = await world.walk()
    assert isinstance(failed, NodeFailed)
    assert "Syntax error" in failed.error.message


async def test_disabled_nodes_pass_and_execute_once_takes_the_first(make: Make, a_node: Node) -> None:
    world = make(post(a_node, "A") | {"disabled": True}, edit(a_node, "B", b=1) | {"executeOnce": True})
    reports = await world.walk(world.task(given=({"n": 1}, {"n": 2})))
    assert [json_of(report) for report in reports if isinstance(report, NodeCompleted)][-1] == [
        {"n": 1, "b": 1}
    ]


async def test_an_empty_output_has_one_item_where_wanted(make: Make, a_node: Node) -> None:
    world = make(a_node("A", alwaysOutputData=True), a_node("B"))

    async def nothing(ctx: Any) -> Any:
        return [[]]

    world.replace("A", nothing)
    reports = await world.walk()
    assert names(reports) == [("NodeCompleted", "A"), ("NodeCompleted", "B")]
    assert json_of(reports[0]) == [{}]


async def test_a_wait_ends_the_segment_and_goes_on_when_woken(make: Make, a_node: Node) -> None:
    wait = a_node("W", "wait", 1.1, parameters={"resume": "timeInterval", "amount": 90, "unit": "seconds"})
    world = make(edit(a_node, "A", a=1), wait, edit(a_node, "B", b=1))
    before = time.time_ns() // 1000
    reports = await world.walk()
    waiting = reports[-1]
    assert isinstance(waiting, NodeWaiting)
    assert (waiting.node, waiting.kind, world.batches[-1][1]) == ("W", "timer", True)
    assert waiting.until is not None
    assert before + 90_000_000 <= waiting.until
    world.batches.clear()
    task = world.task("W", resume=Resume("timer"))
    reports = await world.walk(task)
    assert next(report.node for report in reports if isinstance(report, NodeCompleted)) == "W"


async def test_a_call_hands_its_item_to_the_node_that_waited(make: Make, a_node: Node) -> None:
    world = make(a_node("A"))
    seen: list[Any] = []

    async def waits(ctx: Any) -> Any:
        seen.append(ctx.resume)
        return [ctx.resume.items]

    world.replace("A", waits)
    payload = await items.claim(items.encode_outputs([[{"json": {"called": 1}}]]), world.outside.blobs, "k")
    (done,) = await world.walk(world.task(resume=Resume("webhook", (payload,))))
    assert json_of(done) == [{"called": 1}]
    children = Resume("child", (payload, None), (None, NodeError("bad")))
    await world.walk(world.task(resume=children))
    assert [(child.error, sum(map(len, child.outputs))) for child in seen[1].children] == [
        (None, 1),
        ("bad", 0),
    ]


async def test_children_are_named_by_version_and_trigger(make: Make, a_node: Node) -> None:
    world = make(a_node("A"), a_node("B"))
    trigger = a_node("In", "executeWorkflowTrigger", 1.1)
    document = msgspec.json.encode({"nodes": [trigger], "connections": {}})
    world.outside.children["w2"] = Plan("v2", document, world.plan._catalogue, "UTC")

    waits = [True]

    async def calls(ctx: Any) -> Any:
        child = SubWorkflow([{"json": {"n": 1}}, {"json": {"n": 2}}], "w2", wait=waits[0])
        return Suspend("child", children=[child], output=[[{"json": {"sent": 1}}]])

    world.replace("A", calls)
    for wait in (True, False):
        world.batches.clear()
        waits[0] = wait
        reports = await world.walk()
        waiting = reports[0]
        assert isinstance(waiting, NodeWaiting)
        (child,) = waiting.children
        assert (child.workflow_id, child.version_id, child.trigger_node, child.wait) == (
            "w2",
            "v2",
            "In",
            wait,
        )
        assert (child.counts, len(items.decode(child.items)[0])) == ((2,), 2)
        if wait:
            assert len(reports) == 1
        else:
            assert json_of(reports[1]) == [{"sent": 1}]
            assert reports[2].node == "B"
    world.batches.clear()
    del world.outside.children["w2"]
    (failed,) = await world.walk()
    assert isinstance(failed, NodeFailed)
    assert failed.error.code == "NOT_FOUND"


async def test_a_response_leaves_before_the_rest_of_a_slow_segment(make: Make, a_node: Node) -> None:
    world = make(a_node("A"), a_node("B"))

    async def responds(ctx: Any) -> Any:
        ctx.respond(201, [("x", "y")], b"z" * 70_000)
        assert isinstance(world.reports[-1], WebhookResponse)
        return [ctx.items]

    world.replace("A", responds)
    await world.walk()
    (response,) = [report for report in world.reports if isinstance(report, WebhookResponse)]
    assert (response.status, response.headers, len(response.body.data)) == (201, (("x", "y"),), 70_000)


async def test_large_outputs_travel_by_reference(make: Make, a_node: Node) -> None:
    world = make(a_node("A"), edit(a_node, "B", b=1))
    text = os.urandom(400_000).hex()

    async def large(ctx: Any) -> Any:
        return [[{"json": {"text": text}}]]

    world.replace("A", large)
    reports = await world.walk()
    first = reports[0]
    assert isinstance(first, NodeCompleted)
    assert first.output.ref
    assert first.output.data == b""
    whole = await items.unclaim(first.output, world.outside.blobs)
    assert items.decode(whole)[0][0]["json"]["text"] == text


async def test_what_is_told_while_an_output_is_stored_takes_nothing_with_it(
    make: Make, a_node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walk, "SILENT_SECONDS", 0.01)
    world = make(a_node("A"), edit(a_node, "B", b=1))
    put = world.outside.blobs.put

    async def slow(key: str, data: bytes) -> None:
        while ("NodeStarted", "A") not in names(world.reports):
            await asyncio.sleep(0.005)
        await put(key, data)

    async def large(ctx: Any) -> Any:
        return [[{"json": {"text": os.urandom(400_000).hex()}}]]

    monkeypatch.setattr(world.outside.blobs, "put", slow)
    world.replace("A", large)
    await world.walk()
    order = [each for each in names(world.reports) if each != ("NodeStarted", "B")]
    assert order == [("NodeStarted", "A"), ("NodeCompleted", "A"), ("NodeCompleted", "B")]


async def test_many_items_are_written_in_parts_of_one_payload(make: Make, a_node: Node) -> None:
    world = make(a_node("A"))
    made = [[{"json": {"n": n, "o": [n]}} for n in range(2500)], [], [{"json": {"last": 1.0}}]]

    async def many(ctx: Any) -> Any:
        return made

    world.replace("A", many)
    (report,) = [each for each in await world.walk() if isinstance(each, NodeCompleted)]
    alone = items.encode(made)
    assert (report.output.codec, report.output.size) == (alone.codec, alone.size)
    assert items.decode(report.output) == items.decode(alone)


async def test_what_is_out_of_reach_later_leaves_what_was_done(make: Make, a_node: Node) -> None:
    world = make(edit(a_node, "A", a=1), a_node("B"), a_node("C"))

    async def away(ctx: Any) -> Any:
        raise WeftError(ErrorCode.UNAVAILABLE, "away")

    world.replace("B", away)
    await world.walk()
    assert names(world.reports) == [("NodeCompleted", "A")]
    assert [last for _, last in world.batches] == [True]
    world = make(a_node("A"))
    world.replace("A", away)
    with pytest.raises(WeftError):
        await world.walk()
    assert world.reports == []


async def test_a_cancelled_walk_stops_its_node_and_says_no_more(make: Make, a_node: Node) -> None:
    world = make(a_node("A"), a_node("B"))
    began, stopped = asyncio.Event(), asyncio.Event()

    async def long(ctx: Any) -> Any:
        began.set()
        try:
            while True:
                await ctx.checkpoint()
                await asyncio.sleep(0)
        finally:
            stopped.set()

    world.replace("A", long)
    before = asyncio.all_tasks()
    walking = asyncio.create_task(world.walk())
    await asyncio.wait_for(began.wait(), 10)
    walking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await walking
    assert stopped.is_set()
    assert not any(last for _, last in world.batches)
    assert asyncio.all_tasks() == before  # nobody is left who could say more


async def test_credentials_that_are_gone_fail_with_words(make: Make, a_node: Node) -> None:
    held = {"credentials": {"api": {"id": "c1", "name": "mine"}}}
    world = make(a_node("A", **held))
    got: list[Any] = []

    async def uses(ctx: Any) -> Any:
        got.append(await ctx.credential("api"))
        return [ctx.items]

    world.replace("A", uses)
    (failed,) = await world.walk()
    assert "is gone or belongs to another project" in failed.error.message
    world.outside.secrets["c1"] = {"token": "t"}
    world.batches.clear()
    await world.walk()
    assert got == [{"token": "t"}]
    world = make(a_node("A"))
    world.replace("A", uses)
    (failed,) = await world.walk()
    assert "has no credential of type 'api'" in failed.error.message


async def test_files_of_items_are_read_and_stored(make: Make, a_node: Node) -> None:
    world = make(a_node("A"))
    seen: list[Any] = []

    async def copies(ctx: Any) -> Any:
        entry = await ctx.store_binary(b"abc", mime_type="text/plain", file_name="a.txt")
        ctx.items[0]["binary"] = {"f": entry, "inline": {"data": "eHl6"}}
        seen.extend(
            [await ctx.read_binary(0, "f"), await ctx.read_binary(0, "inline"), entry["fileExtension"]]
        )
        seen.append(ctx.idempotency_key(0) == ctx.idempotency_key(0) != ctx.idempotency_key(1))
        seen.append(ctx.execution.resume_url)
        await ctx.read_binary(0, "none")

    world.replace("A", copies)
    failed = (await world.walk())[-1]
    assert isinstance(failed, NodeFailed)
    assert seen[:4] == [b"abc", b"xyz", "txt", True]
    assert "/webhook-waiting/e1?signature=" in seen[4]
    assert failed.error.message == "The item has no file 'none'"

"""Calls of other workflows: documents as JSON, the inputs that a trigger states, how deep."""

from typing import Any

import msgspec
from weft_contracts.messages import NodeFailed, NodeWaiting
from weft_kit import items
from weft_node_runner.application.called import MOST_DEPTH
from weft_node_sdk.context import SubWorkflow, Suspend

Make = Any
Node = Any

TYPED = {"workflowInputs": {"values": [{"name": "n", "type": "number"}, {"name": "s"}]}}


def child(node: Node, **parameters: Any) -> dict[str, Any]:
    start = node("Begin", "executeWorkflowTrigger", 1.1, parameters=parameters)
    return {"name": "child", "nodes": [node("Other"), start], "connections": {}}


def calling(world: Any, document: dict[str, Any]) -> None:
    async def call(ctx: Any) -> Any:
        return Suspend("child", children=[SubWorkflow([{"json": {"n": 1, "x": 2}}], document=document)])

    world.replace("A", call)


async def test_a_document_is_kept_and_begins_at_its_trigger(make: Make, a_node: Node) -> None:
    world = make(a_node("A"))
    calling(world, child(a_node, inputSource="passthrough"))
    (report,) = await world.walk()
    assert isinstance(report, NodeWaiting)
    (start,) = report.children
    assert (start.version_id, start.trigger_node, start.counts, start.wait) == ("kept", "Begin", (1,), True)
    assert [item["json"] for item in items.decode(start.items)[0]] == [{"n": 1, "x": 2}]


async def test_a_trigger_states_its_inputs(make: Make, a_node: Node) -> None:
    world = make(a_node("A"))
    calling(world, child(a_node, **TYPED))
    (report,) = await world.walk()
    assert isinstance(report, NodeWaiting)
    assert [item["json"] for item in items.decode(report.children[0].items)[0]] == [{"n": 1, "s": None}]


async def test_calls_end_where_they_are_too_deep(make: Make, a_node: Node) -> None:
    world = make(a_node("A"))
    calling(world, child(a_node, inputSource="passthrough"))
    (report,) = await world.walk(msgspec.structs.replace(world.task(), depth=MOST_DEPTH))
    assert isinstance(report, NodeFailed)
    assert report.error.code == "TOO_DEEP"

"""The Code node: which language runs, and what a failure becomes."""

from typing import Any

import pytest
from weft_node_sdk.context import NodeRunError
from weft_node_sdk.testing.fake import FakeContext
from weft_nodes.code.node import run

ITEMS = [{"json": {"i": 0}}, {"json": {"i": 1}}]


def context(given: dict[str, Any], answer: Any = None, on_error: str = "stopWorkflow") -> FakeContext:
    made = [[{"json": {"ok": True}}]]
    return FakeContext(
        given=given, inputs=[ITEMS], type="code", on_error=on_error, run_code=lambda *_: answer or made
    )


@pytest.mark.parametrize(
    ("given", "source", "each"),
    [
        ({"jsCode": "return 1"}, "return 1", False),
        ({"language": "javaScript", "jsCode": "a", "pythonCode": "b"}, "a", False),
        ({"language": "python", "jsCode": "a", "pythonCode": "b"}, "b", False),
        ({"language": "pythonNative", "pythonCode": "b", "mode": "runOnceForEachItem"}, "b", True),
        ({"jsCode": "=not {{ evaluated }}"}, "=not {{ evaluated }}", False),
        ({}, "", False),
    ],
)
async def test_what_runs(given: dict[str, Any], source: str, each: bool) -> None:
    ctx = context(given)
    assert await run(ctx) == [[{"json": {"ok": True}}]]
    assert ctx.jail.sources == [(source, each)]


async def test_a_failure_stops_the_workflow_or_becomes_an_item() -> None:
    error = NodeRunError("boom [line 1]")
    with pytest.raises(NodeRunError):
        await run(context({"jsCode": "x"}, error))
    assert [
        each["json"]["error"]
        for each in (await run(context({"jsCode": "x"}, error, "continueRegularOutput")))[0]
    ] == ["boom [line 1]"]
    item = (await run(context({"jsCode": "x"}, NodeRunError("no", item_index=1), "continueRegularOutput")))[
        0
    ][0]
    assert item["pairedItem"] == {"item": 1}
    with pytest.raises(NodeRunError):
        await run(context({"jsCode": "x"}, NodeRunError("no", fatal=True), "continueRegularOutput"))


async def test_a_script_that_cannot_begin_fails_for_every_item() -> None:
    given = {"jsCode": "x", "mode": "runOnceForEachItem"}
    made = await run(context(given, NodeRunError("Unexpected token"), "continueErrorOutput"))
    assert [(item["json"], item["pairedItem"]) for item in made[0]] == [
        ({"i": n, "error": "Unexpected token"}, {"item": n}) for n in (0, 1)
    ]

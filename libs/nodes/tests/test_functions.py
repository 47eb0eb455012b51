"""Function, Function Item and AI Transform in the real jail."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from weft_expressions.code import run_javascript
from weft_expressions.errors import CodeFailure
from weft_expressions.evaluator import EvaluatorPool
from weft_expressions.scope import Scope
from weft_node_sdk.catalogue import Catalogue
from weft_node_sdk.context import NodeRunError, Outputs
from weft_node_sdk.testing.fake import FakeContext

CATALOGUE = Catalogue.load()


@pytest.fixture
async def pool() -> AsyncIterator[EvaluatorPool]:
    made = EvaluatorPool(1, "code")
    await made.start()
    yield made
    await made.stop()


class Jail:
    def __init__(self, pool: EvaluatorPool, ctx: FakeContext) -> None:
        self._pool, self._ctx = pool, ctx

    async def javascript(self, source: str, *, each_item: bool, timeout: float = 60.0) -> Outputs:
        scope = Scope(items=self._ctx.items, static_data={"global": {"seen": 3}, "node": {}})
        try:
            items, *_ = await run_javascript(self._pool, "project", source, each_item, scope, timeout)
        except CodeFailure as failure:
            raise NodeRunError(failure.message, item_index=failure.item_index) from None
        return [items]


async def ran(pool: EvaluatorPool, kind: str, code: str, *rows: Any, on_error: str = "stopWorkflow") -> Any:
    name = "jsCode" if kind == "aiTransform" else "functionCode"
    ctx = FakeContext({name: code}, [[{"json": row} for row in rows]], type=kind, on_error=on_error)
    ctx.code = Jail(pool, ctx)
    outputs = await CATALOGUE.implementation(kind)(ctx)
    assert isinstance(outputs, list)
    assert [item["json"] for item in ctx.items] == list(rows), "the input was changed"
    return [item["json"] for item in outputs[0]]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("items[0].json.b = items.length; return items;", [{"a": 1, "b": 2}, {"a": 2}]),
        ("return {json: {a: 1}};", [{"a": 1}]),
        ("return [{a: 'é'}];", [{"a": "é"}]),
        ("return [];", []),
        ("const x = await Promise.resolve(4); return [{json: {x}}];", [{"x": 4}]),
        ("return [{json: {n: getWorkflowStaticData('global').seen}}];", [{"n": 3}]),
        ("return items.map((i) => ({json: {z: i.json.a}}));", [{"z": 1}, {"z": 2}]),
    ],
)
async def test_function(pool: EvaluatorPool, code: str, expected: Any) -> None:
    assert await ran(pool, "function", code, {"a": 1}, {"a": 2}) == expected


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("items[0].json.b = 1;", "returned nothing"),
        ("throw new Error('boom')", "boom"),
        ("return 'x'", "no list of items"),
    ],
)
async def test_function_fails_in_words(pool: EvaluatorPool, code: str, message: str) -> None:
    with pytest.raises(NodeRunError, match=message):
        await ran(pool, "function", code, {"a": 1})
    (failed,) = await ran(pool, "function", code, {"a": 1}, on_error="continueRegularOutput")
    assert message in failed["error"]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("item.b = 1; return item;", [{"a": 1, "b": 1}, {"a": 2, "b": 1}]),
        (
            "return {x: item.a, j: typeof $json, n: $itemIndex};",
            [{"x": 1, "j": "object", "n": 0}, {"x": 2, "j": "object", "n": 1}],
        ),
        ("item.s = getWorkflowStaticData('global').seen; return item;", [{"a": 1, "s": 3}, {"a": 2, "s": 3}]),
        ("const { a } = item; return { a: await Promise.resolve(a + 1) }; // done", [{"a": 2}, {"a": 3}]),
    ],
)
async def test_function_item(pool: EvaluatorPool, code: str, expected: Any) -> None:
    assert await ran(pool, "functionItem", code, {"a": 1}, {"a": 2}) == expected


@pytest.mark.parametrize("code", ["item.b = 1;", "return null;"])
async def test_function_item_must_return_something(pool: EvaluatorPool, code: str) -> None:
    with pytest.raises(NodeRunError, match="returned nothing"):
        await ran(pool, "functionItem", code, {"a": 1})


@pytest.mark.parametrize(
    ("code", "expected"), [("return [item];", [{"a": 1}]), ("return 'x';", "x"), ("return 0;", 0)]
)
async def test_function_item_may_return_any_value(pool: EvaluatorPool, code: str, expected: Any) -> None:
    assert await ran(pool, "functionItem", code, {"a": 1}) == [expected]


async def test_one_item_fails_alone(pool: EvaluatorPool) -> None:
    code = "if (item.a === 2) throw new Error('boom'); return item;"
    rows = await ran(
        pool, "functionItem", code, {"a": 1}, {"a": 2}, {"a": 3}, on_error="continueRegularOutput"
    )
    assert rows == [{"a": 1}, {"error": "boom"}, {"a": 3}]
    with pytest.raises(NodeRunError) as caught:
        await ran(pool, "functionItem", code, {"a": 1}, {"a": 2})
    assert caught.value.item_index == 1


async def test_function_item_keeps_and_changes_files(pool: EvaluatorPool) -> None:
    file = {"id": "1", "mimeType": "text/plain"}
    for code, expected in (
        ("return item;", {"data": file}),
        ("setBinaryData({other: getBinaryData().data}); return item;", {"other": file}),
        ("setBinaryData(undefined); return item;", None),
    ):
        ctx = FakeContext(
            {"functionCode": code}, [[{"json": {}, "binary": {"data": file}}]], type="functionItem"
        )
        ctx.code = Jail(pool, ctx)
        outputs = await CATALOGUE.implementation("functionItem")(ctx)
        assert isinstance(outputs, list)
        assert outputs[0][0].get("binary") == expected


async def test_ai_transform_runs_its_code(pool: EvaluatorPool) -> None:
    code = "return $input.all().map((item) => ({ n: item.json.a * 2 }));"
    assert await ran(pool, "aiTransform", code, {"a": 1}, {"a": 2}) == [{"n": 2}, {"n": 4}]

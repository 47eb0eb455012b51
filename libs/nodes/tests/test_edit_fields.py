"""Edit Fields over many items: what is prepared once gives what every item alone gives."""

import asyncio
from typing import Any

import pytest
from weft_node_sdk.testing.fake import FakeContext
from weft_nodes.edit_fields.node import run


@pytest.mark.parametrize("version", [3, 3.4])
def test_edit_fields_alike_with_and_without_an_expression_elsewhere(version: float) -> None:
    """An expression in the options takes the way item by item."""
    entries = [
        {
            "name": "a.b",
            "type": "stringValue" if version < 3.3 else "string",
            "value": "=a",
            "stringValue": "=a",
        },
        {
            "name": "n",
            "type": "numberValue" if version < 3.3 else "number",
            "value": "=n",
            "numberValue": "=n",
        },
    ]
    fields = {"assignments": {"assignments": entries}} if version >= 3.3 else {"fields": {"values": entries}}
    items = [{"json": {"a": index, "n": str(index), "z": 1}} for index in range(5)] + [{"json": {"n": "no"}}]

    def made(dots: Any) -> Any:
        ctx = FakeContext(
            type="n8n-nodes-base.set",
            version=version,
            given={"mode": "manual", "includeOtherFields": True, **fields, "options": {"dotNotation": dots}},
            inputs=[items],
            on_error="continueRegularOutput",
            evaluate_value=lambda value, item, _: (
                item["json"].get(value[1:], True)
                if isinstance(value, str) and value.startswith("=")
                else value
            ),
        )
        return asyncio.run(run(ctx))

    assert made(True) == made("=dots")
    assert made(True)[0][1]["json"] == {"a": {"b": "1"}, "n": 1, "z": 1}


async def test_a_huge_index_is_an_error_of_the_item() -> None:
    row = {"id": "1", "name": "l[100000]", "type": "number", "value": 1}
    given = {"assignments": {"assignments": [row]}, "options": {}}
    ctx = FakeContext(given, [[{"json": {}}]], type="set", version=3.4, on_error="continueRegularOutput")
    (items,) = await run(ctx)  # type: ignore[misc]
    assert "no index of a list" in str(items[0]["json"]["error"])

"""Execution Data: keeps names and values with the execution and passes the items on."""

from typing import Any

from weft_node_sdk.context import Item, NodeRunError, Outputs, RunContext
from weft_node_sdk.items import for_each, passed
from weft_node_sdk.values import entries, to_text, value


async def run(ctx: RunContext) -> Outputs:
    output: list[Item] = []

    def handle(index: int, item: Item, parameters: dict[str, Any]) -> None:
        for entry in entries(parameters, "dataToSave", "values"):
            ctx.note(str(value(entry.get("key")) or ""), to_text(value(entry.get("value"))) or "")
        output.append(passed(item, index))

    def failed(index: int, error: NodeRunError) -> None:
        output.append(ctx.failed_item(error, index))

    await for_each(ctx, handle, failed)
    return [output]

"""Execution Data: notes names and values in the run's log and passes the items on."""

from typing import Any, Final

from weft_node_sdk.context import Item, NodeRunError, Outputs, RunContext
from weft_node_sdk.items import for_each, passed
from weft_node_sdk.values import entries, to_text, value

_LONGEST_KEY: Final = 50
_LONGEST_VALUE: Final = 512


def _noted(entry: dict[str, Any]) -> str:
    key, text = str(value(entry.get("key")) or ""), to_text(value(entry.get("value")))
    if not key:
        raise NodeRunError("The data to save has an entry without a name")
    return f"{key[:_LONGEST_KEY]} = {'' if text is None else text[:_LONGEST_VALUE]}"


async def run(ctx: RunContext) -> Outputs:
    output: list[Item] = []

    def handle(index: int, item: Item, parameters: dict[str, Any]) -> None:
        for entry in entries(parameters, "dataToSave", "values"):
            ctx.log(_noted(entry))
        output.append(passed(item, index))

    def failed(index: int, error: NodeRunError) -> None:
        output.append(ctx.failed_item(error, index))

    await for_each(ctx, handle, failed)
    return [output]

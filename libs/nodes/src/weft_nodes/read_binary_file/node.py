"""Read Binary File: a file of the machine, in the folders that the installation allows."""

from typing import Any

from weft_node_sdk.context import Item, Outputs, RunContext
from weft_node_sdk.items import map_items, passed
from weft_node_sdk.values import value

from weft_nodes.files import disk


async def run(ctx: RunContext) -> Outputs:
    async def handle(index: int, parameters: dict[str, Any]) -> list[Item]:
        entry, _ = await disk.loaded(ctx, str(value(parameters.get("filePath", ""))))
        item = passed(ctx.items[index], index)
        target = str(value(parameters.get("dataPropertyName", "data")))
        return [{**item, "binary": {**item.get("binary", {}), target: entry}}]

    return [await map_items(ctx, handle)]

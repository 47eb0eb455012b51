"""Write Binary File: an item's file is written to the machine, in the folders that the installation allows."""

from typing import Any

from weft_node_sdk.context import Item, Outputs, RunContext
from weft_node_sdk.items import map_items

from weft_nodes.files import disk


async def run(ctx: RunContext) -> Outputs:
    async def handle(index: int, parameters: dict[str, Any]) -> list[Item]:
        return [await disk.written(ctx, index, parameters)]

    return [await map_items(ctx, handle)]

"""Read/Write Files from Disk: files of the machine, in the folders that the installation allows."""

from typing import Any

from weft_node_sdk.context import Item, NodeRunError, Outputs, RunContext
from weft_node_sdk.items import made, map_items
from weft_node_sdk.values import members, value

from weft_nodes.files import disk


async def run(ctx: RunContext) -> Outputs:
    async def handle(index: int, parameters: dict[str, Any]) -> list[Item]:
        if parameters.get("operation", "read") == "write":
            return [await disk.written(ctx, index, parameters)]
        options = members(parameters)
        target = str(value(options.get("dataPropertyName")) or "data")
        plain = options.get("literalBrackets", ctx.node.version >= 1.1) is not False
        items: list[Item] = []
        paths = await disk.found(ctx, parameters.get("fileSelector"), plain_brackets=plain)
        if not paths and ctx.node.version >= 1.1:
            raise NodeRunError("No file has that name or fits that pattern")
        for path in paths:
            await ctx.checkpoint()
            entry, facts = await disk.loaded(ctx, path, options)
            items.append({**made(facts, index), "binary": {target: entry}})
        return items

    return [await map_items(ctx, handle)]

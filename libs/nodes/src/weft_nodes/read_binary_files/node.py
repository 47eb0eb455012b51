"""Read Binary Files: all files that a pattern names, once for the whole run."""

from weft_node_sdk.context import Item, NodeRunError, Outputs, RunContext
from weft_node_sdk.values import value

from weft_nodes.files import disk


async def run(ctx: RunContext) -> Outputs:
    if not ctx.items:
        return [[]]
    await ctx.checkpoint()
    parameters = await ctx.parameters_for(0)
    paired = [{"item": index} for index in range(len(ctx.items))]
    items: list[Item] = []
    try:
        target = str(value(parameters.get("dataPropertyName", "data")))
        for path in await disk.found(ctx, parameters.get("fileSelector")):
            await ctx.checkpoint()
            entry, _ = await disk.loaded(ctx, path)
            items.append({"json": {}, "binary": {target: entry}, "pairedItem": paired})
    except NodeRunError as error:
        if not ctx.continues():
            raise
        items = [ctx.failed_item(error, 0)]
    return [items]

"""HTML Extract: the older form of HTML's extraction."""

from weft_node_sdk.context import Item, NodeRunError, Outputs, RunContext
from weft_node_sdk.items import made
from weft_node_sdk.values import members

from weft_nodes.html.extracting import Manner, extracted
from weft_nodes.html.node import source


async def run(ctx: RunContext) -> Outputs:
    output: list[Item] = []
    await ctx.checkpoint()
    parameters = await ctx.parameters()
    for index, own in enumerate(parameters):
        await ctx.checkpoint()
        manner = Manner(empty_where_missing=True, trim=members(own).get("trimValues", True) is True)
        try:
            output += [made(extracted(html, own, manner), index) for html in await source(ctx, own, index)]
        except NodeRunError as error:
            if error.item_index is None:
                error.item_index = index
            if error.fatal or not ctx.continues():
                raise
            output.append(ctx.failed_item(error, index))
    return [output]

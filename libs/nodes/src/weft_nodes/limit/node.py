"""Limit: the first or last items."""

from weft_node_sdk.context import Outputs, RunContext
from weft_node_sdk.items import passed
from weft_node_sdk.values import value


async def run(ctx: RunContext) -> Outputs:
    await ctx.checkpoint()
    parameters = await ctx.parameters_for(0)
    given = value(parameters.get("maxItems"))
    count = max(int(given), 0) if isinstance(given, int | float) else 1
    total = len(ctx.items)
    first = max(total - count, 0) if parameters.get("keep") == "lastItems" else 0
    return [[passed(ctx.items[index], index) for index in range(first, min(first + count, total))]]

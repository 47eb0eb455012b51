"""Start: a run by hand, or a call, begins here; without items there is one empty item."""

from weft_node_sdk.context import Outputs, RunContext
from weft_node_sdk.items import passed_all


async def run(ctx: RunContext) -> Outputs:
    await ctx.checkpoint()
    return [passed_all(ctx.items) or [{"json": {}}]]

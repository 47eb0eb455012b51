"""Error Trigger: what is known of the failure comes in as an item; a run by hand gets an example."""

from weft_contracts.beginnings import failure_example
from weft_node_sdk.context import Outputs, RunContext
from weft_node_sdk.items import passed_all


async def run(ctx: RunContext) -> Outputs:
    await ctx.checkpoint()
    return [passed_all(ctx.items) or [{"json": failure_example("")}]]

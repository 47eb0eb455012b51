"""Schedule Trigger: the scheduler starts runs; a run by hand gets the item of this moment."""

from datetime import UTC, datetime

from weft_contracts.beginnings import tick
from weft_node_sdk.context import Outputs, RunContext
from weft_node_sdk.dates import zone
from weft_node_sdk.items import passed_all


async def run(ctx: RunContext) -> Outputs:
    await ctx.checkpoint()
    timezone = ctx.execution.timezone
    now = datetime.now(UTC).astimezone(zone(timezone))
    return [passed_all(ctx.items) or [{"json": {**tick(now, timezone)}}]]

"""Schedule Trigger: the scheduler starts runs; `tick` is the item that a run begins with."""

from datetime import UTC, datetime

from weft_node_sdk.context import Item, Outputs, RunContext
from weft_node_sdk.dates import zone
from weft_node_sdk.items import passed_all


def tick(moment: datetime, timezone: str) -> Item:
    """The item of a start at an aware time, its fields in the workflow's zone, named as the peer names
    them."""
    local = moment.astimezone(zone(timezone))
    offset = local.strftime("%z")
    hour = local.hour % 12 or 12
    ordinal = {1: "st", 2: "nd", 3: "rd"}.get(local.day % 10 if local.day // 10 != 1 else 0, "th")
    clock = f"{hour}:{local:%M:%S} {'am' if local.hour < 12 else 'pm'}"
    return {
        "json": {
            "timestamp": local.isoformat(timespec="milliseconds"),
            "Readable date": f"{local:%B} {local.day}{ordinal} {local.year}, {clock}",
            "Readable time": clock,
            "Day of week": f"{local:%A}",
            "Year": f"{local.year}",
            "Month": f"{local:%B}",
            "Day of month": f"{local:%d}",
            "Hour": f"{local:%H}",
            "Minute": f"{local:%M}",
            "Second": f"{local:%S}",
            "Timezone": f"{timezone} (UTC{offset[:3]}:{offset[3:5]})",
        }
    }


async def run(ctx: RunContext) -> Outputs:
    await ctx.checkpoint()
    return [passed_all(ctx.items) or [tick(datetime.now(UTC), ctx.execution.timezone)]]

"""iCalendar: a calendar file with one event."""

from typing import Any

from weft_node_sdk.context import Item, Outputs, RunContext
from weft_node_sdk.items import made, map_items
from weft_node_sdk.values import members, value

from weft_nodes.files import calendars


async def run(ctx: RunContext) -> Outputs:
    async def handle(index: int, parameters: dict[str, Any]) -> list[Item]:
        name = str(value(members(parameters, "additionalFields").get("fileName")) or "event.ics")
        data = calendars.event_file(ctx, parameters)
        entry = await ctx.store_binary(data, mime_type="text/calendar", file_name=name)
        target = str(value(parameters.get("binaryPropertyName", "data")))
        return [{**made({}, index), "binary": {target: entry}}]

    return [await map_items(ctx, handle)]

"""Customer Messenger: says that a message was sent, and sends none."""

from typing import Any

from weft_node_sdk.context import Item, Outputs, RunContext
from weft_node_sdk.items import made, map_items
from weft_node_sdk.values import text_of


async def run(ctx: RunContext) -> Outputs:
    async def handle(index: int, parameters: dict[str, Any]) -> list[Item]:
        customer, message = (text_of(parameters.get(name)) for name in ("customerId", "message"))
        return [made({"output": f"Sent message to customer {customer}:  {message}"}, index)]

    return [await map_items(ctx, handle)]

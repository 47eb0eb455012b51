"""Read PDF: the text of a PDF file and what it says about itself."""

from typing import Any

from weft_node_sdk.context import Item, Outputs, RunContext
from weft_node_sdk.items import made, map_items
from weft_node_sdk.values import value

from weft_nodes.files import pdf


async def run(ctx: RunContext) -> Outputs:
    async def handle(index: int, parameters: dict[str, Any]) -> list[Item]:
        data = await ctx.read_binary(index, str(value(parameters.get("binaryPropertyName", "data"))))
        encrypted = parameters.get("encrypted") is True
        password = str(value(parameters.get("password", "")) or "") if encrypted else ""
        return [made(await pdf.read(data, password=password), index, ctx.items[index])]

    return [await map_items(ctx, handle)]

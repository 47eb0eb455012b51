"""HTML: fills templates, extracts values, and makes tables."""

from typing import Any

from weft_node_sdk.context import Item, NodeRunError, Outputs, RunContext
from weft_node_sdk.items import made
from weft_node_sdk.values import members, value

from weft_nodes.html.extracting import Manner, documents, extracted
from weft_nodes.html.table import table


async def _filled(ctx: RunContext, parameters: dict[str, Any], index: int) -> list[Item]:
    # the template is no expression: what stands in double braces is evaluated on its own
    template = str(value(ctx.node.parameters.get("html", parameters.get("html", ""))))
    (html,) = await ctx.evaluate([template.removeprefix("=")], index)
    return [made({"html": value(html)}, index)]


async def source(ctx: RunContext, parameters: dict[str, Any], index: int) -> list[Any]:
    """The documents of an item: a field's, or a file. Raises NodeRunError."""
    name = str(value(parameters.get("dataPropertyName")) or "data")
    if value(parameters.get("sourceData", "json")) == "binary":
        return [(await ctx.read_binary(index, name)).decode("utf-8", "replace")]
    return documents(ctx.items[index]["json"], name)


async def _extracted(ctx: RunContext, parameters: dict[str, Any], index: int) -> list[Item]:
    options = members(parameters)
    newest = ctx.node.version >= 1.2
    manner = Manner(
        readable=newest,
        empty_where_missing=newest,
        trim=options.get("trimValues") is True,
        clean=options.get("cleanUpText") is True,
    )
    found = await source(ctx, parameters, index)
    return [made(extracted(html, parameters, manner), index) for html in found]


async def run(ctx: RunContext) -> Outputs:
    await ctx.checkpoint()
    items = ctx.items
    if not items:
        return [[]]
    parameters = await ctx.parameters()
    operation = parameters[0].get("operation", "generateHtmlTemplate")
    if operation == "convertToHtmlTable":
        lineage = [{"item": index} for index in range(len(items))]
        return [[{"json": {"table": table(items, members(parameters[0]))}, "pairedItem": lineage}]]
    work = _extracted if operation == "extractHtmlContent" else _filled
    output: list[Item] = []
    for index, own in enumerate(parameters):
        await ctx.checkpoint()
        try:
            output += await work(ctx, own, index)
        except NodeRunError as error:
            if error.item_index is None:
                error.item_index = index
            if error.fatal or not ctx.continues():
                raise
            output.append(ctx.failed_item(error, index))
    return [output]

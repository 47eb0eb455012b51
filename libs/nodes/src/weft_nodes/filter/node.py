"""Filter: keeps the items that fulfil the conditions."""

from typing import Any

from weft_node_sdk.context import Item, NodeRunError, Outputs, RunContext
from weft_node_sdk.items import for_each, passed
from weft_node_sdk.legacy_conditions import all_fulfilled

from weft_nodes.if_.node import matcher_for


async def run(ctx: RunContext) -> Outputs:
    kept: list[Item] = []
    if not ctx.items:
        return [kept]
    matcher = matcher_for(ctx, await ctx.parameters_for(0))
    first_version = ctx.node.version < 2
    timezone = ctx.execution.timezone

    def handle(index: int, item: Item, parameters: dict[str, Any]) -> None:
        if first_version:
            combine = parameters.get("combineConditions", "AND")
            keep = all_fulfilled(parameters.get("conditions"), combine, timezone)
        else:
            keep = matcher.matches(parameters.get("conditions"))
        if keep:
            kept.append(passed(item, index))

    def failed(index: int, error: NodeRunError) -> None:
        if ctx.node.on_error == "continueErrorOutput":
            kept.append(ctx.failed_item(error, index))

    await for_each(ctx, handle, failed)
    return [kept]

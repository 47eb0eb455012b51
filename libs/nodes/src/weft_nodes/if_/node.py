"""If: output 0 for items that fulfil the conditions, output 1 for the others."""

from typing import Any

from weft_node_sdk.conditions import Matcher
from weft_node_sdk.context import Item, NodeRunError, Outputs, RunContext
from weft_node_sdk.items import for_each, passed
from weft_node_sdk.legacy_conditions import all_fulfilled
from weft_node_sdk.values import members


def matcher_for(ctx: RunContext, parameters: dict[str, Any]) -> Matcher:
    """The matcher that the node's options ask for; they are the same for all items."""
    options = members(parameters)
    return Matcher(
        loose=options.get("looseTypeValidation") is True or parameters.get("looseTypeValidation") is True,
        ignore_case=False,
        timezone=ctx.execution.timezone,
        version=ctx.node.version,
    )


async def run(ctx: RunContext) -> Outputs:
    true: list[Item] = []
    false: list[Item] = []
    if not ctx.items:
        return [true, false]
    matcher = matcher_for(ctx, await ctx.parameters_for(0))
    first_version = ctx.node.version < 2
    timezone = ctx.execution.timezone

    def handle(index: int, item: Item, parameters: dict[str, Any]) -> None:
        if first_version:
            combine = parameters.get("combineOperation", "all")
            fulfilled = all_fulfilled(parameters.get("conditions"), combine, timezone)
        else:
            fulfilled = matcher.matches(parameters.get("conditions"))
        (true if fulfilled else false).append(passed(item, index))

    def failed(index: int, _: NodeRunError) -> None:
        # as seen of the peer: what can't be decided goes to false, and never to an error output
        false.append(passed(ctx.items[index], index))

    await for_each(ctx, handle, failed)
    return [true, false]

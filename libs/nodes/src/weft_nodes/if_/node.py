"""If: output 0 for items that fulfil the conditions, output 1 for the others."""

from collections.abc import Callable, Sequence
from typing import Any

from weft_node_sdk.conditions import Fulfilled, Matcher
from weft_node_sdk.context import Item, NodeRunError, Outputs, RunContext, Varying
from weft_node_sdk.items import for_each, for_each_row, passed
from weft_node_sdk.legacy_conditions import all_fulfilled
from weft_node_sdk.values import members

_SIDES = frozenset({"leftValue", "rightValue"})


def matcher_for(ctx: RunContext, parameters: dict[str, Any]) -> Matcher:
    """The matcher that the node's options ask for; they are the same for all items."""
    options = members(parameters)
    return Matcher(
        loose=options.get("looseTypeValidation") is True or parameters.get("looseTypeValidation") is True,
        ignore_case=False,
        timezone=ctx.execution.timezone,
        version=ctx.node.version,
    )


def _prepared(ctx: RunContext, varying: Varying) -> Fulfilled | None:
    """The test of a row of values; None where more than values of conditions varies."""
    columns = varying.inside("conditions", "conditions")
    if columns is None or not all(len(place) == 2 and place[1] in _SIDES for place in columns):
        return None
    return matcher_for(ctx, varying.fixed).prepared(varying.fixed.get("conditions"), columns)


async def for_each_judged(
    ctx: RunContext,
    combine: str,
    judged: Callable[[int, Item, bool], None],
    failed: Callable[[int, NodeRunError], None],
) -> None:
    """Calls `judged(index, item, whether it fulfils the conditions)` for every item. `combine`: the parameter of
    version 1 that says whether all or any must hold."""
    if not ctx.items:
        return
    if ctx.node.version < 2:
        timezone = ctx.execution.timezone

        def old(index: int, item: Item, parameters: dict[str, Any]) -> None:
            how = str(parameters.get(combine, "all"))
            judged(index, item, all_fulfilled(parameters.get("conditions"), how, timezone))

        await for_each(ctx, old, failed)
        return
    varying = await ctx.varying()
    fulfilled = ctx.once(lambda: _prepared(ctx, varying))
    if fulfilled is not None:

        def handle_row(index: int, item: Item, row: Sequence[Any]) -> None:
            judged(index, item, fulfilled(row))

        await for_each_row(ctx, varying.rows, handle_row, failed)
        return
    matcher = matcher_for(ctx, await ctx.parameters_for(0))

    def handle(index: int, item: Item, parameters: dict[str, Any]) -> None:
        judged(index, item, matcher.matches(parameters.get("conditions")))

    await for_each(ctx, handle, failed)


async def run(ctx: RunContext) -> Outputs:
    true: list[Item] = []
    false: list[Item] = []

    def judged(index: int, item: Item, fulfilled: bool) -> None:
        (true if fulfilled else false).append(passed(item, index))

    def failed(index: int, _: NodeRunError) -> None:
        # as seen of the peer: what can't be decided goes to false, and never to an error output
        false.append(passed(ctx.items[index], index))

    await for_each_judged(ctx, "combineOperation", judged, failed)
    return [true, false]
